// StarlingMonkey has what listeners are used to. First import of a component that is made with it.

import type { Engine } from "./exports.js";

export const engine: Engine = { waits: true, awake() {} };
