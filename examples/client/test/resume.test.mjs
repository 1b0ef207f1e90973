// Sessions: what is counted, what is handed over, and what comes of each way to come back.

import assert from "node:assert/strict";
import { once } from "node:events";
import { test } from "node:test";
import { connect } from "../sporegate-client.js";
import { start } from "./fake_socket.mjs";
import { WebSocket, follow, gateway } from "./mock_gateway.mjs";

const bytes = (...values) => Buffer.from(values);
const plain = (message) => (typeof message === "string" ? message : [...new Uint8Array(message)]);

test("the first handshake asks for no session, and the greeting is not handed over", async (t) => {
  const at = await gateway(t);
  const { client, told, until } = follow(t, connect, at.url);
  assert.equal(client.state, "connecting");
  assert.deepEqual(await until("open", 1), [{ resumed: false, refused: undefined }]);
  assert.equal(client.state, "open");
  assert.equal(at.asked[0].address, "/websocket/echo");
  assert.match(client.clientId, /^[0-9a-f]{32}$/);
  assert.equal(client.received, 0);
  assert.deepEqual(told.message, []);
});

test("text and bytes are counted and handed over, keep-alives are not", async (t) => {
  const at = await gateway(t);
  const { client, told, until } = follow(t, connect, at.url);
  await until("open", 1);
  const [session] = at.sessions;
  session.send("one");
  session.keepAlive();
  session.send(bytes(1, 2, 255));
  session.send("");
  session.keepAlive();
  session.send("keepalive");
  session.send('{"type":"setClientId","payload":"of a listener"}');
  await until("message", 5);
  assert.ok(told.message[1] instanceof ArrayBuffer);
  assert.deepEqual(told.message.map(plain),
    ["one", [1, 2, 255], "", "keepalive", '{"type":"setClientId","payload":"of a listener"}']);
  assert.equal(client.received, 5);
});

test("a lost connection is resumed with the newest id and the count, and misses nothing", async (t) => {
  const at = await gateway(t);
  const { client, told, until } = follow(t, connect, at.url);
  await until("open", 1);
  const [session] = at.sessions;
  for (let round = 1; round <= 3; round += 1) {
    session.send(`before ${round}`);
    await until("message", 2 * round - 1);
    const id = client.clientId;
    session.cut();
    session.send(`meanwhile ${round}`);
    await until("message", 2 * round);
    const { query } = at.asked.at(-1);
    assert.deepEqual([...query], [["clientId", id], ["received", String(2 * round - 1)]]);
    assert.notEqual(client.clientId, id);
  }
  assert.deepEqual(told.open.map(({ resumed }) => resumed), [false, true, true, true]);
  assert.deepEqual(told.message, session.sent);
  assert.deepEqual(told.down.map(({ code, opened }) => [code, opened]), Array(3).fill([1006, true]));
});

for (const refused of ["expired", "evicted", "unknown", "gap", "principal", undefined]) {
  test(`a session that is not resumed (${refused ?? "no reason"}) counts from zero`, async (t) => {
    const at = await gateway(t);
    const { client, told, until } = follow(t, connect, at.url);
    await until("open", 1);
    at.sessions[0].send("old");
    await until("message", 1);
    at.refused = refused ?? null;
    const id = client.clientId;
    at.sessions[0].cut();
    await until("open", 2);
    assert.deepEqual(told.open[1], { resumed: false, refused });
    assert.equal(client.received, 0);
    at.sessions[1].send("new");
    await until("message", 2);
    at.sessions[1].cut();
    await until("open", 3);
    assert.deepEqual(told.open[2], { resumed: true, refused: undefined });
    const [, second, third] = at.asked.map(({ query }) => query);
    assert.deepEqual([second.get("clientId"), second.get("received")], [id, "1"]);
    assert.equal(third.get("received"), "1");
    assert.deepEqual(told.message, ["old", "new"]);
  });
}

