// Halves of surrogate pairs, which JavaScript has and UTF-8 has not.

import assert from "node:assert/strict";
import { test } from "node:test";
import { wellFormed } from "../src/text.ts";
import { trace } from "../src/trace.ts";
import { built, played, skip } from "./played.mjs";

test("each half becomes a replacement character, and pairs stay", () => {
  const own = String.prototype.toWellFormed;
  for (const engine of ["that can do it", "that cannot"]) {
    if (engine === "that cannot") delete String.prototype.toWellFormed;
    try {
      assert.equal(wellFormed("a\ud800b\udc00\ud83c\udf88\udc00\ud800"), "a\ufffdb\ufffd\ud83c\udf88\ufffd\ufffd", engine);
      assert.equal(wellFormed(""), "", engine);
    } finally {
      String.prototype.toWellFormed ??= own;
    }
  }
});

test("a long text of an exception is not cut within a pair", () => {
  for (const begin of ["", "a"]) assert.ok(!/[\ud800-\udfff]/u.test(trace(begin + "\ud83c\udf88".repeat(400))));
});

test("no half ends an instance of a gateway, wherever it is given", { skip }, async (t) => {
  await played(t, "halves", await built(t, "halves"));
});
