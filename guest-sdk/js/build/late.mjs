// A way around a limit of componentize-qjs: while it runs the source once, it has WASI without `wasi:http`, and what it
// puts there instead does not know the streams of the `wasi:io` that it has. So `wasi:http`, and the packages whose types
// it uses, go in under another namespace, of which it has nothing, and get their right one in the finished component.
//
// Invariant: both namespaces have the same length, so nothing else in the component changes. The version is another
// than that of the packages which the engine itself imports, so no import is there twice; the host takes both for one.

import { readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { BuildError } from "./error.mjs";

const NAMESPACE = "wasi:";
const LATE = "wzzi:";
const NAMES = /wasi:(http|io|clocks)((?:\/[a-z-]+)?)@0\.2\.12/g;
const LATE_NAMES = "wzzi:$1$2@0.2.11";

/** Whether a module with these imports needs it. */
export const needsLate = (imports) => imports.some((path) => path.startsWith("wasi:http/"));

/** A name or a text of names, as it goes in. */
export const late = (text) => text.replace(NAMES, LATE_NAMES);

/** Adds the packages under their other names to a folder of WIT. */
export async function addLatePackages(folder) {
  for (const file of await readdir(folder)) {
    if (!file.endsWith(".wit")) continue;
    const text = await readFile(join(folder, file), "utf8");
    if (/^package wasi:(http|io|clocks)@/m.test(text)) await writeFile(join(folder, `late-${file}`), late(text));
  }
}

/** Refuses a source that has the other namespace in it: it would be changed with the rest. */
export function checkSource(code) {
  if (code.includes(LATE)) throw new BuildError(`the text ${LATE} cannot be in a source that calls wasi:http`);
}

/** Gives the packages their right namespace in a component. */
export function restore(component) {
  const bytes = Buffer.from(component);
  for (let at = bytes.indexOf(LATE); at >= 0; at = bytes.indexOf(LATE, at)) bytes.write(NAMESPACE, at);
  return bytes;
}
