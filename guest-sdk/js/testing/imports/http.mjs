// `wasi:http`, answered by the function that the test has given.

import { current, refusal } from "../state.mjs";
import { DISPOSE, Handle } from "./handle.mjs";

const text = new TextDecoder();

export class Fields {
  static fromList = (list) => Object.assign(new Fields(), { list });
  entries() { return this.list; }
}

export class RequestOptions {
  setConnectTimeout(value) { this.timeout = value; }
  setFirstByteTimeout() {}
  setBetweenBytesTimeout() {}
}

export class OutgoingRequest extends Handle {
  request = { method: "GET", scheme: "http", authority: "", path: "/", body: [] };
  constructor(headers) {
    super();
    this.request.headers = Object.fromEntries(headers.list.map(([name, value]) => [name, text.decode(value)]));
  }
  setMethod({ tag, val }) { this.request.method = val ?? tag.toUpperCase(); }
  setScheme({ tag }) { this.request.scheme = tag.toLowerCase(); }
  setAuthority(value) { this.request.authority = value; }
  setPathWithQuery(value) { this.request.path = value; }
  body() { return Object.assign(new OutgoingBody(), { parts: this.request.body }); }
}

export class OutgoingBody extends Handle {
  write() { return Object.assign(new OutputStream(this), { parts: this.parts }); }
  static finish(body) { body[DISPOSE](); }
}

class OutputStream extends Handle {
  blockingWriteAndFlush(bytes) {
    if (bytes.length > 4096) throw new Error("more than 4096 bytes in one write");
    this.parts.push(...bytes);
  }
}

class Pollable extends Handle {
  block() { this.alive(); }
}

class FutureIncomingResponse extends Handle {
  subscribe() { return new Pollable(this); }
  get() {
    const { method, scheme, authority, path, headers, body } = this.request;
    const answer = current.gateway.http({ method, url: `${scheme}://${authority}${path}`, headers, body: text.decode(new Uint8Array(body)) });
    if (answer.error) return { tag: "ok", val: { tag: "err", val: answer.error } };
    return { tag: "ok", val: { tag: "ok", val: Object.assign(new IncomingResponse(), { answer }) } };
  }
}

class IncomingResponse extends Handle {
  status() { return this.answer.status ?? 200; }
  headers() {
    const list = Object.entries(this.answer.headers ?? {}).map(([name, value]) => [name, new TextEncoder().encode(value)]);
    const fields = new IncomingFields(this);
    return Object.assign(fields, { list });
  }
  consume() { return Object.assign(new IncomingBody(), { chunks: this.answer.chunks ?? [] }); }
}

class IncomingFields extends Handle {
  entries() { this.alive(); return this.list; }
}

export class IncomingBody extends Handle {
  stream() { return Object.assign(new InputStream(this), { chunks: this.chunks[Symbol.iterator]() }); }
}

class InputStream extends Handle {
  blockingRead() {
    this.alive();
    const { done, value } = this.chunks.next();
    if (done) throw refusal("closed");
    if (value instanceof Error) throw refusal("last-operation-failed", Object.assign(new IoError(), { code: { tag: value.message } }));
    return typeof value === "string" ? new TextEncoder().encode(value) : value;
  }
}

class IoError extends Handle {
  toDebugString() { return this.code.tag; }
}

export const httpErrorCode = (error) => error.code;

export function handle(request, options) {
  request[DISPOSE]();
  const answer = current.gateway.refuses(request.request);
  if (answer) throw refusal(answer);
  return Object.assign(new FutureIncomingResponse(), { request: request.request, options });
}
