// A gateway for tests of listeners: no component, no sockets. It calls the listener as the gateway does, and keeps what
// it sends; a call that throws has sent nothing.
//
// What it does not do: it evaluates no matcher (a test says which listener a message is for, if there is more than one),
// and has no grants but buckets, next to no limits, and no other modules.

import { listenerExports, stateExports } from "../src/exports.ts";
import { current, refusal } from "./state.mjs";

const node = { waits: true, awake() {} };
const refuse = () => ({ error: { tag: "connection-refused" } });
let loads = 0;

/** Loads the source of a listener anew, and starts it. Throws what its `start` throws, as text. */
export async function load(source, { config = {}, http = refuse, buckets = {}, state } = {}) {
  const gateway = new TestGateway(config, http, buckets);
  current.gateway = gateway;
  const module = await import(`${new URL(source)}?listener=${loads++}`);
  gateway.exports = listenerExports(module.default, node);
  gateway.state = module.state && stateExports(module.state, node);
  await gateway.call(() => gateway.exports.lifecycle.start());
  if (state) await gateway.call(() => gateway.state.importState(state));
  return gateway;
}

class TestGateway {
  /** By name: matcher and priority. */
  listeners = new Map();
  /** By name: path. */
  disconnectListeners = new Map();
  connected = [];
  handles = new Set();
  #queued = [];
  #made = 0;

  constructor(config, http, buckets) {
    this.config = config;
    this.http = http;
    this.buckets = buckets;
  }

  /** A client on a path. It has an inbox, can say something, and leave. */
  connect(path, { username, roles = [], claims } = {}) {
    const id = `client-${String(++this.#made).padStart(2, "0")}`;
    const client = new TestClient(this, { id, connectPath: path, username, roles }, claims);
    this.connected.push(client);
    return client;
  }

  /** What the module would hand over to its next revision. */
  exportState() {
    return this.call(() => this.state.exportState());
  }

  /** Calls the module: what it has queued leaves if it returns. */
  async call(body) {
    current.gateway = this;
    this.#queued = [];
    const value = await body();
    this.flush();
    if (this.handles.size > 0) throw new Error(`handles outlive the call: ${[...this.handles].map((one) => one.constructor.name)}`);
    return value;
  }

  client(id) {
    return this.connected.find((client) => client.id === id);
  }

  claims(id) {
    const { claims } = this.client(id) ?? {};
    return claims && JSON.stringify(claims);
  }

  page(audience, cursor, limit) {
    const all = this.#who(audience);
    const from = Number(cursor ?? 0);
    // Pages of two, so that tests meet more than one.
    const to = from + Math.min(limit, 2);
    return [all.slice(from, to).map(({ record }) => record), to < all.length ? String(to) : undefined];
  }

  send(to, message) {
    const client = this.client(to);
    if (!client) throw refusal("not-found");
    this.#queued.push(() => client.inbox.push(message.val));
  }

  broadcast(audience, message, except) {
    const to = this.#who(audience).filter(({ id }) => !except.includes(id));
    this.#queued.push(...to.map(({ inbox }) => () => inbox.push(message.val)));
    return to.length;
  }

  close(id, code, reason) {
    if (code !== 1000 && (code < 4900 || code > 4999)) throw refusal("invalid-argument", `code: ${code}`);
    const client = this.client(id);
    if (!client) throw refusal("not-found");
    this.#queued.push(() => (client.closed = { code, reason }));
  }

  flush() {
    for (const effect of this.#queued.splice(0)) effect();
  }

  /** The case with which a request is refused before it is sent; undefined if it is not. */
  refuses({ authority }) {
    return this.config.refuses === authority ? "HTTP-request-denied" : undefined;
  }

  #who({ tag, val }) {
    const test = {
      ids: ({ id }) => val.includes(id),
      path: ({ connectPath }) => pattern(val).test(connectPath),
      user: ({ username }) => username === val,
      role: ({ roles }) => roles.includes(val),
    }[tag];
    return this.connected.filter(({ record }) => test(record));
  }
}

class TestClient {
  /** All that it was sent, text as strings, binary as bytes. */
  inbox = [];
  /** Code and reason, once a listener has closed it. */
  closed = undefined;
  #said = 0;

  constructor(gateway, record, claims) {
    this.gateway = gateway;
    this.record = record;
    this.claims = claims;
    this.id = record.id;
  }

  /** Has a listener called with this message; the only one, if none is named. Gives the outcome. */
  says(message, { listener, pathParams = {} } = {}) {
    const { listeners, exports } = this.gateway;
    const name = listener ?? only(listeners, "message");
    const payload = typeof message === "string" ? { tag: "text", val: message } : { tag: "binary", val: message };
    const event = { listener: name, client: this.record, message: payload, pathParams: Object.entries(pathParams) };
    const when = { sequence: BigInt(++this.#said), receivedAtMs: BigInt(Date.now()), traceparent: undefined };
    return this.gateway.call(() => exports.messageHandler.onMessage({ ...event, ...when }));
  }

  /** Its connection ends, and the disconnect listener is told. */
  leaves({ code = 1000, reason = "", listener } = {}) {
    const { disconnectListeners, exports } = this.gateway;
    this.gateway.connected.splice(this.gateway.connected.indexOf(this), 1);
    const name = listener ?? only(disconnectListeners, "disconnect");
    return this.gateway.call(() => exports.disconnectHandler.onDisconnect({ listener: name, client: this.record, code, reason }));
  }

  /** Takes what is in the inbox. */
  takes() {
    return this.inbox.splice(0);
  }
}

function only(listeners, what) {
  if (listeners.size !== 1) throw new Error(`there are ${listeners.size} ${what} listeners: say which one`);
  return listeners.keys().next().value;
}

/** `/rooms/{room}/*` as a regular expression. */
function pattern(path) {
  const parts = path.split("/").map((part) => (/^\{.*\}$/.test(part) ? "[^/]+" : part === "*" ? ".*" : part.replace(/[^\w-]/g, "\\$&")));
  return new RegExp(`^${parts.join("/")}$`);
}
