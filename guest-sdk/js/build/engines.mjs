// The engines of JavaScript that a component can carry.

import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { BuildError } from "./error.mjs";
import { original } from "./lines.mjs";
import { addLatePackages, checkSource, late, restore } from "./late.mjs";
import { tool } from "./tools.mjs";

export const ENGINES = ["quickjs", "starlingmonkey"];

/**
 * The component of a bundle, with the world in `wit` of the folder `work`. `late`: it calls `wasi:http`.
 */
export async function componentize(engine, { work, code, map, fetch, late }) {
  try {
    return await (engine === "quickjs" ? quickjs(work, code, late) : starlingmonkey(work, code, fetch));
  } catch (error) {
    if (error instanceof BuildError) throw error;
    throw new BuildError(explain(engine, error instanceof Error ? error.message : String(error), map));
  }
}

async function quickjs(work, code, isLate) {
  const { default: { componentize } } = await tool("componentize-qjs");
  const [witPath, jsPath] = [join(work, "wit"), join(work, "listener.js")];
  if (isLate) {
    checkSource(code);
    const world = join(witPath, "world.wit");
    await writeFile(world, late(await readFile(world, "utf8")));
    await addLatePackages(join(witPath, "deps"));
  }
  const jsSource = isLate ? late(code) : code;
  await writeFile(jsPath, jsSource);
  // Sync: the gateway has no component-model async.
  const { component } = await componentize({ witPath, world: "module", jsSource, jsPath, moduleRoot: work, sync: true });
  return isLate ? restore(component) : component;
}

async function starlingmonkey(work, code, fetch) {
  const { componentize } = await tool("@bytecodealliance/componentize-js");
  const sourcePath = join(work, "listener.js");
  await writeFile(sourcePath, code);
  const disableFeatures = fetch ? ["fetch-event"] : ["http", "fetch-event"];
  const { component } = await componentize({ sourcePath, witPath: join(work, "wit"), worldName: "module", disableFeatures });
  return component;
}

/** What went wrong while the source was run once, in lines of the sources. */
function explain(engine, text, map) {
  const early = /unknown import: `([^`]*)` has not been defined/.exec(text);
  if (early) return `the source calls ${early[1]} while it is loaded; the gateway is there from start() on`;
  const thrown = /Failed to evaluate user JavaScript module: (?:Failed to finish JavaScript module evaluation: )?([^]*)/.exec(text);
  if (!thrown) return `${engine} could not be given the listener: ${text}`;
  const told = thrown[1].trimEnd().replace(/\/?listener\.js:(\d+):\d+/g, (_, line) => {
    const { file, line: own } = original(map, Number(line)) ?? { file: "listener.js", line };
    return `${file}:${own}`;
  });
  return `the source throws while it is loaded: ${told}`;
}
