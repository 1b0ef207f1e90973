// A console whose lines go to the module's log: log, info and debug to standard output, warn and error to standard error.

import { encode } from "./text.js";

/** What one write to a WASI stream may hold. */
const WRITE_BYTES = 4096;

/** Takes bytes, at most `WRITE_BYTES` at once. */
export type Write = (bytes: Uint8Array) => void;

export function consoleTo(out: Write, err: Write) {
  const to = (write: Write) => (...values: unknown[]) => {
    const bytes = encode(`${values.map(shown).join(" ")}\n`);
    for (let at = 0; at < bytes.length; at += WRITE_BYTES) write(bytes.subarray(at, at + WRITE_BYTES));
  };
  return { log: to(out), info: to(out), debug: to(out), warn: to(err), error: to(err) };
}

function shown(value: unknown): string {
  if (typeof value === "string") return value;
  if (value instanceof Error) return `${value.name}: ${value.message}`;
  if (typeof value !== "object" || value === null) return String(value);
  try {
    return JSON.stringify(value, (_, part) => (typeof part === "bigint" ? String(part) : part));
  } catch {
    return String(value);
  }
}
