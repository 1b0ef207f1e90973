// The same with a real gateway that has the modules `echo` and `chat`, and sessions that wait; left out
// without one.
//
//   URL=ws://127.0.0.1:8080/websocket TOKEN=… node --test examples/client/test/gateway.test.mjs

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { connect } from "../sporegate-client.js";
import { WebSocket, follow } from "./mock_gateway.mjs";

const { URL: url, TOKEN: token } = process.env;
const skip = !(url && token) && "there is no gateway: URL and TOKEN are not set";
const each = { skip, timeout: 30_000 };

/** A client of it whose line can be cut. */
function join(t, path, options = {}) {
  const sockets = [];
  class Line extends WebSocket {
    constructor(...made) {
      super(...made);
      sockets.push(this);
    }
  }
  const joined = follow(t, connect, url + path, { WebSocket: Line, token: () => token, ...options });
  return { ...joined, sockets, cut: () => sockets.at(-1).terminate() };
}

test("text and bytes go there and back", each, async (t) => {
  const { client, until } = join(t, "/echo");
  assert.deepEqual(await until("open", 1), [{ resumed: false, refused: undefined }]);
  client.send("text");
  client.send(new Uint8Array([1, 2, 255]));
  const [text, bytes] = await until("message", 2);
  assert.equal(text, "text");
  assert.deepEqual([...new Uint8Array(bytes)], [1, 2, 255]);
});

test("a wrong token is refused, asked for again, and then admitted", each, async (t) => {
  const tokens = ["wrong", token];
  const { until, told } = join(t, "/echo", { token: () => tokens.shift() });
  await until("open", 1);
  assert.deepEqual(told.down.map(({ code, opened }) => [code, opened]), [[1006, false]]);
});

test("a message that is too large is the end", each, async (t) => {
  const { client, until } = join(t, "/echo");
  await until("open", 1);
  client.send("x".repeat((64 << 10) + 1));
  assert.equal((await until("end", 1))[0].code, 1009);
});

test("close says 1000, and the gateway says it back", each, async (t) => {
  const { client, until, sockets } = join(t, "/echo");
  await until("open", 1);
  const closed = new Promise((resolve) => sockets[0].once("close", resolve));
  client.close();
  assert.equal(await closed, 1000);
});

test("a line that is cut is resumed, with what was said meanwhile", each, async (t) => {
  const listener = join(t, "/chat/cut", { minDelay: 200 });
  await listener.until("open", 1);
  const speaker = join(t, "/chat/cut");
  await speaker.until("open", 1);
  const say = (text) => speaker.client.send(JSON.stringify({ type: "say", text }));
  say("before");
  await listener.until("message", 1);
  listener.cut();
  await listener.until("down", 1);
  say("meanwhile");
  await speaker.until("message", 2);
  await listener.until("open", 2);
  say("after");
  const messages = await listener.until("message", 3);
  assert.deepEqual(listener.told.open[1], { resumed: true, refused: undefined });
  assert.deepEqual(messages.map((message) => JSON.parse(message).text), ["before", "meanwhile", "after"]);
  assert.equal(listener.client.received, 3);
});

test("however often it is cut, each of 2,000 messages arrives once and in order", each, async (t) => {
  const listener = join(t, "/chat/often");
  await listener.until("open", 1);
  const speaker = join(t, "/chat/often");
  await speaker.until("open", 1);
  const faults = [
    listener.cut,
    () => listener.client.reconnect(),
    () => {
      listener.client.reconnect();
      listener.client.reconnect();
    },
  ];
  for (let n = 0; n < 2000; n += 50) {
    for (let m = n; m < n + 50; m += 1) speaker.client.send(JSON.stringify({ type: "say", text: String(m) }));
    const opens = listener.told.open.length;
    // In the middle of what is on its way.
    await listener.until("message", n + 1 + ((n * 7) % 50));
    faults[(n / 50) % faults.length]();
    await speaker.until("message", n + 50);
    await listener.until("open", opens + 1);
  }
  const messages = await listener.until("message", 2000);
  assert.deepEqual(messages.map((message) => JSON.parse(message).text), Array.from({ length: 2000 }, (_, n) => String(n)));
  assert.ok(listener.told.open.slice(1).every(({ resumed }) => resumed));
});

test("a session that was closed is not resumed", each, async (t) => {
  const first = join(t, "/echo");
  await first.until("open", 1);
  const { clientId } = first.client;
  const closed = new Promise((resolve) => first.sockets[0].once("close", resolve));
  first.client.close();
  await closed;
  const second = join(t, `/echo?clientId=${clientId}&received=0`);
  const [{ resumed, refused }] = await second.until("open", 1);
  assert.deepEqual([resumed, typeof refused], [false, "string"]);
});

test("the example for Node in the document of the gateway does what it says", each, async (t) => {
  const document = readFileSync(new URL("../../../README.md", import.meta.url), "utf8");
  const example = document.match(/```js\n(import \{ connect \}[^]*?)```/)[1]
    .replace("./sporegate-client.js", new URL("../sporegate-client.js", import.meta.url).href)
    .replace("ws://127.0.0.1:8080/websocket", url);
  process.env.SPOREGATE_TOKEN = token;
  // It is there in Node 22 and later.
  globalThis.WebSocket ??= WebSocket;
  const said = new Promise((resolve) => t.mock.method(console, "log", resolve));
  const { client } = await import(`data:text/javascript,${encodeURIComponent(`${example}\nexport { client };`)}`);
  assert.equal(await said, "hello");
  client.close();
});
