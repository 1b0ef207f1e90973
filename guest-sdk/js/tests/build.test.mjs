// The command: what it makes of the examples, and what it says of sources that are wrong. Without tools, and without
// the components that tests/run has had made, nothing here runs.

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

const command = fileURLToPath(new URL("../bin/sporegate-js.mjs", import.meta.url));
const { EXAMPLES: examples } = process.env;
const skip = !examples && "EXAMPLES is not set: tests/run sets it";

async function build(t, name, source) {
  const folder = mkdtempSync(join(tmpdir(), "sporegate-js-test-"));
  t.after(() => rmSync(folder, { recursive: true }));
  writeFileSync(join(folder, name), source);
  const run = promisify(execFile)(process.execPath, [command, "build", name, "-o", "out.wasm"], { cwd: folder });
  const { code = 0, stderr } = await run.catch((error) => error);
  return { code, stderr, made: existsSync(join(folder, "out.wasm")) };
}

/** Whether a component says this name; its imports and exports are in it as they are written. */
const names = (example, name) => readFileSync(join(examples, `${example}.wasm`)).includes(name);

test("a component asks for what its source imports, and for no more", { skip }, () => {
  for (const example of ["echo", "chat", "counter", "enrich"]) {
    assert.equal(names(example, "wasi:http/outgoing-handler@"), example === "enrich", example);
    assert.equal(names(example, "wasi:config/store@"), example === "enrich", example);
    assert.equal(names(example, "sporegate:gateway/state-handover@1.0.0"), example === "counter", example);
    assert.ok(!names(example, "wasi:keyvalue/") && !names(example, "wzzi:"), example);
  }
  assert.ok(existsSync(join(examples, "enrich.toml")));
});

for (const [what, name, source, said] of [
  ["no default export", "a.ts", "export const a = 1;", /a\.ts has no default export: export default listener/],
  ["a listener that is none", "a.js", "export default {};", /the source throws while it is loaded: .*no function start/],
  ["a syntax error", "a.ts", "export default {", /a\.ts:1:16|Unexpected end of file/],
  ["a module that is not there", "a.js", 'import "nowhere"; export default {};', /Could not resolve "nowhere"/],
  ["a part that is not there", "a.js", 'import "@sporegate/guest/no"; export default {};', /@sporegate\/guest\/no is no part of/],
  [
    "an exception at load",
    "a.ts",
    'function f(x: any) {\n  return x.b.c;\n}\nf({});\nexport default { start() {}, onMessage() {} };',
    /throws while it is loaded: .*\n\s+at f \(a\.ts:2\)/,
  ],
  [
    "a call of the gateway at load",
    "a.js",
    'import { clientCount } from "@sporegate/guest";\nclientCount();\nexport default { start() {}, onMessage() {} };',
    /calls sporegate:gateway\/clients@1\.0\.0#get-client-count while it is loaded/,
  ],
]) {
  test(`${what} is told, and nothing is made`, { skip }, async (t) => {
    const { code, stderr, made } = await build(t, name, source);
    assert.deepEqual([code, made], [1, false], stderr);
    assert.match(stderr, said);
  });
}
