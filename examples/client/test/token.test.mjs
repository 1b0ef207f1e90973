// Credentials: how a token is offered, and when it is asked for again.

import assert from "node:assert/strict";
import { test } from "node:test";
import { connect } from "../sporegate-client.js";
import { start, stopTheClock } from "./fake_socket.mjs";
import { follow, gateway } from "./mock_gateway.mjs";

/** Gives `token 1`, `token 2` and so on, as a promise every other time. */
function purse() {
  const purse = { asked: 0, token: () => {
    purse.asked += 1;
    const token = `token-${purse.asked}`;
    return purse.asked % 2 ? token : Promise.resolve(token);
  } };
  return purse;
}

test("a token is offered as a subprotocol, behind the gateway's name and that of the application", async (t) => {
  for (const [options, offered] of [
    [{}, ["sporegate"]],
    [{ token: () => "a.b-c" }, ["sporegate", "bearer.a.b-c"]],
    [{ token: async () => "a.b-c" }, ["sporegate", "bearer.a.b-c"]],
    [{ token: () => "" }, ["sporegate"]],
    [{ token: () => null }, ["sporegate"]],
    [{ token: () => "x", protocols: ["chat.v2", "chat.v1"] }, ["chat.v2", "chat.v1", "sporegate", "bearer.x"]],
  ]) {
    const { client, socket } = start(t, options);
    assert.deepEqual((await socket()).protocols, offered);
    client.close();
  }
});

test("a token is kept while it is good: only 4401 asks for another", async (t) => {
  const { pass } = stopTheClock(t);
  const mine = purse();
  const { socket } = start(t, { token: mine.token });
  for (const [code, expected] of [[1006, 1], [1001, 1], [4101, 1], [4203, 1], [4401, 2], [1011, 2], [4401, 3]]) {
    (await socket()).opens();
    pass(60_000);
    (await socket()).ends(code);
    pass(30_000);
    assert.equal((await socket()).protocols[1], `bearer.token-${expected}`, `after ${code}`);
  }
  assert.equal(mine.asked, 3);
});

test("with a new token for an expired one the session goes on, almost at once", async (t) => {
  const at = await gateway(t);
  const mine = purse();
  const { told, until } = follow(t, connect, at.url, { token: mine.token, minDelay: 20 });
  await until("open", 1);
  at.sessions[0].socket.close(4401, "the credentials have expired");
  at.sessions[0].send("meanwhile");
  await until("message", 1);
  assert.deepEqual(told.open[1], { resumed: true, refused: undefined });
  assert.ok(told.down[0].retryIn < 20);
  assert.deepEqual(at.asked.map(({ offered }) => offered), [
    ["sporegate", "bearer.token-1"],
    ["sporegate", "bearer.token-2"],
  ]);
});

test("a handshake that is refused asks for a new token before the next", async (t) => {
  const at = await gateway(t);
  at.refusals.push(401, 503);
  const mine = purse();
  const { told, until } = follow(t, connect, at.url, { token: mine.token });
  await until("open", 1);
  assert.deepEqual(told.down.map(({ code, opened }) => [code, opened]), [[1006, false], [1006, false]]);
  assert.deepEqual(at.asked.map(({ offered }) => offered[1]), ["bearer.token-1", "bearer.token-2", "bearer.token-3"]);
});

test("where nobody listens it goes on trying, and what was refused can be resumed", async (t) => {
  const at = await gateway(t);
  const { told, until } = follow(t, connect, at.url);
  await until("open", 1);
  at.refusals.push(503, 429);
  at.sessions[0].cut();
  at.sessions[0].send("kept");
  await until("message", 1);
  assert.deepEqual(told.down.map(({ opened }) => opened), [true, false, false]);
  assert.deepEqual(told.open[1], { resumed: true, refused: undefined });
});

test("a token that cannot be had is told with code 0, and asked for again after a wait", async (t) => {
  const { pass } = stopTheClock(t);
  const answers = [
    () => { throw new Error("no network"); },
    () => Promise.reject(new Error("logged out")),
    () => "good",
  ];
  const { client, sockets, socket, all } = start(t, { token: () => answers.shift()() });
  await socket();
  pass(250);
  await socket();
  assert.deepEqual(all("ondown"), [
    { code: 0, reason: "Error: no network", opened: false, retryIn: 250 },
    { code: 0, reason: "Error: logged out", opened: false, retryIn: 500 },
  ]);
  assert.deepEqual([client.state, sockets.length], ["waiting", 0]);
  pass(500);
  assert.deepEqual((await socket()).protocols, ["sporegate", "bearer.good"]);
});

test("reconnect takes the token that there is", async (t) => {
  const mine = purse();
  const { client, socket } = start(t, { token: mine.token });
  (await socket()).opens();
  client.reconnect();
  assert.equal((await socket()).protocols[1], "bearer.token-1");
  assert.equal(mine.asked, 1);
});

test("a token that fails too late is no second failure", async (t) => {
  const { pass } = stopTheClock(t);
  let fail;
  const token = () => new Promise((_, reject) => (fail = reject));
  const { client, socket, all } = start(t, { token });
  pass(10_000);
  fail(new Error("too late"));
  await socket();
  assert.deepEqual(all("ondown").map(({ reason }) => reason), ["timeout"]);
  assert.equal(client.state, "waiting");
});

test("a token that comes too late opens nothing", async (t) => {
  const { pass } = stopTheClock(t);
  const late = [];
  const { client, sockets, socket, last } = start(t, { token: () => new Promise((resolve) => late.push(resolve)) });
  pass(10_000);
  assert.equal(last("ondown").reason, "timeout");
  pass(250);
  late[1]("new");
  await socket();
  late[0]("old");
  await socket();
  assert.deepEqual(sockets.map(({ protocols }) => protocols[1]), ["bearer.new"]);
  sockets[0].ends();
  pass(30_000);
  client.close();
  late[2]("after the end");
  await socket();
  assert.deepEqual([client.state, sockets.length], ["ended", 1]);
});

test("what no socket can be made of is the end, with code 0 and the reason", async (t) => {
  class Picky {
    constructor(url, protocols) {
      throw new SyntaxError(`'${protocols[1]}' is not a subprotocol`);
    }
  }
  const { client, socket, told } = start(t, { WebSocket: Picky, token: () => "a b" });
  await socket();
  assert.deepEqual(told, [["onend", { code: 0, reason: "SyntaxError: 'bearer.a b' is not a subprotocol" }]]);
  assert.equal(client.state, "ended");
});

test("an address that is none, or no class of sockets, is the caller's mistake", () => {
  class Unused {}
  assert.throws(() => connect("not an address", { WebSocket: Unused }), TypeError);
  if (!globalThis.WebSocket) assert.throws(() => connect("ws://gateway.test/"), ReferenceError);
});
