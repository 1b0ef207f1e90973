// One module of JavaScript from a source, this package, and whatever else it imports.

import { basename, dirname, relative, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { BuildError } from "./error.mjs";
import { lineMap } from "./lines.mjs";
import { tool } from "./tools.mjs";

const SDK = fileURLToPath(new URL("../src/", import.meta.url));
const HOST = /^(sporegate|wasi):/;
/** Stands in the bundle where the map of its lines goes, which is known only afterwards. */
const LINES = "__SPOREGATE_LINES__";

/** The names by which sources import this package, and where they lead, wherever it is installed. */
export const ENTRIES = {
  "@sporegate/guest": `${SDK}index.ts`,
  "@sporegate/guest/config": `${SDK}config.ts`,
  "@sporegate/guest/http": `${SDK}http.ts`,
  "@sporegate/guest/keyvalue": `${SDK}keyvalue.ts`,
};

/** The bundle, where its lines are from, what it imports of the host, and whether it exports `state`. */
export async function bundle(source, engine) {
  const esbuild = await tool("esbuild");
  const file = resolve(source);
  const names = await exported(esbuild, file);
  if (!names.includes("default")) {
    throw new BuildError(`${source} has no default export: export default listener({ start() {…}, onMessage(event) {…} })`);
  }
  const stateful = names.includes("state");
  const result = await run(esbuild, {
    stdin: { contents: entry(file, engine, stateful), resolveDir: dirname(file), sourcefile: "sporegate:entry.js", loader: "js" },
    sourcemap: "external",
    sourcesContent: false,
    outfile: "listener.js",
  });
  const text = (name) => result.outputFiles.find(({ path }) => path.endsWith(name)).text;
  const map = lineMap(JSON.parse(text(".map")), (path) => shown(path, file));
  const code = text(".js").replace(LINES, () => JSON.stringify(map));
  const [{ imports }] = Object.values(result.metafile.outputs).filter(({ entryPoint }) => entryPoint);
  const host = imports.filter(({ external }) => external).map(({ path }) => path);
  return { code, map, imports: [...new Set(host)].sort(), stateful };
}

async function exported(esbuild, file) {
  const { metafile } = await run(esbuild, { entryPoints: [file] });
  return Object.values(metafile.outputs)[0].exports;
}

function entry(file, engine, stateful) {
  const from = (path) => JSON.stringify(path);
  return [
    `import { engine } from ${from(`${SDK}${engine}.ts`)};`,
    `import { listenerExports, stateExports } from ${from(`${SDK}exports.ts`)};`,
    `import { mapLines } from ${from(`${SDK}trace.ts`)};`,
    `import listener${stateful ? ", { state }" : ""} from ${from(file)};`,
    `mapLines(${LINES});`,
    `export const { lifecycle, messageHandler, disconnectHandler } = listenerExports(listener, engine);`,
    ...(stateful ? [`export const stateHandover = stateExports(state, engine);`] : []),
  ].join("\n");
}

async function run(esbuild, options) {
  try {
    return await esbuild.build({
      bundle: true,
      format: "esm",
      platform: "neutral",
      mainFields: ["module", "main"],
      target: "es2022",
      charset: "utf8",
      keepNames: false,
      metafile: true,
      write: false,
      outdir: options.outfile ? undefined : "out",
      logLevel: "silent",
      plugins: [{ name: "sporegate", setup }],
      ...options,
    });
  } catch (error) {
    const told = await esbuild.formatMessages(error.errors ?? [{ text: String(error) }], { kind: "error" });
    throw new BuildError(told.join("").trimEnd());
  }
}

function setup(build) {
  build.onResolve({ filter: HOST }, ({ path }) => ({ path, external: true }));
  build.onResolve({ filter: /^@sporegate\/guest(\/|$)/ }, ({ path }) =>
    ENTRIES[path] ? { path: ENTRIES[path] } : { errors: [{ text: `${path} is no part of @sporegate/guest that a listener can import` }] },
  );
}

/** How a source is named in a stack: relative to the folder of the listener, and this package by a name of its own. */
function shown(path, file) {
  if (path.startsWith("sporegate:") || path === "") return "sporegate:entry";
  const whole = resolve(path);
  if (whole.startsWith(SDK)) return `sporegate:${basename(whole)}`;
  return relative(dirname(file), whole);
}
