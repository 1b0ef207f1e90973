// Where the engines differ in how they take a value.

let asNumber = false;

/** From now on a u64 is given as a number: QuickJS. */
export function giveNumbers(): void {
  asNumber = true;
}

/** A u64 as the engine takes it. */
export const u64 = (value: number): bigint => (asNumber ? (value as unknown as bigint) : BigInt(value));
