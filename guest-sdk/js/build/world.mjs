// The world of a component: what the gateway asks of every listener, and what this one imports besides.

import { cp, mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { BuildError } from "./error.mjs";

/** The interface, as it is in the repository. */
const WIT = fileURLToPath(new URL("../../../wit/", import.meta.url));
const GATEWAY = "sporegate:gateway";
const VERSION = "1.0.0";

/** Writes a folder with the world and all that it names; says which of the gateway's worlds it is. */
export async function writeWorld(folder, { imports, stateful }) {
  const name = stateful ? "stateful-listener" : "listener";
  await mkdir(join(folder, "deps", "sporegate"), { recursive: true });
  try {
    await cp(join(WIT, "deps"), join(folder, "deps"), { recursive: true });
    await cp(join(WIT, "sporegate.wit"), join(folder, "deps", "sporegate", "sporegate.wit"));
  } catch (error) {
    throw new BuildError(`the interface is not in ${WIT}: ${error.message}`);
  }
  const more = imports.filter((path) => !path.startsWith(`${GATEWAY}/`));
  const lines = [`include ${GATEWAY}/${name}@${VERSION};`, ...more.map((path) => `import ${path};`)];
  await writeFile(join(folder, "world.wit"), `package local:listener;\n\nworld module {\n  ${lines.join("\n  ")}\n}\n`);
  return [name, ...more].join(" + ");
}
