/// <reference path="./wit.d.ts" />
// What QuickJS lacks and listeners are used to. First import of a component that is made with it.

import { getStderr } from "wasi:cli/stderr@0.2.12";
import { getStdout } from "wasi:cli/stdout@0.2.12";
import { insecureSeed } from "wasi:random/insecure-seed@0.2.12";
import { giveBack, held } from "./call.js";
import { consoleTo } from "./console.js";
import { giveNumbers } from "./engine.js";
import type { Engine } from "./exports.js";
import { generator } from "./random.js";
import { TextDecoder, TextEncoder } from "./utf8.js";

giveNumbers();

function writer(open: typeof getStdout) {
  return (bytes: Uint8Array) => {
    const stream = held(open());
    try {
      stream.blockingWriteAndFlush(bytes);
    } catch {
      // A log that takes no more is no reason to fail.
    } finally {
      giveBack(stream);
    }
  };
}

Object.assign(globalThis, { TextDecoder, TextEncoder, console: consoleTo(writer(getStdout), writer(getStderr)) });

export const engine: Engine = {
  waits: false,
  awake() {
    // Instances begin as copies of one that was made at build time: without this, all had the same dice.
    const [high, low] = insecureSeed();
    Math.random = generator(Number(high), Number(low));
  },
};
