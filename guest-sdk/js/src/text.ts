// UTF-8, by what every engine has or is given.

interface Decoder {
  decode(bytes?: Uint8Array, options?: { stream?: boolean }): string;
}

interface Codecs {
  TextEncoder: new () => { encode(text: string): Uint8Array };
  TextDecoder: new (label: string, options: { fatal?: boolean; ignoreBOM?: boolean }) => Decoder;
}

const codecs = globalThis as unknown as Codecs;

/** What text can hold that is not Unicode: halves of surrogate pairs. */
const HALF = /[\ud800-\udfff]/gu;

/**
 * The text with a replacement character for each half of a surrogate pair, as `WebSocket.send` of a browser makes
 * it: JSON of a client may hold such halves, and an engine may end the instance for them.
 */
export function wellFormed(text: string): string {
  const own = (text as { toWellFormed?: () => string }).toWellFormed;
  return own ? own.call(text) : text.replace(HALF, "\ufffd");
}

export const encode = (text: string): Uint8Array => new codecs.TextEncoder().encode(text);

/** A decoder that keeps a mark of byte order, and either throws or puts replacement characters for bad bytes. */
export const decoder = (bad: "throw" | "replace"): Decoder =>
  new codecs.TextDecoder("utf-8", { fatal: bad === "throw", ignoreBOM: true });
