// The imports of a component, as both engines give them: those of `wit/` that this package uses.
//
// Invariant: names and shapes are those of the interface. An absent option is undefined or null, and a u64
// that comes in is a number on one engine and a bigint on the other.

declare module "sporegate:gateway/clients@1.0.0" {
  export type Payload = { tag: "text"; val: string } | { tag: "binary"; val: Uint8Array };
  export type Audience =
    | { tag: "ids"; val: string[] }
    | { tag: "path"; val: string }
    | { tag: "user"; val: string }
    | { tag: "role"; val: string };
  export interface Client {
    id: string;
    connectPath: string;
    username?: string | null;
    roles: string[];
  }
  export type Page = [Client[], string | null | undefined];
  export function basePath(): string;
  export function getClient(id: string): Client | null | undefined;
  export function getClientsOnPath(path: string, cursor: string | undefined, limit: number): Page;
  export function getClientsOfUser(username: string, cursor: string | undefined, limit: number): Page;
  export function getClientCount(): number | bigint;
  export function getClaims(id: string): string | null | undefined;
  export function sendMessage(to: string, message: Payload): void;
  export function broadcast(to: Audience, message: Payload, except: string[]): number | bigint;
  export function close(id: string, code: number, reason: string): void;
  export function flush(): void;
}

declare module "sporegate:gateway/listeners@1.0.0" {
  export type JsonTest = { tag: "exists" } | { tag: "equals"; val: string } | { tag: "one-of"; val: string[] };
  export type ContentTest =
    | { tag: "is-text" }
    | { tag: "is-binary" }
    | { tag: "text-equals" | "text-prefix" | "text-contains" | "text-regex"; val: string }
    | { tag: "binary-prefix"; val: Uint8Array }
    | { tag: "json"; val: { pointer: string; test: JsonTest } };
  export interface MessageMatcher {
    path?: string | undefined;
    content: ContentTest[];
    roles: string[];
  }
  export function addMessageListener(name: string, matcher: MessageMatcher, priority: number): void;
  export function removeMessageListener(name: string): void;
  export function addDisconnectListener(name: string, path: string | undefined): void;
  export function removeDisconnectListener(name: string): void;
}

declare module "wasi:config/store@0.2.0-rc.1" {
  export function get(key: string): string | null | undefined;
  export function getAll(): [string, string][];
}

declare module "wasi:keyvalue/store@0.2.0-draft" {
  export type Error = { tag: "no-such-store" | "access-denied" } | { tag: "other"; val: string };
  export interface KeyResponse {
    keys: string[];
    cursor?: number | bigint | null;
  }
  export function open(identifier: string): Bucket;
  export class Bucket {
    get(key: string): Uint8Array | null | undefined;
    set(key: string, value: Uint8Array): void;
    delete(key: string): void;
    exists(key: string): boolean;
    listKeys(cursor: number | bigint | undefined): KeyResponse;
  }
}

declare module "wasi:keyvalue/atomics@0.2.0-draft" {
  import type { Bucket } from "wasi:keyvalue/store@0.2.0-draft";
  export function increment(bucket: Bucket, key: string, delta: bigint): number | bigint;
}

declare module "wasi:keyvalue/batch@0.2.0-draft" {
  import type { Bucket } from "wasi:keyvalue/store@0.2.0-draft";
  export function getMany(bucket: Bucket, keys: string[]): ([string, Uint8Array] | null | undefined)[];
  export function setMany(bucket: Bucket, keyValues: [string, Uint8Array][]): void;
  export function deleteMany(bucket: Bucket, keys: string[]): void;
}

declare module "wasi:io/poll@0.2.12" {
  export class Pollable {
    block(): void;
  }
}

declare module "wasi:io/error@0.2.12" {
  export class Error {
    toDebugString(): string;
  }
}

declare module "wasi:io/streams@0.2.12" {
  import type { Error } from "wasi:io/error@0.2.12";
  export type StreamError = { tag: "closed" } | { tag: "last-operation-failed"; val: Error };
  export class InputStream {
    blockingRead(length: bigint): Uint8Array;
  }
  export class OutputStream {
    blockingWriteAndFlush(bytes: Uint8Array): void;
  }
}

declare module "wasi:cli/stdout@0.2.12" {
  import type { OutputStream } from "wasi:io/streams@0.2.12";
  export function getStdout(): OutputStream;
}

declare module "wasi:cli/stderr@0.2.12" {
  import type { OutputStream } from "wasi:io/streams@0.2.12";
  export function getStderr(): OutputStream;
}

declare module "wasi:random/insecure-seed@0.2.12" {
  export function insecureSeed(): [number | bigint, number | bigint];
}

declare module "wasi:http/types@0.2.12" {
  import type { Error as IoError } from "wasi:io/error@0.2.12";
  import type { Pollable } from "wasi:io/poll@0.2.12";
  import type { InputStream, OutputStream } from "wasi:io/streams@0.2.12";
  export type Method =
    | { tag: "get" | "head" | "post" | "put" | "delete" | "connect" | "options" | "trace" | "patch" }
    | { tag: "other"; val: string };
  export type Scheme = { tag: "HTTP" } | { tag: "HTTPS" };
  export type ErrorCode = { tag: string; val?: unknown };
  export type Result<T, E> = { tag: "ok"; val: T } | { tag: "err"; val: E };
  export class Fields {
    static fromList(entries: [string, Uint8Array][]): Fields;
    entries(): [string, Uint8Array][];
  }
  export class OutgoingRequest {
    constructor(headers: Fields);
    setMethod(method: Method): void;
    setScheme(scheme: Scheme | undefined): void;
    setAuthority(authority: string | undefined): void;
    setPathWithQuery(path: string | undefined): void;
    body(): OutgoingBody;
  }
  export class OutgoingBody {
    write(): OutputStream;
    static finish(body: OutgoingBody, trailers: Fields | undefined): void;
  }
  export class RequestOptions {
    constructor();
    setConnectTimeout(nanoseconds: bigint | undefined): void;
    setFirstByteTimeout(nanoseconds: bigint | undefined): void;
    setBetweenBytesTimeout(nanoseconds: bigint | undefined): void;
  }
  export class FutureIncomingResponse {
    subscribe(): Pollable;
    get(): Result<Result<IncomingResponse, ErrorCode>, void> | null | undefined;
  }
  export class IncomingResponse {
    status(): number;
    headers(): Fields;
    consume(): IncomingBody;
  }
  export class IncomingBody {
    stream(): InputStream;
  }
  export function httpErrorCode(error: IoError): ErrorCode | null | undefined;
}

declare module "wasi:http/outgoing-handler@0.2.12" {
  import type { FutureIncomingResponse, OutgoingRequest, RequestOptions } from "wasi:http/types@0.2.12";
  export function handle(request: OutgoingRequest, options: RequestOptions | undefined): FutureIncomingResponse;
}
