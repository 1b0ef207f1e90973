// What each close code does, how long waits are, and when an attempt or a line is given up.

import assert from "node:assert/strict";
import { test } from "node:test";
import { start, stopTheClock } from "./fake_socket.mjs";

/** The dice never quite show 1. */
const ALMOST_ONE = 1 - 2 ** -53;

const range = (from, to) => Array.from({ length: to - from + 1 }, (_, n) => from + n);

/** Opens a connection and has it closed with this code. */
async function closed(t, code) {
  const run = start(t);
  (await run.socket()).opens();
  run.sockets[0].ends(code, "so be it");
  return run;
}

test("codes that say stop are the end: 1000, faults of this side, 40xx, and those of listeners", async (t) => {
  const { pass } = stopTheClock(t);
  for (const code of [1000, 1002, 1003, 1007, 1008, 1009, ...range(4000, 4099), ...range(4900, 4999)]) {
    const { client, sockets, socket, told } = await closed(t, code);
    pass(3_600_000);
    await socket();
    assert.deepEqual(told.slice(1), [["onend", { code, reason: "so be it" }]]);
    assert.deepEqual([client.state, sockets.length], ["ended", 1], `${code}`);
  }
});

for (const [what, bound, codes] of [
  ["at once", 250, [...range(4200, 4299), 4401]],
  ["soon", 500, [1005, 1006, 1011, 1015, 3000, 4300, 4500]],
  ["later", 4000, [1001, 1012, 1013, ...range(4100, 4199)]],
]) {
  test(`after ${codes[0]} and the like it comes back ${what}: within ${bound} ms, evenly spread`, async (t) => {
    const { dice, pass } = stopTheClock(t);
    for (const code of codes) {
      for (const share of [0, 0.5, ALMOST_ONE]) {
        dice.share = share;
        const { client, sockets, socket, last } = await closed(t, code);
        const retryIn = share * bound;
        assert.deepEqual(last("ondown"), { code, reason: "so be it", opened: true, retryIn });
        assert.ok(retryIn < bound);
        assert.equal(client.state, "waiting");
        const whole = Math.max(1, Math.ceil(retryIn));
        pass(whole - 1);
        assert.equal((await socket(), sockets.length), 1, `${code}: too early`);
        pass(1);
        assert.equal((await socket(), sockets.length), 2, `${code}: too late`);
        client.close();
      }
    }
  });
}

test("waits that fail double their bound, up to the greatest", async (t) => {
  const { dice, pass } = stopTheClock(t);
  dice.share = ALMOST_ONE;
  const { socket, last } = start(t, { minDelay: 100, maxDelay: 5000 });
  const bounds = [];
  for (let n = 0; n < 8; n += 1) {
    (await socket()).ends();
    assert.equal(last("ondown").opened, false);
    bounds.push(Math.ceil(last("ondown").retryIn));
    pass(5000);
  }
  assert.deepEqual(bounds, [200, 400, 800, 1600, 3200, 5000, 5000, 5000]);
});

test("a connection that is closed as soon as it opens waits longer each time, whatever the code", async (t) => {
  const { dice, pass } = stopTheClock(t);
  dice.share = ALMOST_ONE;
  for (const [code, expected] of [[4201, [250, 500, 1000]], [4401, [250, 500, 1000]], [4101, [4000, 8000, 16_000]]]) {
    const { client, socket, last } = start(t);
    const bounds = [];
    for (let n = 0; n < 3; n += 1) {
      (await socket()).opens();
      (await socket()).ends(code);
      bounds.push(Math.ceil(last("ondown").retryIn));
      pass(30_000);
    }
    assert.deepEqual(bounds, expected);
    client.close();
  }
});

test("a connection that lived longer than the next wait begins anew", async (t) => {
  const { dice, pass } = stopTheClock(t);
  dice.share = ALMOST_ONE;
  const { socket, last } = start(t);
  const bound = () => Math.ceil(last("ondown").retryIn);
  for (let n = 0; n < 4; n += 1) {
    (await socket()).ends();
    pass(30_000);
  }
  assert.equal(bound(), 4000);
  (await socket()).opens();
  pass(8000);
  (await socket()).ends();
  assert.equal(bound(), 8000);
  pass(8000);
  (await socket()).opens();
  pass(16_001);
  (await socket()).ends();
  assert.equal(bound(), 500);
});

test("an attempt that does not open in time is given up, and its socket is not listened to", async (t) => {
  const { pass } = stopTheClock(t);
  const { client, sockets, socket, told } = start(t, { timeout: 3000 });
  const first = await socket();
  pass(3000);
  const retryIn = 250;
  assert.deepEqual(told, [["ondown", { code: 1006, reason: "timeout", opened: false, retryIn }]]);
  assert.deepEqual(first.closes, [undefined]);
  first.opens();
  first.says("late");
  first.ends(4003);
  assert.equal(client.state, "waiting");
  pass(250);
  (await socket()).opens();
  pass(3_600_000);
  assert.deepEqual([client.state, client.received, sockets.length], ["open", 0, 2]);
});

