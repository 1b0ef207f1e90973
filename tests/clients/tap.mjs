// Runs named steps one after the other and reports them in the Test Anything Protocol (testanything.org).
//
// Invariant: a step that throws or takes longer than STEP_SECONDS is reported as `not ok`, the steps
// after it still run, and the exit code is 1.

import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";

const STEP_SECONDS = 20;
let count = 0;
let failed = 0;

/** Runs one step, and says whether it passed: `run` returned in time and threw nothing. */
export async function step(name, run) {
  count += 1;
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`no result after ${STEP_SECONDS} s`)), STEP_SECONDS * 1000);
  });
  try {
    await Promise.race([run(), late]);
    console.log(`ok ${count} - ${name}`);
    return true;
  } catch (error) {
    failed += 1;
    console.log(`not ok ${count} - ${name}`);
    const plain = String(error?.message ?? error).replaceAll(/\x1b\[\d*m/g, "");
    console.log(`  ${plain.trimEnd().replaceAll("\n", "\n  ")}`);
    return false;
  } finally {
    clearTimeout(timer);
  }
}

/** Prints the plan and ends the process: 0 if every step passed, else 1. */
export function finish() {
  console.log(`1..${count}`);
  console.log(failed === 0 ? `# all ${count} passed` : `# ${failed} of ${count} failed`);
  process.exit(failed === 0 ? 0 : 1);
}

/** The arguments of the command line, or the variables that stand in for them. The first two must be there. */
export function given(usage, ...names) {
  const values = names.map((name, index) => process.argv[2 + index] || process.env[name] || "");
  if (!values[0] || !values[1] || process.argv[2]?.startsWith("-")) {
    console.error(usage);
    process.exit(2);
  }
  return values;
}

/** Where `tests/clients/setup` installs. */
export const clients = process.env.SPOREGATE_CLIENTS || fileURLToPath(new URL("../../target/clients", import.meta.url));

/** Loads a package that `tests/clients/setup` has installed. */
export function installed(name) {
  try {
    return createRequire(`${clients}/`)(name);
  } catch (error) {
    if (error.code !== "MODULE_NOT_FOUND") throw error;
    console.error(`The package '${name}' is not in ${clients}: run tests/clients/setup node`);
    process.exit(1);
  }
}
