// What a component has of the host's resources.
//
// Invariant: as with the host, a handle cannot be given back before what came from it, nor used afterwards.

import { current } from "../state.mjs";

export const DISPOSE = Symbol.dispose ?? Symbol.for("dispose");

export class Handle {
  #parent;
  #children = 0;
  #gone = false;

  constructor(parent) {
    this.#parent = parent;
    if (parent) parent.#children += 1;
    current.gateway.handles.add(this);
  }

  alive() {
    if (this.#gone) throw new Error(`${this.constructor.name} is used after it was given back`);
  }

  [DISPOSE]() {
    this.alive();
    if (this.#children > 0) throw new Error(`${this.constructor.name} is given back before what came from it`);
    this.#gone = true;
    if (this.#parent) this.#parent.#children -= 1;
    current.gateway.handles.delete(this);
  }
}