test("an attempt that only tells of an error has failed, as in Node 22; others tell their code", async (t) => {
  const { pass } = stopTheClock(t);
  const { socket, all } = start(t);
  (await socket()).onerror({});
  pass(500);
  const second = await socket();
  second.opens();
  second.onerror({});
  second.ends(1009, "too big");
  assert.deepEqual(all("ondown"), [{ code: 1006, reason: "", opened: false, retryIn: 250 }]);
  assert.deepEqual(all("onend"), [{ code: 1009, reason: "too big" }]);
});

test("silence is endured for ever, or for as long as is said; a keep-alive breaks it", async (t) => {
  const { pass } = stopTheClock(t);
  const { client, sockets, socket, last } = start(t, { silence: 45_000 });
  (await socket()).opens();
  for (const message of ['"keepalive"', "text", new ArrayBuffer(1)]) {
    pass(44_999);
    sockets[0].says(message);
  }
  assert.equal(client.state, "open");
  pass(45_000);
  assert.deepEqual(last("ondown"), { code: 1006, reason: "timeout", opened: true, retryIn: 250 });
  assert.deepEqual(sockets[0].closes, [undefined]);
  sockets[0].says("late");
  assert.equal(client.received, 2);
  pass(250);
  const resumed = new URL((await socket()).url).searchParams;
  assert.equal(resumed.get("received"), "2");
});

test("close while it waits ends it, at once and once", async (t) => {
  const { pass } = stopTheClock(t);
  const { client, sockets, socket, told } = await closed(t, 1006);
  client.close();
  client.close();
  assert.equal(client.state, "ended");
  pass(3_600_000);
  await socket();
  assert.deepEqual(told.slice(2), [["onend", { code: 1000, reason: "" }]]);
  assert.equal(sockets.length, 1);
});

test("close while it connects gives the socket up", async (t) => {
  const { client, sockets, socket, told } = start(t);
  await socket();
  client.close();
  assert.deepEqual(sockets[0].closes, [1000]);
  sockets[0].opens();
  sockets[0].ends(1000);
  await socket();
  assert.deepEqual(told, [["onend", { code: 1000, reason: "" }]]);
  assert.equal(sockets.length, 1);
});

for (const handler of ["onopen", "onmessage", "ondown"]) {
  test(`close in ${handler} is the last that happens`, async (t) => {
    const { pass } = stopTheClock(t);
    const run = start(t, { [handler]: () => run.client.close() });
    const socket = await run.socket();
    socket.opens();
    socket.says("one");
    socket.says("two");
    socket.ends(1001);
    pass(3_600_000);
    await run.socket();
    const before = { onopen: ["onopen"], onmessage: ["onopen", "onmessage"] };
    const all = before[handler] ?? ["onopen", "onmessage", "onmessage", "ondown"];
    assert.deepEqual(run.told.map(([name]) => name), [...all, "onend"]);
    assert.equal(run.sockets.length, 1);
  });
}

test("reconnect does not wait, and takes the place of an attempt that does", async (t) => {
  const { pass } = stopTheClock(t);
  const { client, sockets, socket } = await closed(t, 1001);
  client.reconnect();
  await socket();
  assert.deepEqual([client.state, sockets.length], ["connecting", 2]);
  client.reconnect();
  await socket();
  assert.deepEqual([sockets[1].closes, sockets.length], [[undefined], 3]);
  sockets[1].opens({ resumed: true });
  sockets[1].ends(4009);
  sockets[2].opens({ resumed: true });
  pass(3_600_000);
  await socket();
  assert.deepEqual([client.state, sockets.length], ["open", 3]);
});

test("a socket that is lost before its greeting leaves id and count as they were", async (t) => {
  const { pass } = stopTheClock(t);
  const { sockets, socket } = await closed(t, 1006);
  pass(500);
  const second = await socket();
  second.readyState = 1;
  second.onopen({});
  second.ends();
  pass(1000);
  assert.equal((await socket()).url, second.url);
  assert.match(second.url, /\?clientId=0123456789abcdef0123456789abcdef&received=0$/);
  assert.equal(sockets.length, 3);
});

test("reconnect in onmessage counts the message that it is in", async (t) => {
  const run = start(t, { onmessage: () => run.client.reconnect() });
  const first = await run.socket();
  first.opens();
  first.says("one");
  first.says("of the old socket");
  assert.equal(new URL((await run.socket()).url).searchParams.get("received"), "1");
  assert.deepEqual(run.all("onmessage"), ["one"]);
});

test("close in onopen keeps back a first message that is no greeting", async (t) => {
  const run = start(t, { onopen: () => run.client.close() });
  const first = await run.socket();
  first.readyState = 1;
  first.onopen({});
  first.says("no greeting");
  assert.deepEqual(run.told.map(([name]) => name), ["onopen", "onend"]);
});

test("an address may be one of HTTP, as pages have it", async (t) => {
  for (const [given, asked] of [
    ["https://gateway.test/websocket/echo#here", "wss://gateway.test/websocket/echo"],
    ["http://gateway.test:8080/", "ws://gateway.test:8080/"],
    [new URL("wss://gateway.test/websocket?a=b"), "wss://gateway.test/websocket?a=b"],
  ]) {
    assert.equal((await start(t, {}, given).socket()).url, asked);
  }
});
