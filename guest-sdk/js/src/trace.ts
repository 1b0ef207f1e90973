// An exception as one line for the gateway's log: what it says, and where it was thrown, in lines of the sources.
//
// Invariant: never more than about a kilobyte, for the log shows no more; never throws.

import { wellFormed } from "./text.js";

/** Lines of the bundle and where they are from: from bundle line on, [bundle line, source, line in it]. */
export interface LineMap {
  sources: string[];
  lines: [number, number, number][];
}

interface Frame {
  name: string;
  file: string;
  line: number;
}

const MAX_FRAMES = 8;
const MAX_TEXT = 512;
/** Functions of this package, which are between all others and tell nothing. */
const OWN = "sporegate:";

let map: LineMap | undefined;

/** Says where the lines of the bundle are from; the build does. */
export function mapLines(lines: LineMap | undefined): void {
  map = lines;
}

/** What was thrown, with causes and frames. */
export function trace(thrown: unknown): string {
  try {
    if (!(thrown instanceof Error) && typeof (thrown as { stack?: unknown } | null)?.stack !== "string") {
      return wellFormed(short(typeof thrown === "string" ? thrown : (JSON.stringify(thrown) ?? String(thrown))));
    }
    const error = thrown as Error;
    const cause = error.cause === undefined ? "" : `; caused by ${because(error.cause)}`;
    return wellFormed(`${short(`${error.name}: ${error.message}`)}${frames(error.stack ?? "")}${cause}`);
  } catch {
    return "an exception that cannot be shown";
  }
}

function because(cause: unknown): string {
  const stack = (cause as { stack?: unknown } | null)?.stack;
  return short(String(cause)) + (typeof stack === "string" ? frames(stack) : "");
}

const short = (text: string) => (text.length > MAX_TEXT ? `${text.slice(0, MAX_TEXT)}…` : text);

function frames(stack: string): string {
  const all = stack.split("\n").flatMap((line) => frame(line) ?? []);
  const own = all.filter(({ file }) => !file.startsWith(OWN));
  const shown = own.slice(0, MAX_FRAMES).map(({ name, file, line }) => ` at ${name} (${file}:${line})`);
  return shown.join("") + (own.length > MAX_FRAMES ? ` and ${own.length - MAX_FRAMES} more` : "");
}

/** `    at name (file:1:2)` of QuickJS and V8, or `name@file:1:2` of StarlingMonkey. */
function frame(text: string): Frame | undefined {
  const found = /^\s*at (?:(.*?) \()?(.*?):(\d+):\d+\)?$/.exec(text) ?? /^(.*?)@(.*?):(\d+):\d+$/.exec(text);
  if (!found) return undefined;
  const [, name, file = "", line] = found;
  return mapped({ name: name || "<anonymous>", file, line: Number(line) });
}

function mapped(frame: Frame): Frame | undefined {
  if (!map) return frame;
  let at: [number, number, number] | undefined;
  for (const entry of map.lines) {
    if (entry[0] > frame.line) break;
    at = entry;
  }
  if (!at) return undefined;
  return { ...frame, file: map.sources[at[1]] ?? "?", line: at[2] + frame.line - at[0] };
}
