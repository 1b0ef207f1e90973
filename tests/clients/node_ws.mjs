// Talks to a running gateway with the npm package `ws`, a client that shares no code with it.
//
//   node tests/clients/node_ws.mjs URL TOKEN [MAX_BYTES]
//
//   URL        where clients connect, with the base path: ws://127.0.0.1:8080/websocket
//   TOKEN      a token that the gateway accepts
//   MAX_BYTES  the gateway's limit for one message; 65536 if not given
//
// Variables of the same names stand in for arguments. The gateway needs the modules `echo` and
// `chat`. Prints TAP; exit code 0: all passed, 1: not, 2: wrong arguments. Needs `setup node`.

import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { finish, given, installed, step } from "./tap.mjs";

const usage = "usage: node tests/clients/node_ws.mjs URL TOKEN [MAX_BYTES]";
const [url, token, maxBytes] = given(usage, "URL", "TOKEN", "MAX_BYTES");
const { WebSocket } = installed("ws");
const limit = Number(maxBytes || 65_536);

/** An open connection that hands out messages in order, without greeting and keep-alives. */
async function open(path, { protocols = [], headers = { authorization: `Bearer ${token}` } } = {}) {
  const socket = new WebSocket(url + path, protocols, { headers });
  const inbox = [];
  let wake = () => {};
  let greeting = null;
  socket.on("message", (data, isBinary) => {
    const message = isBinary ? data : data.toString();
    if (message === '"keepalive"') return;
    if (greeting === null) greeting = JSON.parse(message);
    else inbox.push(message);
    wake();
  });
  const closed = once(socket, "close").then(([code, reason]) => ({ code, reason: reason.toString() }));
  closed.catch(() => {});
  closed.then(() => wake(), () => wake());
  await once(socket, "open");
  const until = async (ready) => {
    while (!ready()) {
      assert.equal(socket.readyState, WebSocket.OPEN, "the connection ended while a message was awaited");
      await new Promise((resolve) => (wake = resolve));
    }
  };
  await until(() => greeting !== null);
  return {
    socket,
    closed,
    greeting,
    send: (data, options) => socket.send(data, options),
    /** The next message that `wanted` accepts; those before it are dropped. */
    async next(wanted = () => true) {
      for (;;) {
        await until(() => inbox.length > 0);
        const message = inbox.shift();
        if (wanted(message)) return message;
      }
    },
    async close() {
      socket.close(1000, "done");
      return closed;
    },
  };
}

/** The HTTP answer to an upgrade that is refused. */
async function refused(path, headers, protocols = []) {
  const socket = new WebSocket(url + path, protocols, { headers });
  socket.on("error", () => {});
  socket.on("open", () => socket.terminate());
  const answer = once(socket, "unexpected-response").then(([, response]) => response);
  const opened = once(socket, "open").then(() => assert.fail("the connection was accepted"));
  const response = await Promise.race([answer, opened]);
  response.resume();
  return { status: response.statusCode, headers: response.headers };
}

async function echoes(message, options) {
  const client = await open("/echo");
  client.send(message, options);
  const answer = await client.next();
  assert.ok(Buffer.from(answer).equals(Buffer.from(message)), "the answer differs from what was sent");
  assert.equal(typeof answer, typeof message);
  await client.close();
}

/** Accepts the notice of a chat room that someone said something. */
const said = (expected) => (message) => {
  const { type, text } = JSON.parse(message);
  return type === "said" && text === expected;
};

const served = await step("the first message tells the client its id", async () => {
  const [one, two] = [await open("/echo"), await open("/echo")];
  assert.equal(one.greeting.type, "setClientId");
  assert.match(one.greeting.payload, /^[\x21-\x7e]{16,64}$/);
  assert.notEqual(one.greeting.payload, two.greeting.payload);
  await Promise.all([one.close(), two.close()]);
});

if (!served) finish();

await step("text comes back as text", () => echoes("Hello"));
await step("an empty text comes back", () => echoes(""));
await step("Unicode comes back unchanged", () => echoes("ünïcödé \u0000 漢字 \u{1f344} e\u0301 \u202e"));
await step("binary comes back as binary", () => echoes(randomBytes(1000)));
await step("60 KB of text comes back", () => echoes("0123456789".repeat(6000)));
await step("60 KB of binary comes back", () => echoes(randomBytes(60_000)));
await step("a message of exactly the limit comes back", () => echoes("x".repeat(limit)));

