// A gateway of a few lines, for tests: sessions that are resumed, and faults when a test wants them.
//
// Invariant: it keeps to the protocol of the real one. A session remembers all that was sent in it, and on
// `received=N` sends again from there. Each socket has a token of its own; older ones count too, for the
// client has the last one that reached it.

import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { createServer } from "node:http";
import { installed } from "../../../tests/clients/tap.mjs";

export const { WebSocket, WebSocketServer } = installed("ws");

/** Starts one, that ends with the test. */
export async function gateway(t) {
  const sessions = new Map();
  const waiters = [];
  const at = {
    /** Every handshake: path, query, and what it offered. */
    asked: [],
    /** Every session, the oldest first. */
    sessions: [],
    /** Statuses for the next handshakes, instead of an upgrade. */
    refusals: [],
    /** Why the next resume is refused; null: without a word. */
    refused: undefined,
    /** Whether sockets are greeted. */
    greets: true,
    /** The session of the next socket that opens from now on. */
    next: () => new Promise((resolve) => waiters.push(resolve)),
  };

  function session() {
    const sent = [];
    const heard = [];
    let wake = () => {};
    const made = {
      sent,
      /** What the client sent. */
      heard,
      closes: [],
      /** Sends a message of this session; while there is no socket it only counts. */
      send(data) {
        sent.push(data);
        if (made.socket?.readyState === WebSocket.OPEN) made.socket.send(data);
      },
      keepAlive: () => made.socket.send('"keepalive"'),
      /** The line breaks; what is on its way is lost. */
      cut: () => made.socket.terminate(),
      async hears(count) {
        while (heard.length < count) await new Promise((resolve) => (wake = resolve));
        return heard;
      },
      attach(socket, greeting, from) {
        made.socket = socket;
        const token = randomBytes(16).toString("hex");
        sessions.set(token, made);
        if (at.greets) socket.send(JSON.stringify({ type: "setClientId", payload: token, ...greeting }));
        sent.slice(from).forEach((data) => socket.send(data));
        socket.on("message", (data, binary) => {
          heard.push(binary ? data : data.toString());
          wake();
        });
        socket.on("close", (code) => {
          made.closes.push(code);
          if (code !== 1000) return;
          for (const [old, owner] of sessions) if (owner === made) sessions.delete(old);
        });
      },
    };
    at.sessions.push(made);
    return made;
  }

  function opened(socket, query) {
    const token = query.get("clientId");
    const received = Number(query.get("received"));
    const known = sessions.get(token);
    const gap = known && received > known.sent.length ? "gap" : undefined;
    const refused = at.refused === undefined ? (known ? gap : "unknown") : at.refused;
    at.refused = undefined;
    let owner = known;
    if (token === null || refused !== undefined) {
      owner = session();
      owner.attach(socket, token && refused ? { refused } : {}, 0);
    } else {
      const replaced = owner.socket;
      owner.attach(socket, { resumed: true }, received);
      replaced.close(4009, "replaced");
    }
    waiters.splice(0).forEach((resolve) => resolve(owner));
  }

  const http = createServer();
  const upgrades = new WebSocketServer({ noServer: true, handleProtocols: () => "sporegate" });
  http.on("upgrade", (request, tcp, head) => {
    const { pathname: path, searchParams: query } = new URL(request.url, "ws://gateway.test");
    const offered = (request.headers["sec-websocket-protocol"] ?? "").split(/,\s*/);
    at.asked.push({ path, address: request.url, query, offered });
    const status = at.refusals.shift();
    if (status) {
      tcp.end(`HTTP/1.1 ${status} Refused\r\nContent-Length: 0\r\nConnection: close\r\n\r\n`);
      return;
    }
    upgrades.handleUpgrade(request, tcp, head, (socket) => opened(socket, query));
  });
  http.listen(0, "127.0.0.1");
  await once(http, "listening");
  t.after(() => {
    upgrades.clients.forEach((socket) => socket.terminate());
    http.close();
  });
  return Object.assign(at, { url: `ws://127.0.0.1:${http.address().port}/websocket/echo` });
}

/** A client of it; what it is told can be awaited. It is closed with the test. */
export function follow(t, connect, url, options = {}) {
  const told = { message: [], open: [], down: [], end: [] };
  const waiting = [];
  const note = (name) => (value) => {
    told[name].push(value);
    for (const one of waiting) if (told[one.name].length >= one.count) one.resolve(told[one.name]);
    options[`on${name}`]?.(value);
  };
  const handlers = Object.fromEntries(Object.keys(told).map((name) => [`on${name}`, note(name)]));
  const sockets = [];
  class Tracked extends (options.WebSocket ?? WebSocket) {
    constructor(...made) {
      super(...made);
      sockets.push(this);
    }
  }
  const client = connect(url, { minDelay: 1, maxDelay: 20, ...options, ...handlers, WebSocket: Tracked });
  t.after(async () => {
    client.close();
    // Else timers of `ws` would still run in the next test, whose clock may stand still.
    for (const socket of sockets.filter(({ readyState, terminate }) => terminate && readyState !== WebSocket.CLOSED)) {
      socket.terminate();
      await new Promise((resolve) => socket.once("close", resolve));
    }
  });
  /** All that it was told of this kind, once there are `count`. */
  const until = (name, count) => told[name].length >= count
    ? Promise.resolve(told[name])
    : new Promise((resolve) => waiting.push({ name, count, resolve }));
  return { client, told, until };
}