test("a message counts when its handler throws, and the error is reported, not swallowed", async (t) => {
  const at = await gateway(t);
  const reports = [];
  const original = queueMicrotask;
  t.mock.method(globalThis, "queueMicrotask", (report) => original(() => {
    try { report(); } catch (error) { reports.push(error.message); }
  }));
  const { client, told, until } = follow(t, connect, at.url, {
    onmessage(message) { throw new Error(`no: ${message}`); },
  });
  await until("open", 1);
  const [session] = at.sessions;
  session.send("one");
  session.send("two");
  await until("message", 2);
  await new Promise(setImmediate);
  assert.equal(client.received, 2);
  session.cut();
  session.send("three");
  await until("message", 3);
  await new Promise(setImmediate);
  assert.deepEqual(told.message, ["one", "two", "three"]);
  assert.deepEqual(reports, ["no: one", "no: two", "no: three"]);
});

test("what an old socket still says is neither handed over nor counted", async (t) => {
  const at = await gateway(t);
  const { client, told, until } = follow(t, connect, at.url);
  await until("open", 1);
  const [session] = at.sessions;
  session.send("counted");
  await until("message", 1);
  const old = session.socket;
  const closed = once(old, "close");
  client.reconnect();
  old.send("late");
  old.close(4009, "replaced");
  await until("open", 2);
  await closed;
  session.send("after");
  await until("message", 2);
  assert.deepEqual(told.message, ["counted", "after"]);
  assert.equal(client.received, 2);
  assert.equal(at.asked[1].query.get("received"), "1");
  assert.deepEqual([told.down, told.end], [[], []]);
});

test("a new socket does not end the session: the old one is left without 1000", async (t) => {
  const at = await gateway(t);
  const { client, until } = follow(t, connect, at.url);
  await until("open", 1);
  client.reconnect();
  await until("open", 2);
  client.reconnect();
  const opens = await until("open", 3);
  assert.deepEqual(opens.map(({ resumed }) => resumed), [false, true, true]);
  assert.ok(!at.sessions[0].closes.includes(1000));
});

test("close ends the session with 1000, once, and nothing comes after it", async (t) => {
  const at = await gateway(t);
  const { client, told, until } = follow(t, connect, at.url);
  await until("open", 1);
  const [session] = at.sessions;
  const closed = once(session.socket, "close");
  client.close();
  session.send("too late");
  assert.equal((await closed)[0], 1000);
  client.close();
  client.reconnect();
  assert.equal(client.state, "ended");
  assert.equal(client.send("no"), false);
  assert.deepEqual(told.end, [{ code: 1000, reason: "" }]);
  assert.deepEqual([told.message, told.down, at.asked.length], [[], [], 1]);
});

test("without a greeting messages are handed over, and no session is asked for", async (t) => {
  const at = await gateway(t);
  at.greets = false;
  const { told, until } = follow(t, connect, at.url);
  const session = await at.next();
  session.send("plain");
  session.send(bytes(7));
  await until("message", 2);
  session.cut();
  (await at.next()).send("again");
  await until("message", 3);
  assert.deepEqual(told.message.map(plain), ["plain", [7], "again"]);
  assert.equal(at.asked[1].address, "/websocket/echo");
});

test("where no greeting is waited for, it is open at once, and the first message is one", async (t) => {
  const { client, sockets, socket, told } = start(t, { greeting: false, buffer: 1 });
  client.send("kept");
  (await socket()).readyState = 1;
  sockets[0].onopen({});
  assert.deepEqual([client.state, client.clientId, sockets[0].sent], ["open", undefined, ["kept"]]);
  const hello = JSON.stringify({ type: "setClientId", payload: "of a listener" });
  sockets[0].says(hello);
  assert.deepEqual(told, [["onopen", { resumed: false, refused: undefined }], ["onmessage", hello]]);
});

