/// <reference path="./wit.d.ts" />
// Values that outlive an instance, in buckets that the operator grants to this module, in `[keyvalue]` of its sidecar.
// What is written is there at once, for all instances of the module, and stays if the call fails.
//
// Invariant: of each bucket there is one handle of the host at most, and none outlives the call of the gateway in which
// it was opened. A `Bucket` may.

import * as atomics from "wasi:keyvalue/atomics@0.2.0-draft";
import * as batch from "wasi:keyvalue/batch@0.2.0-draft";
import * as store from "wasi:keyvalue/store@0.2.0-draft";
import { held, isHeld } from "./call.js";
import { u64 } from "./engine.js";
import { decoder, encode } from "./text.js";

/** What is kept: bytes, or text as UTF-8. */
export type Value = string | Uint8Array;

/** The cases of `wasi:keyvalue`. */
export type KeyValueErrorCode = store.Error["tag"];

/** Thrown by every call of a bucket that the gateway refuses. Nothing of it is done, then. */
export class KeyValueError extends Error {
  override readonly name = "KeyValueError";
  /** Which case it is: for programs. */
  readonly code: KeyValueErrorCode;

  constructor(code: KeyValueErrorCode, message: string) {
    super(message);
    this.code = code;
  }
}

/** By name; whether it is still ours is for `isHeld` to say. */
const handles = new Map<string, store.Bucket>();

/** Opens a bucket of the sidecar's `[keyvalue] buckets`; `no-such-store` for another name. */
export function open(name: string): Bucket {
  return new Bucket(name);
}

/** Keys and their values. It may be kept between calls. */
export class Bucket {
  /** As `open` does. */
  constructor(readonly name: string) {
    checked("bucket's name", name);
    this.#ask(() => undefined);
  }

  /** The value of a key; undefined if there is none. */
  get(key: string): Uint8Array | undefined {
    return this.#ask((bucket) => bucket.get(keyOf(key))) ?? undefined;
  }

  /** The same as text, bad bytes replaced. */
  getText(key: string): string | undefined {
    const value = this.get(key);
    return value && decoder("replace").decode(value);
  }

  /** The same read as JSON. */
  getJson<T = unknown>(key: string): T | undefined {
    const text = this.getText(key);
    return text === undefined ? undefined : (JSON.parse(text) as T);
  }

  /** Gives a key a value; `other` where a limit is reached. */
  set(key: string, value: Value): void {
    this.#ask((bucket) => bucket.set(keyOf(key), bytesOf(value)));
  }

  /** The same with a value as JSON text. */
  setJson(key: string, value: unknown): void {
    const text = JSON.stringify(value) as string | undefined;
    if (text === undefined) throw new TypeError(`the value of ${key}: JSON cannot hold ${typeof value}`);
    this.set(key, text);
  }

  /** Removes a key, if it is there. */
  delete(key: string): void {
    this.#ask((bucket) => bucket.delete(keyOf(key)));
  }

  /** Whether a key is there. */
  exists(key: string): boolean {
    return this.#ask((bucket) => bucket.exists(keyOf(key)));
  }

  /**
   * Adds to a number that is kept as decimal digits, zero where there is none; returns the sum, which is exact up to
   * `Number.MAX_SAFE_INTEGER`. No other call comes between. `other` where the value is no such number, the sum is not
   * below 2^64, or a limit is reached.
   */
  increment(key: string, delta = 1): number {
    if (!Number.isSafeInteger(delta) || delta < 0) throw new RangeError(`delta is ${delta}, not a whole number from 0 on`);
    return Number(this.#ask((bucket) => atomics.increment(bucket, keyOf(key), u64(delta))));
  }

  /** All keys, page by page as they are asked for. */
  *keys(): IterableIterator<string> {
    let cursor: number | bigint | undefined;
    do {
      const page = this.#ask((bucket) => bucket.listKeys(cursor));
      yield* page.keys;
      cursor = page.cursor ?? undefined;
    } while (cursor !== undefined);
  }

  /** Values of several keys, in their order; `other` for more than 1,000 at once. */
  getMany(keys: Iterable<string>): (Uint8Array | undefined)[] {
    const found = this.#ask((bucket) => batch.getMany(bucket, Array.from(keys, keyOf)));
    return found.map((pair) => pair?.[1]);
  }

  /** Sets several keys: all of them or, after an exception, none. Takes a `Map`, too, and what `Object.entries` gives. */
  setMany(pairs: Iterable<readonly [string, Value]>): void {
    const all = Array.from(pairs, ([key, value]): [string, Uint8Array] => [keyOf(key), bytesOf(value)]);
    this.#ask((bucket) => batch.setMany(bucket, all));
  }

  /** Removes several keys; those that are not there are passed over. */
  deleteMany(keys: Iterable<string>): void {
    this.#ask((bucket) => batch.deleteMany(bucket, Array.from(keys, keyOf)));
  }

  #ask<T>(call: (bucket: store.Bucket) => T): T {
    try {
      return call(handle(this.name));
    } catch (thrown) {
      const refusal = (thrown as { payload?: store.Error } | null)?.payload;
      if (typeof refusal?.tag !== "string") throw thrown;
      throw new KeyValueError(refusal.tag, `bucket ${this.name}: ${told(refusal)}`);
    }
  }
}

function handle(name: string): store.Bucket {
  const before = handles.get(name);
  if (before && isHeld(before)) return before;
  const opened = held(store.open(name));
  handles.set(name, opened);
  return opened;
}

const keyOf = (key: string): string => checked("key", key);

/** Half of a surrogate pair is no UTF-8: an engine may end the instance for it, or take another character. */
function checked(what: string, text: string): string {
  if (typeof text !== "string") throw new TypeError(`a ${what} is a string, not ${typeof text}`);
  if (/[\ud800-\udfff]/u.test(text)) throw new TypeError(`a ${what} has half of a surrogate pair: ${JSON.stringify(text)}`);
  return text;
}

function bytesOf(value: Value): Uint8Array {
  if (typeof value === "string") return encode(value);
  if (value instanceof Uint8Array) return value;
  throw new TypeError("a value is a string or a Uint8Array; for others there is setJson");
}

function told(refusal: store.Error): string {
  switch (refusal.tag) {
    case "no-such-store":
      return "not among the [keyvalue] buckets of the sidecar";
    case "access-denied":
      return "access is denied";
    case "other":
      return refusal.val;
  }
}
