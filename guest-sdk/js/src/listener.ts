// What the source of a module exports: a listener, and its state if that shall survive a hot swap.

import type { DisconnectEvent, MessageEvent } from "./event.js";
import { decoder, encode } from "./text.js";

/** `proceed` lets lower priorities see the message too; `stop`, or nothing, does not. */
export type Outcome = "proceed" | "stop";

/**
 * A listener module. After an exception nothing that the call has queued leaves; the gateway logs its text and stack,
 * and the instance goes on. Only StarlingMonkey can wait for a promise.
 */
export interface Listener {
  /** First call on every new instance: adds listeners, builds caches. An exception refuses the revision. */
  start(): void | Promise<void>;
  /** A message that one of the listeners matches. Messages of one client come in order, one at a time. */
  onMessage(event: MessageEvent): Outcome | void | Promise<Outcome | void>;
  /** A client is gone. Called once for each session that a disconnect listener matches. */
  onDisconnect?(event: DisconnectEvent): void | Promise<void>;
}

/** Gives the listener back: it is there for its types. `export default listener({…})`. */
export function listener(it: Listener): Listener {
  return it;
}

/** State as bytes, with what tells an importer whether it understands them. */
export interface Snapshot {
  schema: number;
  mediaType: string;
  data: Uint8Array;
}

/** State that a hot swap carries over: `export const state = …` beside the listener. */
export interface State {
  /** On the old revision, idle by then. It must not change anything: the swap may be abandoned. */
  exportState(): Snapshot;
  /** On the new revision, after `start`. An exception abandons the swap. */
  importState(snapshot: Snapshot): void;
}

const JSON_TYPE = "application/json";

/**
 * State as JSON. `save` gives the value; `load` takes one, and throws if it is not what it should be. Another schema
 * number, another media type, and what is not JSON are refused.
 */
export function jsonState(it: { schema: number; save(): unknown; load(value: unknown): void }): State {
  return {
    exportState() {
      const data = encode(JSON.stringify(it.save()));
      return { schema: it.schema, mediaType: JSON_TYPE, data };
    },
    importState({ schema, mediaType, data }) {
      if (schema !== it.schema) throw new Error(`the state has schema ${schema}, not ${it.schema}`);
      if (mediaType !== JSON_TYPE) throw new Error(`the state is ${mediaType}, not ${JSON_TYPE}`);
      let value: unknown;
      try {
        value = JSON.parse(decoder("throw").decode(data));
      } catch (error) {
        throw new Error(`the state is not JSON: ${error instanceof Error ? error.message : error}`);
      }
      it.load(value);
    },
  };
}
