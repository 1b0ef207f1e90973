// The engines of JavaScript that a component can carry.

import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { BuildError } from "./error.mjs";
import { addLatePackages, checkSource, late, restore } from "./late.mjs";
import { tool } from "./tools.mjs";

export const ENGINES = ["quickjs", "starlingmonkey"];

/**
 * The component of a bundle, with the world in `wit` of the folder `work`. `late`: it calls `wasi:http`.
 */
export async function componentize(engine, { work, code, fetch, late }) {
  try {
    return await (engine === "quickjs" ? quickjs(work, code, late) : starlingmonkey(work, code, fetch));
  } catch (error) {
    if (error instanceof BuildError) throw error;
    throw new BuildError(`${engine} could not be given the listener: ${error instanceof Error ? error.message : error}`);
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
