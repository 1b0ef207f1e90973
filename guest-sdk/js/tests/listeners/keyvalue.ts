// A listener that does with a bucket what a test says, and answers with what came of it.

import { listener, match } from "@sporegate/guest";
import { open, KeyValueError, type Bucket } from "@sporegate/guest/keyvalue";

type Do = (bucket: Bucket, key: string, value: string) => unknown;

const doing: Record<string, Do> = {
  get: (bucket, key) => bytes(bucket.get(key)),
  getText: (bucket, key) => bucket.getText(key),
  getJson: (bucket, key) => bucket.getJson(key),
  set: (bucket, key, value) => bucket.set(key, value),
  setBytes: (bucket, key) => bucket.set(key, new Uint8Array([0, 255])),
  setJson: (bucket, key, value) => bucket.setJson(key, { a: [value] }),
  setNothing: (bucket, key) => bucket.setJson(key, undefined),
  setNumber: (bucket, key) => bucket.set(key, 7 as unknown as string),
  getNumber: (bucket) => bucket.get(7 as unknown as string),
  delete: (bucket, key) => bucket.delete(key),
  exists: (bucket, key) => bucket.exists(key),
  increment: (bucket, key, delta) => bucket.increment(key, delta === undefined ? undefined : Number(delta)),
  keys: (bucket) => [...bucket.keys()],
  getMany: (bucket, ...keys) => bucket.getMany(keys).map(bytes),
  setMany: (bucket, ...keys) => bucket.setMany(keys.map((key) => [key, key])),
  setMap: (bucket, key) => bucket.setMany(new Map([[key, new Uint8Array([1])]])),
  deleteMany: (bucket, ...keys) => bucket.deleteMany(keys),
  tooMany: (bucket) => bucket.deleteMany(Array.from({ length: 1001 }, (_, i) => `${i}`)),
  // More than a page of the gateway, and keys that go while they are listed.
  clear: (bucket) => {
    for (let i = 0; i < 1500; i += 500) bucket.setMany(Array.from({ length: 500 }, (_, j) => [`k${i + j}`, ""]));
    let count = 0;
    for (const key of bucket.keys()) {
      bucket.delete(key);
      count += 1;
    }
    return [count, [...bucket.keys()].length];
  },
  openOften: ({ name }) => {
    for (let i = 0; i < 5000; i++) open(name);
  },
  open: (_, name) => open(name).name,
  throw: (bucket, key, value) => {
    bucket.set(key, value);
    throw new Error("afterwards");
  },
};

const bytes = (value: Uint8Array | undefined) => value && [...value];

/** Kept from one message to the next. */
let kept: Bucket | undefined;

export default listener({
  start() {
    match("/keyvalue").listen("keyvalue");
  },
  onMessage(event) {
    const [what, ...rest] = event.json<[string, string, string]>();
    kept ??= open("default");
    try {
      event.replyJson(doing[what]?.(kept, ...(rest as [string, string])) ?? null);
    } catch (error) {
      if (!(error instanceof KeyValueError)) throw error;
      event.replyJson({ code: error.code, message: error.message });
    }
  },
});