test("an attempt that was given up and takes the session over late is not taken for another client", async (t) => {
  const { client, sockets, socket, told, last } = start(t, { minDelay: 1 });
  (await socket()).opens();
  const again = async () => {
    const count = sockets.length;
    while (sockets.length === count) await new Promise(setImmediate);
    return sockets.at(-1);
  };
  client.reconnect();
  client.reconnect();
  assert.equal(sockets.length, 3);
  sockets[2].opens({ resumed: true });
  sockets[2].ends(4009, "replaced");
  assert.equal(last("ondown").code, 4009);
  (await again()).opens({ resumed: true });
  // Once: what comes then is somebody else.
  sockets[3].ends(4009, "replaced");
  assert.deepEqual([told.at(-1), client.state], [["onend", { code: 4009, reason: "replaced" }], "ended"]);
});

test("who has given up nothing that could take the session over believes a 4009", async (t) => {
  const { client, sockets, socket, last } = start(t);
  await socket();
  // The first has asked for no session, and the second is open when it is left.
  client.reconnect();
  const second = await socket();
  second.opens();
  client.reconnect();
  sockets.at(-1).opens({ resumed: true });
  sockets.at(-1).ends(4009, "replaced");
  assert.deepEqual([last("onend"), client.state], [{ code: 4009, reason: "replaced" }, "ended"]);
});

for (const [given, first, second] of [
  ["", "/websocket/echo", "/websocket/echo?clientId=ID&received=0"],
  ["?", "/websocket/echo", "/websocket/echo?clientId=ID&received=0"],
  ["?room=a%20b&x=1+2", "/websocket/echo?room=a%20b&x=1+2", "/websocket/echo?room=a%20b&x=1+2&clientId=ID&received=0"],
  ["?q=%C3%BC#top", "/websocket/echo?q=%C3%BC", "/websocket/echo?q=%C3%BC&clientId=ID&received=0"],
]) {
  test(`an address that ends with ${JSON.stringify(given)} keeps its query as it is`, async (t) => {
    const at = await gateway(t);
    const { client, until } = follow(t, connect, at.url.replace("ws:", "http:") + given);
    await until("open", 1);
    const id = client.clientId;
    at.sessions[0].cut();
    await until("open", 2);
    assert.deepEqual(at.asked.map(({ address }) => address.replace(id, "ID")), [first, second]);
  });
}

/** The global class is there in browsers, and in Node 22 and later. */
const classes = { "`ws`": WebSocket, "the global class": globalThis.WebSocket };

for (const [name, socketClass] of Object.entries(classes)) {
  const skip = !socketClass && "there is none here";
  test(`whatever breaks, each of 3,000 messages arrives once and in order, with ${name}`, { skip }, (t) =>
    storm(t, socketClass));
}

async function storm(t, socketClass) {
  const at = await gateway(t);
  const { client, told, until } = follow(t, connect, at.url, { WebSocket: socketClass });
  await until("open", 1);
  const [session] = at.sessions;
  let seed = 20_240_601;
  const dice = (sides) => {
    seed = (seed * 1_103_515_245 + 12_345) % 2 ** 31;
    return Math.floor((seed / 2 ** 31) * sides);
  };
  const faults = [
    () => session.cut(),
    () => session.socket.close([1001, 1011, 4102, 4202][dice(4)]),
    () => client.reconnect(),
    () => {
      client.reconnect();
      client.reconnect();
    },
    () => {
      session.cut();
      client.reconnect();
    },
  ];
  let opens = 1;
  let apart = 0;
  for (let n = 0; n < 3000; n += 1) {
    session.send(n % 7 === 0 ? bytes(n >> 8, n & 255) : `message ${n}`);
    if (dice(4) === 0) await new Promise(setImmediate);
    if (apart > 0) {
      apart -= 1;
      if (apart === 0) await until("open", opens);
    } else if (dice(20) === 0) {
      session.keepAlive();
      opens = told.open.length + 1;
      apart = 1 + dice(20);
      faults[dice(faults.length)]();
    }
  }
  await until("message", 3000);
  assert.deepEqual(told.message.map(plain), session.sent.map(plain));
  assert.equal(client.received, 3000);
  assert.ok(told.open.length > 50, `only ${told.open.length} sockets`);
  assert.ok(told.open.slice(1).every(({ resumed }) => resumed));
  assert.deepEqual([at.sessions.length, told.end], [1, []]);
}
