// Numbers for `Math.random`: not for secrets. The generator is `sfc32` of PractRand, which is in the public domain.

/** A generator of numbers from 0 to 1, 1 not included, that begins with these two seeds. */
export function generator(first: number, second: number): () => number {
  let a = first >>> 0;
  let b = second >>> 0;
  let c = Math.floor(first / 2 ** 32) ^ Math.floor(second / 2 ** 32);
  let count = 1;
  const next = () => {
    const sum = (a + b + count++) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = ((c << 21) | (c >>> 11)) + sum;
    return sum >>> 0;
  };
  for (let i = 0; i < 15; i++) next();
  return () => (next() * 2 ** 21 + (next() >>> 11)) / 2 ** 53;
}
