// Clients: who they are, what is sent to them, and who is there. Everything that goes out is queued, and leaves
// when the call succeeds or at `flush`.

import * as gateway from "sporegate:gateway/clients@1.0.0";
import { asking, GatewayError } from "./errors.js";
import { wellFormed } from "./text.js";

/** A message: text as a string, binary as bytes. */
export type Payload = string | Uint8Array;

/** As many as the gateway gives at once, if it gives fewer. */
const PAGE_CLIENTS = 256;

/** A client as it was when this object was made. */
export class Client {
  /** Opaque, at most 64 bytes of ASCII, never reused; fit as a key, and kept across a reconnect. */
  readonly id: string;
  /** Sub path it connected on: below the base path, no query, starts with `/`. */
  readonly path: string;
  /** Absent only where the path admits anonymous clients. */
  readonly username: string | undefined;
  /** Sorted, no duplicates. */
  readonly roles: readonly string[];

  constructor(record: gateway.Client) {
    this.id = record.id;
    this.path = record.connectPath;
    this.username = record.username ?? undefined;
    this.roles = record.roles;
  }

  /** Queues a message to this client. Throws a `GatewayError`: `not-found`, `closed`, `queue-full`, `too-large`. */
  send(message: Payload): void {
    asking(() => gateway.sendMessage(this.id, payload(message)));
  }

  /** The same with a value as JSON text; `invalid-argument` if JSON cannot hold it. */
  sendJson(value: unknown): void {
    this.send(json(value));
  }

  /** Closes the connection with 1000 or 4900-4999, and a reason of at most 123 bytes. */
  close(code = 1000, reason = ""): void {
    asking(() => gateway.close(this.id, code, wellFormed(reason)));
  }

  /** The claims that the authenticator vouched for; undefined if there are none or the client is gone. */
  claims<T = Record<string, unknown>>(): T | undefined {
    const claims = gateway.getClaims(this.id) ?? undefined;
    return claims === undefined ? undefined : (JSON.parse(claims) as T);
  }
}

/** Connections that the gateway itself chooses, with no call per client. */
export class Audience {
  constructor(private readonly who: gateway.Audience) {}

  /** Queues a message to everybody of the audience but `except`; says to how many. */
  send(message: Payload, { except = [] }: { except?: Iterable<Client | string> } = {}): number {
    const ids = Array.from(except, idOf);
    return Number(asking(() => gateway.broadcast(this.who, payload(message), ids)));
  }

  /** The same with a value as JSON text; `invalid-argument` if JSON cannot hold it. */
  sendJson(value: unknown, options: { except?: Iterable<Client | string> } = {}): number {
    return this.send(json(value), options);
  }
}

/** Whom to send to. */
export const audience = {
  /** Clients on a path, or on all paths of a pattern such as `/rooms/{room}`. */
  path: (pattern: string) => new Audience({ tag: "path", val: wellFormed(pattern) }),
  /** All clients of a user. */
  user: (username: string) => new Audience({ tag: "user", val: wellFormed(username) }),
  /** All clients whose user has a role. */
  role: (role: string) => new Audience({ tag: "role", val: wellFormed(role) }),
  /** These clients; unknown ids are left out. */
  clients: (clients: Iterable<Client | string>) => new Audience({ tag: "ids", val: Array.from(clients, idOf) }),
};

/** The client with this id; undefined if there is none on the paths of this module. */
export function getClient(id: string): Client | undefined {
  const record = gateway.getClient(wellFormed(id)) ?? undefined;
  return record && new Client(record);
}

/** Clients on a path, or on all paths of a pattern, page by page. Who comes or goes meanwhile may be missed. */
export function clientsOnPath(path: string): IterableIterator<Client> {
  const on = wellFormed(path);
  return pages((cursor) => gateway.getClientsOnPath(on, cursor, PAGE_CLIENTS));
}

/** All clients of a user, page by page. Who comes or goes meanwhile may be missed. */
export function clientsOfUser(username: string): IterableIterator<Client> {
  const user = wellFormed(username);
  return pages((cursor) => gateway.getClientsOfUser(user, cursor, PAGE_CLIENTS));
}

/** How many clients this module may see. */
export const clientCount = (): number => Number(gateway.getClientCount());

/** Base path under which clients connect, e.g. `/websocket`. */
export const basePath = (): string => gateway.basePath();

/** Lets everything queued so far in this call leave now. What follows is all-or-nothing again. */
export function flush(): void {
  asking(() => gateway.flush());
}

function* pages(fetch: (cursor: string | undefined) => gateway.Page): IterableIterator<Client> {
  let cursor: string | undefined;
  do {
    const [clients, next] = asking(() => fetch(cursor));
    for (const client of clients) yield new Client(client);
    cursor = next ?? undefined;
  } while (cursor !== undefined);
}

const idOf = (client: Client | string): string => (typeof client === "string" ? wellFormed(client) : client.id);

function payload(message: Payload): gateway.Payload {
  if (typeof message === "string") return { tag: "text", val: wellFormed(message) };
  if (message instanceof Uint8Array) return { tag: "binary", val: message };
  throw new TypeError("a message is a string or a Uint8Array; for other values there is sendJson");
}

function json(value: unknown): string {
  const text = JSON.stringify(value) as string | undefined;
  if (text === undefined) throw new GatewayError("invalid-argument", `message: JSON cannot hold ${typeof value}`);
  return text;
}
