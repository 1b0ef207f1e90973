// What a listener can do, each against the test gateway.

import assert from "node:assert/strict";
import { test } from "node:test";
import { load } from "@sporegate/guest/testing";

const source = new URL("listeners/all.ts", import.meta.url);

async function started() {
  const gateway = await load(source);
  const says = (client, what) => client.says(what, { listener: "all", pathParams: { room: "tea" } });
  const kim = gateway.connect("/rooms/tea", { username: "kim", roles: ["talker"], claims: { sub: "kim" } });
  return { gateway, kim, says, json: async (what, client = kim) => (await says(client, what), JSON.parse(client.takes().at(-1))) };
}

test("start registers listeners as they are described", async () => {
  const { gateway } = await started();
  assert.deepEqual(gateway.listeners.get("all"), { matcher: { path: undefined, content: [], roles: [] }, priority: 3 });
  const { matcher, priority } = gateway.listeners.get("more");
  assert.deepEqual([matcher.path, matcher.roles, priority], ["/rooms/{room}", ["talker"], 0]);
  assert.deepEqual(matcher.content, [
    { tag: "is-text" },
    { tag: "is-binary" },
    { tag: "text-equals", val: "a" },
    { tag: "text-prefix", val: "b" },
    { tag: "text-contains", val: "c" },
    { tag: "text-regex", val: "d+" },
    { tag: "binary-prefix", val: new Uint8Array([7]) },
    { tag: "json", val: { pointer: "/e", test: { tag: "exists" } } },
    { tag: "json", val: { pointer: "/f", test: { tag: "equals", val: '"g"' } } },
    { tag: "json", val: { pointer: "/h", test: { tag: "one-of", val: ["1", '"two"', "null"] } } },
  ]);
  assert.deepEqual(gateway.disconnectListeners.get("gone"), { path: "/rooms/*" });
});

test("a message tells who sent it, and what its path says", async () => {
  const { json, gateway, kim } = await started();
  assert.deepEqual(await json("event"), {
    id: kim.id, path: "/rooms/tea", username: "kim", roles: ["talker"],
    pathParams: { room: "tea" }, sequence: 1, listener: "all", at: "number",
  });
  assert.deepEqual(await json("claims"), { sub: "kim" });
  const nobody = gateway.connect("/x");
  assert.deepEqual([await json("claims", nobody), (await json("event", nobody)).username], ["none", undefined]);
});

test("nothing and stop are stop, proceed is proceed, and anything else is told", async () => {
  const { kim, says } = await started();
  assert.equal(await says(kim, "proceed"), "proceed");
  assert.equal(await says(kim, "bytes"), "stop");
  assert.deepEqual(kim.takes(), [new Uint8Array([1, 2, 255])]);
  await assert.rejects(says(kim, "outcome"), (text) => text.includes('onMessage returned "perhaps"'));
});

test("queries fetch page after page", async () => {
  const { gateway, json, kim } = await started();
  const others = [1, 2, 3, 4].map(() => gateway.connect("/rooms/milk", { username: "kim" }));
  const ids = [kim, ...others].map(({ id }) => id);
  assert.deepEqual(await json("queries"), { base: "/websocket", count: 5, known: kim.id, unknown: "nobody", room: ids, user: ids });
});

test("an audience says to how many, and leaves out whom it shall", async () => {
  const { gateway, json } = await started();
  const lee = gateway.connect("/rooms/milk", { username: "lee" });
  assert.deepEqual(await json("audiences"), [1, 1, 1, 1, 1]);
  assert.deepEqual(lee.takes(), ["others"]);
});

test("after an exception only what was flushed has left, and the text has file and line", async () => {
  const { kim, says } = await started();
  await assert.rejects(says(kim, "flushed"), (text) => {
    assert.match(text, /^Error: afterwards at .*\(.*all\.ts.*:\d+\)/);
    assert.doesNotMatch(text, /\n/);
    return true;
  });
  assert.deepEqual(kim.takes(), ["flushed"]);
  await assert.rejects(says(kim, "text"), (text) => text === "only a text");
});

test("what the gateway refuses has a code and a detail", async () => {
  const { json, kim, says } = await started();
  assert.deepEqual(await json("code"), { code: "invalid-argument", detail: "code: 1001", text: "GatewayError: invalid-argument: code: 1001" });
  await assert.rejects(says(kim, "undefined"), (text) => text.includes("invalid-argument: message: JSON cannot hold undefined"));
  await assert.rejects(says(kim, "number"), (text) => text.includes("a message is a string or a Uint8Array"));
  await assert.rejects(says(kim, new Uint8Array(2)), (text) => text.includes("the message is binary, not JSON text"));
  await says(kim, "close");
  assert.deepEqual(kim.closed, { code: 4900, reason: "enough" });
});

test("listeners are removed, and a name that is none is told", async () => {
  const { gateway, kim, says } = await started();
  await assert.rejects(says(kim, "forget"), (text) => text.startsWith("GatewayError: not-found"));
  assert.deepEqual([[...gateway.listeners.keys()], gateway.disconnectListeners.size], [["all"], 0]);
});

test("who leaves is told of once it has left", async () => {
  const { gateway, kim } = await started();
  const lee = gateway.connect("/rooms/milk");
  await kim.leaves({ code: 1006, reason: "lost" });
  assert.deepEqual(lee.takes(), [JSON.stringify({ left: kim.id, code: 1006, reason: "lost" })]);
  assert.deepEqual(kim.takes(), []);
});
