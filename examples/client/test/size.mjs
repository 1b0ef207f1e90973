// How large the client is, minified by esbuild and not compressed. `npm run size` prints it.

import { readFileSync } from "node:fs";
import { pathToFileURL } from "node:url";
import { installed } from "../../../tests/clients/tap.mjs";

/** The most that it may be. */
export const MAX_BYTES = 3072;

export function minified() {
  const source = readFileSync(new URL("../sporegate-client.js", import.meta.url), "utf8");
  return installed("esbuild").transformSync(source, { minify: true, format: "esm" }).code;
}

if (import.meta.url === pathToFileURL(process.argv[1]).href) {
  console.log(`${Buffer.byteLength(minified())} bytes minified, of ${MAX_BYTES} at most`);
}