await step("a fragmented message comes back whole, with a ping between its fragments", async () => {
  const client = await open("/echo");
  const ponged = once(client.socket, "pong");
  client.send("one ", { fin: false });
  client.send("two ", { fin: false });
  client.socket.ping("between");
  client.send("three", { fin: true });
  assert.equal(await client.next(), "one two three");
  assert.equal((await ponged)[0].toString(), "between");
  await client.close();
});

await step("a ping is answered by a pong with the same bytes", async () => {
  const client = await open("/echo");
  const bytes = randomBytes(125);
  client.socket.ping(bytes);
  const [answer] = await once(client.socket, "pong");
  assert.ok(answer.equals(bytes));
  await client.close();
});

await step("1,000 messages sent at once come back in order", async () => {
  const client = await open("/echo");
  for (let n = 0; n < 1000; n += 1) client.send(`message ${n}`);
  for (let n = 0; n < 1000; n += 1) assert.equal(await client.next(), `message ${n}`);
  await client.close();
});

await step("50 clients at once each get their own answers", async () => {
  await Promise.all(Array.from({ length: 50 }, async (_, n) => {
    const client = await open("/echo");
    client.send(`client ${n}`);
    assert.equal(await client.next(), `client ${n}`);
    await client.close();
  }));
});

await step("two clients in a chat room hear each other, one in another room does not", async () => {
  const [one, two, other] = [await open("/chat/blue"), await open("/chat/blue"), await open("/chat/red")];
  one.send(JSON.stringify({ type: "say", text: "from one" }));
  await two.next(said("from one"));
  two.send(JSON.stringify({ type: "say", text: "from two" }));
  await one.next(said("from two"));
  other.send(JSON.stringify({ type: "say", text: "from the other room" }));
  await other.next((message) => {
    assert.doesNotMatch(message, /from one|from two/);
    return said("from the other room")(message);
  });
  await Promise.all([one.close(), two.close(), other.close()]);
});

await step("a listener closes with its own reason, and tells the others in the room", async () => {
  const [leaving, staying] = [await open("/chat/green"), await open("/chat/green")];
  staying.send(JSON.stringify({ type: "who" }));
  const isPresence = (message) => JSON.parse(message).type === "present";
  assert.equal(JSON.parse(await staying.next(isPresence)).who.length, 2);
  leaving.send(JSON.stringify({ type: "leave" }));
  assert.deepEqual(await leaving.closed, { code: 1000, reason: "see you" });
  await staying.next((message) => JSON.parse(message).type === "left");
  staying.send(JSON.stringify({ type: "who" }));
  assert.equal(JSON.parse(await staying.next(isPresence)).who.length, 1);
  await staying.close();
});

await step("a close with 1000 is answered with 1000", async () => {
  const client = await open("/echo");
  assert.equal((await client.close()).code, 1000);
});

await step("a token may come as a subprotocol, and only the protocol's name comes back", async () => {
  const client = await open("/echo", { protocols: ["sporegate", `bearer.${token}`], headers: {} });
  assert.equal(client.socket.protocol, "sporegate");
  client.send("by subprotocol");
  assert.equal(await client.next(), "by subprotocol");
  await client.close();
});

await step("without a token the answer is 401, and says how to authenticate", async () => {
  const { status, headers } = await refused("/echo", {});
  assert.equal(status, 401);
  assert.match(headers["www-authenticate"] ?? "", /^Bearer\b/);
});

await step("with a wrong token the answer is 401", async () => {
  assert.equal((await refused("/echo", { authorization: "Bearer wrong" })).status, 401);
  assert.equal((await refused("/echo", {}, ["sporegate", "bearer.wrong"])).status, 401);
});

await step("a page of another origin gets 403", async () => {
  const headers = { authorization: `Bearer ${token}`, origin: "http://evil.example" };
  assert.equal((await refused("/echo", headers)).status, 403);
});

await step("plain HTTP under the base path gets 426", async () => {
  const answer = await fetch(`${url.replace(/^ws/, "http")}/echo`, { headers: { authorization: `Bearer ${token}` } });
  assert.equal(answer.status, 426);
});

await step("one byte more than the limit ends the connection with 1009", async () => {
  const client = await open("/echo");
  client.send("x".repeat(limit + 1));
  assert.equal((await client.closed).code, 1009);
});

await step("a fragmented message over the limit ends the connection with 1009", async () => {
  const client = await open("/echo");
  client.send("x".repeat(limit), { fin: false });
  client.send("x", { fin: true });
  assert.equal((await client.closed).code, 1009);
});

await step("after all that, others are still served", () => echoes("still here"));

finish();
