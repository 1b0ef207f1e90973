/// <reference path="./wit.d.ts" />
// Requests to HTTP services that the operator grants to this module, in `[http]` of its sidecar. They block: no other
// call enters the instance meanwhile, while the gateway goes on. On StarlingMonkey there is `fetch` besides.
//
// Invariant: no handle of the host outlives the call of the gateway in which the request was made.

import { handle } from "wasi:http/outgoing-handler@0.2.12";
import { Fields, httpErrorCode, IncomingBody, OutgoingBody, OutgoingRequest, RequestOptions } from "wasi:http/types@0.2.12";
import type { ErrorCode, IncomingResponse, Method } from "wasi:http/types@0.2.12";
import type { InputStream, StreamError } from "wasi:io/streams@0.2.12";
import { given, giveBack, held } from "./call.js";
import { u64 } from "./engine.js";
import { decoder, encode, wellFormed } from "./text.js";

const READ_BYTES = 16 << 10;
/** What one write to a WASI stream may hold. */
const WRITE_BYTES = 4096;
const METHODS = ["get", "head", "post", "put", "delete", "connect", "options", "trace", "patch"];

/** The request has failed, or the answer broke off. */
export class HttpError extends Error {
  override readonly name = "HttpError";
  /** The case of `wasi:http`, e.g. `connection-refused`, `HTTP-request-denied`; for programs. */
  readonly code: string;

  constructor(code: string, message: string) {
    super(message);
    this.code = code;
  }
}

export interface RequestInit {
  /** GET unless said otherwise. */
  method?: string;
  headers?: Record<string, string>;
  body?: string | Uint8Array;
  /** Milliseconds for the connection, for the first byte, and between bytes; each. The gateway's limits hold besides. */
  timeoutMs?: number;
}

