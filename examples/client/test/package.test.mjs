// The package: its size, its types, and what it needs, which is nothing.

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { connect } from "sporegate-client";
import { clients } from "../../../tests/clients/tap.mjs";
import { MAX_BYTES, minified } from "./size.mjs";

const read = (name) => readFileSync(new URL(`../${name}`, import.meta.url), "utf8");

test("it is at most 3 KiB, minified", (t) => {
  const bytes = Buffer.byteLength(minified());
  t.diagnostic(`${bytes} bytes minified, of ${MAX_BYTES} at most`);
  assert.ok(bytes > 1000 && bytes <= MAX_BYTES, `${bytes} bytes`);
});

test("it needs no other package and no other file", () => {
  const { dependencies, peerDependencies, files } = JSON.parse(read("package.json"));
  assert.deepEqual([dependencies, peerDependencies], [undefined, undefined]);
  assert.deepEqual(files, ["sporegate-client.js", "sporegate-client.d.ts"]);
  assert.doesNotMatch(read("sporegate-client.js"), /\bimport\b|\brequire\b/);
  assert.equal(typeof connect, "function");
});

for (const [file, lib] of [["types.ts", "es2022"], ["types_dom.ts", "es2022,dom"]]) {
  test(`${file} is right to the compiler, and what is wrong in it is refused`, async () => {
    const compiler = createRequire(`${clients}/`).resolve("typescript/package.json");
    const flags = ["--noEmit", "--strict", "--target", "es2022", "--module", "nodenext", "--lib", lib, "--types", ""];
    const tsc = [join(dirname(compiler), "bin/tsc"), ...flags, fileURLToPath(new URL(file, import.meta.url))];
    const said = await promisify(execFile)(process.execPath, tsc).catch((error) => error);
    assert.equal(said.stdout, "", said.stdout);
    assert.ok(!(said instanceof Error), String(said));
  });
}

test("the document shows each option, handler and member that the types have", () => {
  const readme = read("README.md");
  const types = read("sporegate-client.d.ts");
  const members = [...types.matchAll(/^  (?:readonly )?(\w+)\??[:(]/gm)].map(([, name]) => name);
  assert.ok(members.length > 20, `${members}`);
  for (const name of new Set(members)) {
    if (name !== "readyState") assert.match(readme, new RegExp(`\\b${name}\\b`), `${name} is not in README.md`);
  }
});
