// Which line of which source each line of a bundle is from, of a source map (version 3).

const DIGITS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/** An entry wherever lines do not simply go on: [line of the bundle, source, line in it], all lines from 1. */
export function lineMap({ mappings, sources }, shown) {
  const lines = [];
  let [source, line] = [0, 0];
  let last;
  for (const [at, segments] of mappings.split(";").entries()) {
    let first;
    for (const segment of segments.split(",").filter(Boolean)) {
      const [, bySource, byLine] = numbers(segment);
      if (bySource === undefined) continue;
      source += bySource;
      line += byLine;
      first ??= [at + 1, source, line + 1];
    }
    if (!first) continue;
    const goesOn = last && last[1] === first[1] && first[0] - last[0] === first[2] - last[2];
    if (!goesOn) lines.push(first);
    last = first;
  }
  return { sources: sources.map(shown), lines };
}

/** Where a line of the bundle is from. */
export function original({ sources, lines }, line) {
  const at = lines.findLast(([first]) => first <= line);
  return at && { file: sources[at[1]], line: at[2] + line - at[0] };
}

/** A segment's numbers: base 64, five bits each, the lowest first, with the sign in the lowest bit of all. */
function numbers(segment) {
  const found = [];
  let [value, shift] = [0, 0];
  for (const digit of segment) {
    const bits = DIGITS.indexOf(digit);
    value |= (bits & 31) << shift;
    shift += 5;
    if (bits & 32) continue;
    found.push(value & 1 ? -(value >> 1) : value >> 1);
    [value, shift] = [0, 0];
  }
  return found;
}
