// `wasi:keyvalue`, in the buckets that the test has given. Of the gateway's limits only those on keys are there.

import { current, refusal } from "../state.mjs";
import { Handle } from "./handle.mjs";

const MAX_KEY_BYTES = 256;
const MAX_MANY = 1000;
const MAX_SUM = 2n ** 64n - 1n;
/** Keys on one page: so few that tests meet more than one. */
const PAGE_KEYS = 2;

/** Keys of a bucket by their number: a list goes on where it was, whatever changes meanwhile. */
const orders = new WeakMap();

const fails = (text) => refusal("other", text);

export class Bucket extends Handle {
  get(key) { return this.values().get(key); }
  set(key, value) { this.values().set(checked(key), Uint8Array.from(value)); }
  delete(key) { this.values().delete(key); }
  exists(key) { return this.values().has(key); }
  listKeys(cursor) {
    const all = numbered(this.values()).filter(([, number]) => number >= (cursor ?? 0n));
    return { keys: all.slice(0, PAGE_KEYS).map(([key]) => key), cursor: all[PAGE_KEYS]?.[1] };
  }
  values() {
    this.alive();
    return this.held;
  }
}

export function open(name) {
  const { buckets } = current.gateway;
  if (!Object.hasOwn(buckets, name)) throw refusal("no-such-store");
  return Object.assign(new Bucket(), { held: buckets[name] });
}

export function increment(bucket, key, delta) {
  const digits = new TextDecoder("latin1").decode(bucket.get(checked(key)) ?? new Uint8Array([0x30]));
  if (!/^[0-9]+$/.test(digits) || BigInt(digits) > MAX_SUM) throw fails("the value is not a number in decimal digits below 2^64");
  const sum = BigInt(digits) + delta;
  if (sum > MAX_SUM) throw fails("the sum is not below 2^64");
  bucket.set(key, new TextEncoder().encode(`${sum}`));
  return sum;
}

export function getMany(bucket, keys) {
  return few(keys).map((key) => (bucket.exists(key) ? [key, bucket.get(key)] : undefined));
}

export function setMany(bucket, pairs) {
  few(pairs).forEach(([key]) => checked(key));
  for (const [key, value] of pairs) bucket.set(key, value);
}

export function deleteMany(bucket, keys) {
  for (const key of few(keys)) bucket.delete(key);
}

function numbered(values) {
  const order = orders.get(values) ?? { next: 0n, numbers: new Map() };
  orders.set(values, order);
  for (const key of order.numbers.keys()) if (!values.has(key)) order.numbers.delete(key);
  for (const key of values.keys()) if (!order.numbers.has(key)) order.numbers.set(key, order.next++);
  return [...order.numbers];
}

function checked(key) {
  const { length } = new TextEncoder().encode(key);
  if (length < 1 || length > MAX_KEY_BYTES) throw fails(`a key has 1 to ${MAX_KEY_BYTES} bytes (keyvalue.key_size)`);
  return key;
}

function few(list) {
  if (list.length > MAX_MANY) throw fails(`more than ${MAX_MANY} keys at once`);
  return list;
}
