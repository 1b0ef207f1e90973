/// <reference path="./wit.d.ts" />
// Values that the operator gives to this module, in `[config]` of its sidecar.

import * as store from "wasi:config/store@0.2.0-rc.1";
import { asking } from "./errors.js";
import { wellFormed } from "./text.js";

/** The value of a key; undefined if the operator has set none. */
export function config(key: string): string | undefined {
  return asking(() => store.get(wellFormed(key))) ?? undefined;
}

/** All keys and their values. */
export function allConfig(): Record<string, string> {
  return Object.fromEntries(asking(() => store.getAll()));
}
