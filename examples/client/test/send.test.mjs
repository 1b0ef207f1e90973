// What is sent while there is no connection: nothing, or as many messages as the application said.

import assert from "node:assert/strict";
import { test } from "node:test";
import { connect } from "../sporegate-client.js";
import { start, stopTheClock } from "./fake_socket.mjs";
import { follow, gateway } from "./mock_gateway.mjs";

test("text and bytes are sent as they are", async (t) => {
  const at = await gateway(t);
  const { client, until } = follow(t, connect, at.url);
  await until("open", 1);
  assert.equal(client.send("text"), true);
  assert.equal(client.send(new Uint8Array([1, 2])), true);
  assert.equal(client.send(new Uint8Array([3]).buffer), true);
  const heard = await at.sessions[0].hears(3);
  assert.deepEqual(heard, ["text", Buffer.from([1, 2]), Buffer.from([3])]);
});

test("without a buffer nothing is kept, and send says so", async (t) => {
  const { client, sockets, socket } = start(t);
  assert.equal(client.send("connecting"), false);
  (await socket()).opens();
  assert.equal(client.send("open"), true);
  sockets[0].readyState = 2;
  assert.equal(client.send("closing"), false);
  sockets[0].ends();
  assert.equal(client.send("waiting"), false);
  client.close();
  assert.equal(client.send("ended"), false);
  assert.deepEqual([sockets[0].sent, client.queue], [["open"], []]);
});

test("a buffer keeps as many messages as it may, and refuses the rest", async (t) => {
  const { pass } = stopTheClock(t);
  const { client, sockets, socket } = start(t, { buffer: 3 });
  const sent = (...messages) => messages.map((message) => client.send(message));
  assert.deepEqual(sent("1", "2", "3", "4"), [true, true, true, false]);
  (await socket()).opens();
  assert.deepEqual([sockets[0].sent, client.queue], [["1", "2", "3"], []]);
  sockets[0].ends();
  assert.deepEqual(sent("5", "6"), [true, true]);
  pass(250);
  const second = await socket();
  second.readyState = 1;
  second.onopen({});
  assert.deepEqual(sent("7", "8"), [true, false], "not before the greeting");
  assert.deepEqual(second.sent, []);
  second.opens({ resumed: true });
  assert.deepEqual(sent("9"), [true]);
  assert.deepEqual(second.sent, ["5", "6", "7", "9"]);
});

test("what onopen sends goes first, and it may empty the queue", async (t) => {
  const { pass } = stopTheClock(t);
  const run = start(t, { buffer: 9, onopen({ resumed }) {
    if (resumed) return;
    run.client.send("hello");
    if (run.sockets.length > 1) run.client.queue.length = 0;
  } });
  run.client.send("early");
  const first = await run.socket();
  first.opens();
  assert.deepEqual(first.sent, ["hello", "early"]);
  first.ends();
  run.client.send("for the old session");
  pass(250);
  const second = await run.socket();
  second.opens({ refused: "expired" });
  assert.deepEqual(second.sent, ["hello"]);
});

test("a queue that breaks off in the middle goes on with the next socket", async (t) => {
  const { pass } = stopTheClock(t);
  const { client, socket } = start(t, { buffer: 3 });
  ["1", "2", "3"].forEach((message) => client.send(message));
  const first = await socket();
  first.send = function send(message) {
    this.sent.push(message);
    if (message === "2") this.readyState = 2;
  };
  first.opens();
  assert.deepEqual([first.sent, client.queue], [["1", "2"], ["3"]]);
  first.ends();
  pass(250);
  const second = await socket();
  second.opens({ resumed: true });
  assert.deepEqual(second.sent, ["3"]);
});

test("what was kept is still there after the end, and goes nowhere", async (t) => {
  const { client, sockets, socket } = start(t, { buffer: 3 });
  client.send("kept");
  await socket();
  client.close();
  sockets[0].opens();
  assert.deepEqual([sockets[0].sent, client.queue], [[], ["kept"]]);
  assert.equal(client.send("no"), false);
});
