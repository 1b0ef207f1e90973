// The tools that this package uses: from its own node_modules, or from those of the folder GUEST_JS_TOOLS.

import { existsSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { BuildError } from "./error.mjs";

const from = process.env.GUEST_JS_TOOLS;
const require = createRequire(from ? join(from, "package.json") : import.meta.url);
const read = (file) => JSON.parse(readFileSync(file, "utf8"));

/** Where a tool is installed, or how to get it. */
export function folder(name) {
  const found = require.resolve.paths(name)?.map((path) => join(path, name)).find((path) => existsSync(join(path, "package.json")));
  if (found) return found;
  const { dependencies, devDependencies, peerDependencies } = read(new URL("../package.json", import.meta.url));
  const version = { ...peerDependencies, ...devDependencies, ...dependencies }[name];
  const mend = dependencies[name] ? `npm ci in ${fileURLToPath(new URL("..", import.meta.url))}` : `npm install --save-dev ${name}@${version}`;
  throw new BuildError(`${name} is missing: ${mend}`);
}

/** Loads a tool. Of its `exports` only the main one is looked at: `require.resolve` does not see those for `import`. */
export async function tool(name) {
  const path = folder(name);
  const { exports, main = "index.js" } = read(join(path, "package.json"));
  const entry = [exports?.["."]?.import, exports?.import, exports?.["."], exports, main].find((one) => typeof one === "string");
  return import(pathToFileURL(join(path, entry)).href);
}
