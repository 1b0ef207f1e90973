// What came in: the content of a message, and answers to whom it came from.

import type * as gateway from "sporegate:gateway/clients@1.0.0";
import { Client, type Payload } from "./client.js";

/** The record of the interface. */
export interface MessageRecord {
  listener: string;
  client: gateway.Client;
  message: gateway.Payload;
  pathParams: [string, string][];
  sequence: number | bigint;
  receivedAtMs: number | bigint;
  traceparent?: string | null;
}

/** One message that a listener of this module matches. */
export class MessageEvent {
  /** Name of the listener that matched. */
  readonly listener: string;
  /** Who sent it. */
  readonly client: Client;
  /** Text as a string, binary as bytes. */
  readonly message: Payload;
  /** What each `{name}` of the path pattern stands for; under `*` the rest. */
  readonly pathParams: Readonly<Record<string, string>>;
  /** Number of this message in its session, from 1. */
  readonly sequence: number;
  /** When it came, in milliseconds since 1970. */
  readonly receivedAtMs: number;
  /** W3C trace context, when tracing is on. */
  readonly traceparent: string | undefined;

  constructor(record: MessageRecord) {
    this.listener = record.listener;
    this.client = new Client(record.client);
    this.message = record.message.val;
    this.pathParams = Object.fromEntries(record.pathParams);
    this.sequence = Number(record.sequence);
    this.receivedAtMs = Number(record.receivedAtMs);
    this.traceparent = record.traceparent ?? undefined;
  }

  /** The text read as JSON. Throws if the message is binary or no JSON; what it is like is not checked. */
  json<T = unknown>(): T {
    if (typeof this.message !== "string") throw new TypeError("the message is binary, not JSON text");
    return JSON.parse(this.message) as T;
  }

  /** Queues a message to the client that this one came from; see `Client.send`. */
  reply(message: Payload): void {
    this.client.send(message);
  }

  /** The same with a value as JSON text. */
  replyJson(value: unknown): void {
    this.client.sendJson(value);
  }
}

/** The record of the interface. */
export interface DisconnectRecord {
  listener: string;
  client: gateway.Client;
  code: number;
  reason: string;
}

/** A client is gone. It comes once for each session, after the client has left every query. */
export class DisconnectEvent {
  /** Name of the disconnect listener. */
  readonly listener: string;
  /** As last known; sending to it gives `closed`. */
  readonly client: Client;
  /** Close code; 1006 where the connection was lost. */
  readonly code: number;
  readonly reason: string;

  constructor(record: DisconnectRecord) {
    this.listener = record.listener;
    this.client = new Client(record.client);
    this.code = record.code;
    this.reason = record.reason;
  }
}
