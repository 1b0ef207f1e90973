// Keys and values: against the test gateway, and, built, in a gateway. What tests/run cannot have is skipped.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { load } from "@sporegate/guest/testing";
import { built, played, skip } from "./played.mjs";

const source = new URL("listeners/keyvalue.ts", import.meta.url);

async function asking(buckets = { default: new Map() }) {
  const client = (await load(source, { buckets })).connect("/keyvalue");
  const asks = async (...what) => (await client.says(JSON.stringify(what)), JSON.parse(client.takes().at(-1)));
  return Object.assign(asks, { client, bucket: buckets.default });
}

const other = (message) => ({ code: "other", message: `bucket default: ${message}` });

test("values are bytes, text and JSON, in the bucket that is granted", async () => {
  const asks = await asking();
  assert.deepEqual([await asks("get", "a"), await asks("getText", "a"), await asks("getJson", "a")], [null, null, null]);
  await asks("set", "a", "\u00fc");
  assert.deepEqual([await asks("get", "a"), await asks("getText", "a")], [[0xc3, 0xbc], "\u00fc"]);
  await asks("setBytes", "a");
  assert.deepEqual([await asks("get", "a"), await asks("getText", "a")], [[0, 255], "\0\ufffd"]);
  await asks("set", "a", "");
  assert.deepEqual([await asks("get", "a"), await asks("getText", "a"), await asks("exists", "a")], [[], "", true]);
  await asks("setJson", "a", "b");
  assert.deepEqual([await asks("getJson", "a"), asks.bucket.size], [{ a: ["b"] }, 1]);
  await asks("delete", "a");
  assert.deepEqual([await asks("exists", "a"), await asks("delete", "a"), asks.bucket.size], [false, null, 0]);
});

test("numbers are added to, and what is none is told", async () => {
  const asks = await asking();
  assert.deepEqual([await asks("increment", "n"), await asks("increment", "n", 41), await asks("getText", "n")], [1, 42, "42"]);
  assert.equal(await asks("increment", "n", 0), 42);
  await asks("set", "n", "-1");
  assert.deepEqual(await asks("increment", "n"), other("the value is not a number in decimal digits below 2^64"));
  await asks("set", "n", "18446744073709551615");
  assert.deepEqual(await asks("increment", "n"), other("the sum is not below 2^64"));
  for (const delta of [-1, 0.5, 2 ** 53, "no"]) {
    await assert.rejects(asks("increment", "n", delta), (text) => text.startsWith("RangeError: delta is "));
  }
});

test("keys come page by page, and may go meanwhile", async () => {
  const asks = await asking();
  assert.deepEqual(await asks("keys"), []);
  await asks("setMany", "a", "b", "c", "d", "e");
  assert.deepEqual(await asks("keys"), ["a", "b", "c", "d", "e"]);
  await asks("deleteMany", "a", "b", "c", "d", "e");
  assert.deepEqual(await asks("clear"), [1500, 0]);
});

test("several keys are read, set and removed at once, all or none of them", async () => {
  const asks = await asking();
  await asks("setMany", "a", "b");
  await asks("setMap", "c");
  assert.deepEqual(await asks("getMany", "a", "no", "c", "a"), [[97], null, [1], [97]]);
  assert.deepEqual(await asks("setMany", "d", ""), other("a key has 1 to 256 bytes (keyvalue.key_size)"));
  assert.equal(await asks("exists", "d"), false);
  await asks("deleteMany", "a", "no", "b");
  assert.deepEqual([await asks("keys"), await asks("tooMany")], [["c"], other("more than 1000 keys at once")]);
});

test("a bucket that is not granted is told, and which", async () => {
  const asks = await asking({ default: new Map(), more: new Map() });
  assert.equal(await asks("open", "more"), "more");
  for (const name of ["no", "toString"]) {
    const message = `bucket ${name}: not among the [keyvalue] buckets of the sidecar`;
    assert.deepEqual(await asks("open", name), { code: "no-such-store", message });
  }
});

test("a bucket outlives the call, and what was written stays if the call fails", async () => {
  const buckets = { default: new Map() };
  const asks = await asking(buckets);
  await assert.rejects(asks("throw", "a", "b"), (text) => text.startsWith("Error: afterwards"));
  assert.equal(await asks("getText", "a"), "b");
  await asks("openOften");
  const next = await asking(buckets);
  assert.equal(await next("getText", "a"), "b");
});

test("keys and values that are none are told before the gateway is asked", async () => {
  const asks = await asking();
  for (const [what, text] of [
    [["set", "\ud800"], 'TypeError: a key has half of a surrogate pair: "\\ud800"'],
    [["getMany", "a", "b\udc00"], 'TypeError: a key has half of a surrogate pair: "b\\udc00"'],
    [["open", "\udc00"], 'TypeError: a bucket\'s name has half of a surrogate pair: "\\udc00"'],
    [["getNumber"], "TypeError: a key is a string, not number"],
    [["setNumber", "a"], "TypeError: a value is a string or a Uint8Array; for others there is setJson"],
    [["setNothing", "a"], "TypeError: the value of a: JSON cannot hold undefined"],
  ]) {
    await assert.rejects(asks(...what), (told) => told.startsWith(text), text);
  }
  await asks("set", "\ud83c\udf88", "whole");
  assert.equal(await asks("getText", "\ud83c\udf88"), "whole");
});

test("as a component it asks for keys and values, and does the same in a gateway", { skip }, async (t) => {
  const component = await built(t, "keyvalue");
  const bytes = readFileSync(component);
  for (const name of ["store", "atomics", "batch"]) assert.ok(bytes.includes(`wasi:keyvalue/${name}@0.2.0-draft`), name);
  await played(t, "keyvalue", component);
});