/** Sends a request and waits for the head of the answer. Throws `HttpError`, and `TypeError` for an address that is none. */
export function request(url: string, init: RequestInit = {}): Response {
  const wanted = wellFormed(url);
  const parts = /^(https?):\/\/([^/?#\s]+)([^#\s]*)/i.exec(wanted);
  if (!parts) throw new TypeError(`not an http or https URL: ${wanted}`);
  const [, scheme = "", authority = "", rest = ""] = parts;
  const what = `${(init.method ?? "GET").toUpperCase()} ${wanted}`;
  try {
    const outgoing = held(new OutgoingRequest(Fields.fromList(pairs(init.headers ?? {}))));
    outgoing.setMethod(method(init.method ?? "GET"));
    outgoing.setScheme({ tag: scheme.toLowerCase() === "https" ? "HTTPS" : "HTTP" });
    outgoing.setAuthority(authority);
    outgoing.setPathWithQuery(rest.startsWith("/") ? rest : `/${rest}`);
    const body = init.body === undefined ? undefined : held(outgoing.body());
    const future = held(handle(given(outgoing), options(init.timeoutMs)));
    if (body) send(body, init.body ?? "");
    const pollable = held(future.subscribe());
    pollable.block();
    giveBack(pollable);
    const answer = future.get();
    giveBack(future);
    if (answer?.tag !== "ok") throw new HttpError("internal-error", `${what}: no answer`);
    if (answer.val.tag === "err") throw failed(what, answer.val.val);
    return new Response(what, answer.val.val);
  } catch (thrown) {
    throw refusal(what, thrown);
  }
}

/** The answer to a request, whose body is read once, as it comes in. It lasts as long as the call in which it was made. */
export class Response {
  readonly status: number;
  /** By names in lower case; several values of one name are joined by a comma. */
  readonly headers: Readonly<Record<string, string>>;
  #body: IncomingBody | undefined;

  constructor(private readonly what: string, response: IncomingResponse) {
    held(response);
    this.status = response.status();
    const fields = held(response.headers());
    const headers: Record<string, string> = {};
    for (const [name, value] of fields.entries()) {
      const key = name.toLowerCase();
      const text = decoder("replace").decode(value);
      headers[key] = headers[key] === undefined ? text : `${headers[key]}, ${text}`;
    }
    this.headers = headers;
    giveBack(fields);
    this.#body = held(response.consume());
    giveBack(response);
  }

  /** The body, piece by piece. Throws `HttpError` where it breaks off. */
  *chunks(): IterableIterator<Uint8Array> {
    const body = this.#body;
    if (!body) throw new TypeError("the body was read already");
    this.#body = undefined;
    const stream = held(body.stream());
    try {
      for (;;) {
        const bytes = this.#read(stream);
        if (!bytes) return;
        if (bytes.length > 0) yield bytes;
      }
    } finally {
      giveBack(stream);
      giveBack(body);
    }
  }

  /** The body line by line, without their ends: what stands after the last one is a line, too, unless it is empty. */
  *lines(): IterableIterator<string> {
    const utf8 = decoder("replace");
    let rest = "";
    for (const chunk of this.chunks()) {
      const lines = (rest + utf8.decode(chunk, { stream: true })).split("\n");
      rest = lines.pop() ?? "";
      yield* lines;
    }
    rest += utf8.decode();
    if (rest !== "") yield rest;
  }

  /** The whole body as text, bad bytes replaced. */
  text(): string {
    const utf8 = decoder("replace");
    let text = "";
    for (const chunk of this.chunks()) text += utf8.decode(chunk, { stream: true });
    return text + utf8.decode();
  }

  /** The whole body read as JSON. */
  json<T = unknown>(): T {
    return JSON.parse(this.text()) as T;
  }

  #read(stream: InputStream): Uint8Array | undefined {
    try {
      return stream.blockingRead(u64(READ_BYTES));
    } catch (thrown) {
      const error = (thrown as { payload?: StreamError } | null)?.payload;
      if (error?.tag === "closed") return undefined;
      if (error?.tag !== "last-operation-failed") throw thrown;
      const cause = held(error.val);
      const code = httpErrorCode(cause) ?? { tag: "internal-error", val: cause.toDebugString() };
      giveBack(cause);
      throw failed(`${this.what}: the answer broke off`, code);
    }
  }
}

function send(body: OutgoingBody, content: string | Uint8Array): void {
  const bytes = typeof content === "string" ? encode(content) : content;
  const stream = held(body.write());
  for (let at = 0; at < bytes.length; at += WRITE_BYTES) {
    stream.blockingWriteAndFlush(bytes.subarray(at, at + WRITE_BYTES));
  }
  giveBack(stream);
  OutgoingBody.finish(given(body), undefined);
}

function options(timeoutMs: number | undefined): RequestOptions | undefined {
  if (timeoutMs === undefined) return undefined;
  const options = new RequestOptions();
  const nanoseconds = u64(Math.round(timeoutMs * 1e6));
  options.setConnectTimeout(nanoseconds);
  options.setFirstByteTimeout(nanoseconds);
  options.setBetweenBytesTimeout(nanoseconds);
  return options;
}

function method(name: string): Method {
  const tag = name.toLowerCase();
  return METHODS.includes(tag) ? ({ tag } as Method) : { tag: "other", val: wellFormed(name) };
}

const pairs = (headers: Record<string, string>) =>
  Object.entries(headers).map(([name, value]): [string, Uint8Array] => [wellFormed(name), encode(value)]);

/** What the host refuses at once comes as an exception with the case in it. */
function refusal(what: string, thrown: unknown): unknown {
  const code = (thrown as { payload?: ErrorCode } | null)?.payload;
  return typeof code?.tag === "string" ? failed(what, code) : thrown;
}

function failed(what: string, { tag, val }: ErrorCode): HttpError {
  const detail = val === undefined || val === null ? "" : ` (${typeof val === "object" ? JSON.stringify(val, numbers) : val})`;
  return new HttpError(tag, `${what}: ${tag}${detail}`);
}

const numbers = (_key: string, value: unknown) => (typeof value === "bigint" ? Number(value) : value);
