#!/usr/bin/env node
// The command that makes a component of a listener.

import { basename, extname } from "node:path";
import { parseArgs } from "node:util";
import { build, BuildError, ENGINES } from "../build/index.mjs";

const HELP = `sporegate-js build SOURCE [-o OUT.wasm] [--engine quickjs|starlingmonkey] [--fetch] [--bundle FILE]

Makes a component for Sporegate of a listener in JavaScript or TypeScript. What it may import follows from
what the source imports: nothing has to be declared. Types are not checked: tsc does that.

  -o, --out FILE     where to; SOURCE with .wasm in the working directory unless said otherwise
  --engine NAME      quickjs (small and quick, the default) or starlingmonkey (promises, timers, fetch, URL)
  --fetch            gives fetch to StarlingMonkey: the module then asks for wasi:http
  --bundle FILE      writes the JavaScript that goes into the component, too
`;

const OPTIONS = {
  out: { type: "string", short: "o" },
  engine: { type: "string", default: "quickjs" },
  fetch: { type: "boolean", default: false },
  bundle: { type: "string" },
  help: { type: "boolean", short: "h", default: false },
};

/** @param {string} text @param {number} code @returns {never} */
function fail(text, code) {
  console.error(`sporegate-js: ${text}`);
  process.exit(code);
}

function read() {
  try {
    return parseArgs({ options: /** @type {const} */ (OPTIONS), allowPositionals: true });
  } catch (error) {
    return fail(`${error instanceof Error ? error.message : error}; see --help`, 2);
  }
}

const { values, positionals: [command, source, ...more] } = read();
if (values.help || command === undefined) {
  console.log(HELP);
  process.exit(values.help ? 0 : 2);
}
if (command !== "build" || source === undefined || more.length > 0) fail("use: build SOURCE; see --help", 2);
if (!ENGINES.includes(values.engine)) fail(`no engine ${values.engine}: ${ENGINES.join(", ")}`, 2);
if (values.fetch && values.engine !== "starlingmonkey") fail("--fetch is for --engine starlingmonkey; others use @sporegate/guest/http", 2);

const out = values.out ?? `${basename(source, extname(source))}.wasm`;
try {
  const { bytes, world } = await build({ ...values, source, out });
  console.log(`${out}: ${bytes} bytes, world ${world}`);
} catch (error) {
  if (error instanceof BuildError) fail(error.message, 1);
  throw error;
}
