// Listeners that are built, and played in a gateway with the conversation beside them. Without one that is skipped.

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { copyFileSync, existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

const run = promisify(execFile);
const path = (name) => fileURLToPath(new URL(name, import.meta.url));
const { EXAMPLES: examples, SPOREGATE: gateway } = process.env;

/** Why nothing can be built here, if that is so. */
export const skip = !examples && "EXAMPLES is not set: tests/run sets it";

/** Builds `listeners/NAME.ts`; returns the component's path, which lasts as long as the test. */
export async function built(t, name) {
  const folder = mkdtempSync(join(tmpdir(), "sporegate-js-test-"));
  t.after(() => rmSync(folder, { recursive: true }));
  const component = join(folder, `${name}.wasm`);
  await run(process.execPath, [path("../bin/sporegate-js.mjs"), "build", path(`listeners/${name}.ts`), "-o", component]);
  const sidecar = path(`listeners/${name}.toml`);
  if (existsSync(sidecar)) copyFileSync(sidecar, join(folder, `${name}.toml`));
  return component;
}

/** Plays `listeners/NAME.conversation.toml` with it. */
export const played = (t, name, component) =>
  t.test("played there", { skip: !gateway && "there is no gateway: SPOREGATE is where one is" }, async () => {
    const playing = run(gateway, ["test", component, path(`listeners/${name}.conversation.toml`)]);
    const { code = 0, stdout } = await playing.catch((error) => error);
    assert.equal(code, 0, stdout);
  });
