// From a source to a component: bundle, world, engine.

import { mkdtemp, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { bundle } from "./bundle.mjs";
import { componentize } from "./engines.mjs";
import { needsLate } from "./late.mjs";
import { writeWorld } from "./world.mjs";

export { BuildError } from "./error.mjs";
export { ENGINES } from "./engines.mjs";

/** Makes the component, and says how large it is and which world it has. */
export async function build({ source, out, engine, fetch = false, bundle: keep }) {
  const { code, map, imports, stateful } = await bundle(source, engine);
  if (keep) await writeFile(keep, code);
  const work = await mkdtemp(join(tmpdir(), "sporegate-js-"));
  try {
    const world = await writeWorld(join(work, "wit"), { imports, stateful });
    const component = await componentize(engine, { work, code, map, fetch, late: needsLate(imports) });
    await writeFile(out, component);
    return { bytes: (await stat(out)).size, world };
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}
