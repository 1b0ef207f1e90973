// What lives no longer than a call: handles of the host, which are given back when it ends.
//
// Invariant: a handle is given back before that from which it came. The host ends an instance that does not.

const open: object[] = [];

const disposeName: symbol = (Symbol as { dispose?: symbol }).dispose ?? Symbol.for("dispose");

/** Keeps a handle until it is given back, at the latest when the call ends. */
export function held<T extends object>(handle: T): T {
  open.push(handle);
  return handle;
}

/** Whether a handle is still ours to use. */
export const isHeld = (handle: object): boolean => open.includes(handle);

/** Gives a handle back now; nothing, if it was given back already. */
export function giveBack(handle: object): void {
  const at = open.lastIndexOf(handle);
  if (at < 0) return;
  open.splice(at, 1);
  dispose(handle);
}

/** No longer ours: the host has taken it. */
export function given<T extends object>(handle: T): T {
  const at = open.lastIndexOf(handle);
  if (at >= 0) open.splice(at, 1);
  return handle;
}

/** Gives back all that is held, the youngest first. */
export function endOfCall(): void {
  for (let handle = open.pop(); handle !== undefined; handle = open.pop()) dispose(handle);
}

function dispose(handle: object): void {
  (handle as Record<symbol, undefined | (() => void)>)[disposeName]?.();
}
