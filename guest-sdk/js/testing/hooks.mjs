// How Node loads sources of listeners: TypeScript by esbuild, this package from its folder, and what a component would
// import from the modules beside this one.

import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { ENTRIES } from "../build/bundle.mjs";
import { tool } from "../build/tools.mjs";

const SDK = new URL("../src/", import.meta.url).href;
/** What stands for each interface: the test gateway, configuration, HTTP, keys and values. */
const IMPORTS = [
  [/^sporegate:gateway\/clients@/, "./imports/clients.mjs"],
  [/^sporegate:gateway\/listeners@/, "./imports/listeners.mjs"],
  [/^wasi:config\/store@/, "./imports/config.mjs"],
  [/^wasi:http\//, "./imports/http.mjs"],
  [/^wasi:keyvalue\//, "./imports/keyvalue.mjs"],
];

export async function resolve(specifier, context, next) {
  const [, stand] = IMPORTS.find(([pattern]) => pattern.test(specifier)) ?? [];
  if (stand) return { url: new URL(stand, import.meta.url).href, shortCircuit: true };
  if (/^(sporegate|wasi):/.test(specifier)) throw new Error(`the test gateway has no ${specifier}`);
  if (ENTRIES[specifier]) return next(`file://${ENTRIES[specifier]}`, context);
  // TypeScript names its own files by what would become of them.
  const written = context.parentURL?.startsWith(SDK) && specifier.startsWith(".") ? specifier.replace(/\.js$/, ".ts") : specifier;
  return next(written, context);
}

export async function load(url, context, next) {
  const { protocol, pathname } = new URL(url);
  const isListener = protocol === "file:" && (pathname.endsWith(".ts") || url.includes("?listener"));
  if (!isListener) return next(url, context);
  const { transform } = await tool("esbuild");
  const file = fileURLToPath(url.split("?")[0]);
  const loader = pathname.endsWith(".ts") ? "ts" : "js";
  const { code } = await transform(await readFile(file, "utf8"), { loader, sourcefile: file, sourcemap: "inline", target: "es2022" });
  return { format: "module", source: code, shortCircuit: true };
}
