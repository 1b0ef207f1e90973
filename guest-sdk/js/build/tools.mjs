// The tools that this package uses: from its own node_modules, or from those that SPOREGATE_JS_TOOLS says.

import { createRequire } from "node:module";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { BuildError } from "./error.mjs";
import { readFileSync } from "node:fs";

const from = process.env.SPOREGATE_JS_TOOLS;
const require = createRequire(from ? join(from, "package.json") : import.meta.url);
const { dependencies, peerDependencies } = JSON.parse(readFileSync(new URL("../package.json", import.meta.url), "utf8"));

/** Loads a tool, or says how to get it. */
export async function tool(name) {
  let file;
  try {
    file = require.resolve(name);
  } catch {
    const version = dependencies[name] ?? peerDependencies[name];
    throw new BuildError(`${name} is missing: npm install --save-dev ${name}@${version}`);
  }
  return import(pathToFileURL(file).href);
}
