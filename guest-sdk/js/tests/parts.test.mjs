// The parts that need no gateway: UTF-8, the console, stacks, dice, maps of lines.

import assert from "node:assert/strict";
import { test } from "node:test";
import { lineMap, original } from "../build/lines.mjs";
import { late, needsLate, restore } from "../build/late.mjs";
import { consoleTo } from "../src/console.ts";
import { generator } from "../src/random.ts";
import { mapLines, trace } from "../src/trace.ts";
import * as own from "../src/utf8.ts";

/** Bytes that are often nearly UTF-8. */
function sample(random) {
  const pieces = [[0x41], [0xc3, 0xa4], [0xe2, 0x82, 0xac], [0xf0, 0x9f, 0x8e, 0x88], [0xef, 0xbb, 0xbf], [0xed, 0xa0, 0x80]];
  const bytes = Array.from({ length: 6 }, () => pieces[Math.floor(random() * pieces.length)].filter(() => random() < 0.8));
  return new Uint8Array([...bytes.flat(), ...(random() < 0.3 ? [Math.floor(random() * 256)] : [])]);
}

test("bytes are decoded as Node does it, in one piece and in two, and encoded again", () => {
  const random = generator(1, 2);
  for (let i = 0; i < 20_000; i++) {
    const bytes = sample(random);
    const ignoreBOM = random() < 0.5;
    const text = new TextDecoder("utf-8", { ignoreBOM }).decode(bytes);
    assert.equal(new own.TextDecoder("utf-8", { ignoreBOM }).decode(bytes), text, `${bytes}`);
    const at = Math.floor(random() * bytes.length);
    const decoder = new own.TextDecoder("utf-8", { ignoreBOM });
    const parts = decoder.decode(bytes.subarray(0, at), { stream: true }) + decoder.decode(bytes.subarray(at));
    assert.equal(parts, text, `${bytes} at ${at}`);
    assert.deepEqual(new own.TextEncoder().encode(text), new TextEncoder().encode(text));
  }
  assert.deepEqual(new own.TextEncoder().encode("a\ud800b\udc00"), new TextEncoder().encode("a\ud800b\udc00"));
});

test("a fatal decoder throws exactly where Node's does, and can be used again", () => {
  const random = generator(3, 4);
  const decoder = new own.TextDecoder("utf-8", { fatal: true });
  const node = new TextDecoder("utf-8", { fatal: true });
  const attempt = (one, bytes) => {
    try {
      return one.decode(bytes);
    } catch (error) {
      return error.constructor;
    }
  };
  for (let i = 0; i < 5_000; i++) {
    const bytes = sample(random);
    assert.equal(attempt(decoder, bytes), attempt(node, bytes), `${bytes}`);
  }
  assert.throws(() => new own.TextDecoder("latin1"), RangeError);
});

test("dice of two seeds differ, and are spread evenly", () => {
  const [one, two] = [generator(1, 2), generator(1, 3)];
  assert.notEqual(one(), two());
  const counts = new Array(10).fill(0);
  for (let i = 0; i < 100_000; i++) {
    const value = one();
    assert.ok(value >= 0 && value < 1);
    counts[Math.floor(value * 10)] += 1;
  }
  for (const count of counts) assert.ok(Math.abs(count - 10_000) < 500, `${counts}`);
});

test("the console writes a line to one of two streams, in pieces that fit", () => {
  const [out, err] = [[], []];
  const console = consoleTo((bytes) => out.push(bytes), (bytes) => err.push(bytes));
  console.log("a", 1, { b: 2n }, null, undefined, new TypeError("c"));
  console.error("x".repeat(5000));
  assert.equal(Buffer.concat(out).toString(), 'a 1 {"b":"2"} null undefined TypeError: c\n');
  assert.deepEqual([Buffer.concat(err).length, err.length], [5001, 2]);
  const circle = {};
  circle.self = circle;
  console.info(circle);
  assert.equal(out.at(-1).length, "[object Object]\n".length);
});

test("stacks of all engines become frames of the sources, in one line", () => {
  mapLines({ sources: ["sporegate:event.ts", "lib/deep.ts", "room.ts"], lines: [[1, 0, 1], [10, 1, 3], [20, 2, 7]] });
  const thrown = (stack) => Object.assign(new TypeError("no"), { stack });
  try {
    const quickjs = "    at inner (/listener.js:11:5)\n    at reply (/listener.js:3:1)\n    at onMessage (/listener.js:22:9)\n";
    const monkey = "inner@listener.js:11:5\nreply@listener.js:3:1\nonMessage@listener.js:22:9\n";
    for (const stack of [quickjs, monkey]) {
      assert.equal(trace(thrown(stack)), "TypeError: no at inner (lib/deep.ts:4) at onMessage (room.ts:9)");
    }
    const deep = "    at f (/listener.js:20:1)\n".repeat(20);
    assert.equal(trace(thrown(deep)), `TypeError: no${" at f (room.ts:7)".repeat(8)} and 12 more`);
  } finally {
    mapLines(undefined);
  }
});

test("whatever is thrown has a text of limited length", () => {
  for (const [value, text] of [["t", "t"], [undefined, "undefined"], [{ code: 7 }, '{"code":7}'], [7n, "an exception that cannot be shown"]]) {
    assert.equal(trace(value), text);
  }
  const inner = Object.assign(new Error("inner"), { stack: "    at deep (/listener.js:1:1)\n" });
  const error = Object.assign(new Error("outer", { cause: inner }), { stack: "    at shallow (/listener.js:2:1)\n" });
  assert.equal(trace(error), "Error: outer at shallow (/listener.js:2); caused by Error: inner at deep (/listener.js:1)");
  assert.equal(trace(Object.assign(new Error("outer", { cause: "none" }), { stack: "" })), "Error: outer; caused by none");
  assert.ok(trace(Object.assign(new Error("x".repeat(10_000)), { stack: "" })).length < 600);
});

test("a source map becomes runs of lines", () => {
  // Lines 1 and 2 are lines 1 and 2 of a; line 3 is from nowhere; line 4 is line 1 of b.
  const map = lineMap({ mappings: "AAAA;AACA;;ACDA", sources: ["a", "b"] }, (path) => `./${path}`);
  assert.deepEqual(map, { sources: ["./a", "./b"], lines: [[1, 0, 1], [4, 1, 1]] });
  assert.deepEqual([original(map, 2), original(map, 4), original(map, 0)], [{ file: "./a", line: 2 }, { file: "./b", line: 1 }, undefined]);
});

test("names of wasi:http go into a component under another namespace, and come out under their own", () => {
  assert.deepEqual([needsLate(["wasi:config/store@1"]), needsLate(["wasi:http/types@0.2.12"])], [false, true]);
  assert.equal(late("import wasi:http/types@0.2.12; import wasi:cli/stdout@0.2.12;"), "import wzzi:http/types@0.2.11; import wasi:cli/stdout@0.2.12;");
  assert.equal(restore(Buffer.from("\0wzzi:io/poll@0.2.11\0wzzi:")).toString(), "\0wasi:io/poll@0.2.11\0wasi:");
});
