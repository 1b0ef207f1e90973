// What the client makes of each way in which a real gateway closes it; left out without one. tests/clients.rs
// starts the gateway, with the paths that these tests name; one that stops when a client is there, OTHER; and
// one that does not greet, BARE.

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { test } from "node:test";
import { relay } from "../../../tests/clients/relay.mjs";
import { connect } from "../sporegate-client.js";
import { WebSocket, follow } from "./mock_gateway.mjs";

const { URL: url, TOKEN: token, OTHER: other, BARE: bare, GATEWAY: program, SECRET: secret } = process.env;
const skip = !(url && token && other && bare && program && secret) && "there is no gateway made for this";
const each = { skip, timeout: 30_000 };

/** The share of its bound that each wait is. */
const SHARE = 0.9;
const MIN_DELAY = 20;
const [AT_ONCE, SOON, LATER] = [1, 2, 16].map((times) => times * MIN_DELAY * SHARE);

function join(t, path, options = {}) {
  t.mock.method(Math, "random", () => SHARE);
  const joined = follow(t, connect, url + path, { token: () => token, minDelay: MIN_DELAY, maxDelay: 1000, ...options });
  return { ...joined, ask: (command) => joined.client.send(JSON.stringify(command)) };
}

/** What it is told when it comes back after this close. */
async function back(t, path, options, provoke, outcome = { resumed: true, refused: undefined }) {
  const joined = join(t, path, options);
  await joined.until("open", 1);
  provoke?.(joined);
  const [down] = await joined.until("down", 1);
  assert.equal(down.opened, true);
  assert.deepEqual((await joined.until("open", 2))[1], outcome);
  return { ...joined, down };
}

const flood = ({ ask }) => [1, 2, 3].forEach(() => ask({ do: "count" }));
const overflow = ({ ask }) =>
  ask({ do: "repeat", count: 50, of: [{ do: "broadcast", path: "/probe/full", text: "x" }] });

for (const [code, wait, path, provoke, outcome] of [
  [4202, AT_ONCE, "/probe/idle"],
  [4203, AT_ONCE, "/probe/lifetime"],
  [1011, SOON, "/probe/trap", ({ ask }) => ask({ do: "trap" })],
  [4101, LATER, "/probe/rate", flood],
  // What found no room is lost.
  [4102, LATER, "/probe/full", overflow, { resumed: false, refused: "gap" }],
]) {
  test(`${code}: it comes back within its time`, each, async (t) => {
    const { down } = await back(t, path, {}, provoke, outcome);
    assert.deepEqual([down.code, down.retryIn], [code, wait]);
  });
}

test("4201: a client that answers no ping is closed, and comes back at once", each, async (t) => {
  let mute = true;
  class Mute extends WebSocket {
    constructor(...made) {
      super(...made, { autoPong: !mute });
      mute = false;
    }
  }
  const { down } = await back(t, "/probe/mute", { WebSocket: Mute });
  assert.deepEqual([down.code, down.retryIn], [4201, AT_ONCE]);
});

test("4103: a module that pauses is left alone for longer", each, async (t) => {
  const { ask, told, until, client } = join(t, "/breaks/it", { minDelay: 1 });
  const ended = () => told.down.find(({ code }) => code === 4103);
  for (let count = 1; !ended(); count += 1) {
    await until("open", count);
    ask({ do: "trap" });
    await until("down", count);
  }
  assert.ok(ended().retryIn >= 16 * SHARE);
  assert.ok(told.open.slice(1).every(({ resumed }) => resumed));
  client.close();
});

test("4401: the token is asked for again, and the session goes on", each, async (t) => {
  const short = execFileSync(program, ["token", "--user", "dave", "--role", "User", "--secret-file", secret, "--ttl", "2s"]);
  const tokens = [short.toString().trim(), token];
  const { down, told } = await back(t, "/probe/expires", { token: () => tokens.shift() });
  assert.deepEqual([down.code, down.retryIn, tokens], [4401, AT_ONCE, []]);
  assert.equal(told.down.length, 1);
});

test("1001: a gateway that stops is given time, and its successor knows no session", each, async (t) => {
  const line = await relay(other);
  t.after(() => line.close());
  const there = new URL(url);
  there.host = line.address;
  t.mock.method(Math, "random", () => SHARE);
  const options = { token: () => token, minDelay: MIN_DELAY, maxDelay: 1000 };
  const { until } = follow(t, connect, `${there}/echo`, options);
  await until("open", 1);
  line.to(new URL(url).host);
  const [{ code, retryIn, opened }] = await until("down", 1);
  assert.deepEqual([code, retryIn, opened], [1001, LATER, true]);
  assert.deepEqual((await until("open", 2))[1], { resumed: false, refused: "unknown" });
});

test("4009: of two with the same session the first stops, and the second goes on", each, async (t) => {
  const first = join(t, "/echo");
  await first.until("open", 1);
  const { clientId, received } = first.client;
  const second = join(t, `/echo?clientId=${clientId}&received=${received}`);
  assert.deepEqual(await second.until("open", 1), [{ resumed: true, refused: undefined }]);
  assert.equal((await first.until("end", 1))[0].code, 4009);
  second.client.send("goes on");
  assert.deepEqual(await second.until("message", 1), ["goes on"]);
  assert.deepEqual([first.told.down, second.told.down], [[], []]);
});

for (const [code, path, provoke] of [
  [1000, "/probe/room", ({ ask }) => ask({ do: "close", code: 1000, reason: "" })],
  [1003, "/probe/text", ({ client }) => client.send(new Uint8Array([1]))],
  [1007, "/probe/json", ({ client }) => client.send("no JSON")],
  [1009, "/probe/room", ({ client }) => client.send("x".repeat((64 << 10) + 1))],
  [4900, "/probe/room", ({ ask }) => ask({ do: "close", code: 4900, reason: "" })],
]) {
  test(`${code}: it is the end`, each, async (t) => {
    const joined = join(t, path);
    await joined.until("open", 1);
    provoke(joined);
    assert.equal((await joined.until("end", 1))[0].code, code);
    assert.deepEqual([joined.told.down, joined.client.state], [[], "ended"]);
  });
}

test("what looks like a keep-alive is counted by neither side", each, async (t) => {
  const { client, ask, until, told } = join(t, "/probe/room");
  await until("open", 1);
  const say = (text) => ask({ do: "send", text });
  for (const text of ["one", '"keepalive"', "two"]) say(text);
  // Each is followed by the answer to the command.
  await until("message", 5);
  client.reconnect();
  assert.deepEqual((await until("open", 2))[1], { resumed: true, refused: undefined });
  say("three");
  const messages = await until("message", 7);
  assert.deepEqual(messages.filter((text) => !text.startsWith("{")), ["one", "two", "three"]);
  assert.deepEqual([client.received, told.message.length], [7, 7]);
});

test("where nobody greets it is open at once, and each session is new", each, async (t) => {
  const { client, until } = follow(t, connect, `${bare}/echo`, { token: () => token, greeting: false });
  await until("open", 1);
  client.send("there and back");
  await until("message", 1);
  client.reconnect();
  assert.deepEqual((await until("open", 2))[1], { resumed: false, refused: undefined });
  assert.deepEqual([client.received, client.clientId], [0, undefined]);
});
