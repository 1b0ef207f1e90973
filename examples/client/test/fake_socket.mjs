// Sockets that do what a test says, and a clock that moves when a test says so.
//
// Invariant: nothing happens by itself. A socket stays in its state until `opens`, `says` or `ends` is called.

import { mock } from "node:test";
import { setImmediate as turn } from "node:timers/promises";
import { connect } from "../sporegate-client.js";

const ID = "0123456789abcdef0123456789abcdef";

/** Starts a client with fake sockets, for one test; `sockets` and `told` are what it did. */
export function start(t, options = {}, url = "ws://gateway.test/websocket/echo") {
  const sockets = [];
  const told = [];
  class Fake {
    readyState = 0;
    sent = [];
    closes = [];
    constructor(...made) {
      [this.url, this.protocols] = made;
      sockets.push(this);
    }
    send(data) { this.sent.push(data); }
    close(...code) {
      this.closes.push(code[0]);
      if (this.readyState < 2) this.readyState = 2;
    }
    /** The handshake succeeds, and the gateway greets. */
    opens(greeting = {}) {
      this.readyState = 1;
      this.onopen?.({});
      this.says(JSON.stringify({ type: "setClientId", payload: ID, ...greeting }));
    }
    says(data) { this.onmessage({ data }); }
    ends(code = 1006, reason = "") {
      this.readyState = 3;
      if (code === 1006) this.onerror({});
      this.onclose({ code, reason });
    }
  }
  const note = (name) => (value) => {
    told.push([name, value]);
    options[name]?.(value);
  };
  const handlers = Object.fromEntries(["onmessage", "onopen", "ondown", "onend"].map((name) => [name, note(name)]));
  const client = connect(url, { WebSocket: Fake, ...options, ...handlers });
  t.after(() => client.close());
  return {
    client,
    sockets,
    told,
    /** The newest socket, after all that is due has happened. */
    async socket() {
      await turn();
      return sockets.at(-1);
    },
    all: (name) => told.filter(([what]) => what === name).map(([, value]) => value),
    last: (name) => told.findLast(([what]) => what === name)?.[1],
  };
}

/** For one test: setTimeout and Date stand still, and the dice always show `share`. */
export function stopTheClock(t, share = 0.5) {
  mock.timers.enable({ apis: ["setTimeout", "Date"] });
  const dice = { share };
  t.mock.method(Math, "random", () => dice.share);
  t.after(() => mock.timers.reset());
  return { dice, pass: (milliseconds) => mock.timers.tick(milliseconds) };
}
