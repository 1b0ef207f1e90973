// From a listener to the exports of the component.
//
// Invariant: no exception leaves a call but as a text. What engines make of others differs, and may end the instance.

import { endOfCall } from "./call.js";
import { DisconnectEvent, MessageEvent, type DisconnectRecord, type MessageRecord } from "./event.js";
import type { Listener, Outcome, Snapshot, State } from "./listener.js";
import { trace } from "./trace.js";

/** What an engine needs or can do. */
export interface Engine {
  /** Whether it waits for promises. */
  waits: boolean;
  /** Called before `start`, in each instance: what is built in is the same in all of them. */
  awake(): void;
}

/** The exports of the world `listener`. */
export function listenerExports(it: Listener, engine: Engine) {
  for (const name of ["start", "onMessage"] as const) {
    if (typeof it?.[name] !== "function") throw new TypeError(`the default export has no function ${name}`);
  }
  const call = guard(engine);
  return {
    lifecycle: {
      start: () => {
        engine.awake();
        return call("start", () => it.start(), () => undefined);
      },
    },
    messageHandler: {
      onMessage: (record: MessageRecord) => call("onMessage", () => it.onMessage(new MessageEvent(record)), outcome),
    },
    disconnectHandler: {
      onDisconnect: (record: DisconnectRecord) =>
        call("onDisconnect", () => it.onDisconnect?.(new DisconnectEvent(record)), () => undefined),
    },
  };
}

/** What `stateful-listener` has besides. */
export function stateExports(it: State, engine: Engine) {
  const call = guard(engine);
  return {
    exportState: () => call("exportState", () => it.exportState(), snapshot),
    importState: (state: Snapshot) => call("importState", () => it.importState(state), () => undefined),
  };
}

function guard({ waits }: Engine) {
  return <T, R>(name: string, body: () => T | Promise<T>, check: (value: T) => R): R | Promise<R> => {
    let left = false;
    try {
      const value = body();
      if (!isPromise(value)) return check(value);
      if (!waits) throw new TypeError(`${name} is async: this engine cannot wait for promises; see --engine`);
      left = true;
      return value.then(check).catch(refuse).finally(endOfCall);
    } catch (thrown) {
      return refuse(thrown);
    } finally {
      if (!left) endOfCall();
    }
  };
}

function refuse(thrown: unknown): never {
  throw trace(thrown);
}

function outcome(value: Outcome | void): Outcome {
  if (value === undefined || value === "stop") return "stop";
  if (value === "proceed") return value;
  throw new TypeError(`onMessage returned ${JSON.stringify(value)}, not "proceed", "stop" or nothing`);
}

function snapshot(value: Snapshot): Snapshot {
  const { schema, mediaType, data } = value ?? {};
  const right = Number.isInteger(schema) && typeof mediaType === "string" && data instanceof Uint8Array;
  if (!right) throw new TypeError("exportState returned no { schema, mediaType, data }");
  return value;
}

function isPromise<T>(value: T | Promise<T>): value is Promise<T> {
  return typeof (value as { then?: unknown } | null | undefined)?.then === "function";
}
