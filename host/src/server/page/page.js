// The test page: one client that comes back, and a log of everything that its sockets carry.
//
// Invariant: nothing that was received or typed is ever parsed as HTML. It reaches the document
// through `textContent` and `value` alone.

import { explainClose, explainSession } from "./reasons.js";
import { connect as join } from "./sporegate-client.js";

const MAX_ROWS = 1000;
const MAX_SHOWN_CHARS = 16_384;
const MAX_SHOWN_BYTES = 512;
const MAX_PRETTY_DEPTH = 64;
const KEEPALIVE = '"keepalive"';

// ---- what a message looks like -------------------------------------------------------------

function isJson(text) {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

/** Indents valid JSON without touching its values (numbers keep every digit); null when too deep. */
function prettyJson(text) {
  let out = "";
  let depth = 0;
  const line = () => "\n" + "  ".repeat(depth);
  for (const [token] of text.matchAll(/"(?:[^"\\]|\\.)*"|[[{]\s*[\]}]|[[\]{},:]|[^\s[\]{},:"]+/g)) {
    if (token === "{" || token === "[") {
      depth += 1;
      if (depth > MAX_PRETTY_DEPTH) return null;
      out += token + line();
    } else if (token === "}" || token === "]") {
      depth -= 1;
      out += line() + token;
    } else if (token === ",") {
      out += token + line();
    } else {
      out += token === ":" ? ": " : token;
    }
  }
  return out;
}

function shownText(text, pretty) {
  if (text.length > MAX_SHOWN_CHARS) {
    return `${text.slice(0, MAX_SHOWN_CHARS)}\n… ${text.length - MAX_SHOWN_CHARS} more characters`;
  }
  return pretty && isJson(text) ? prettyJson(text) ?? text : text;
}

function shownBytes(buffer) {
  const bytes = new Uint8Array(buffer, 0, Math.min(buffer.byteLength, MAX_SHOWN_BYTES));
  const hex = Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join(" ");
  const more = buffer.byteLength - bytes.length;
  return more > 0 ? `${hex}\n… ${more} more bytes` : hex;
}

/** The greeting of the gateway, if this first message of a connection is one; else null. */
function greeting(text) {
  if (typeof text !== "string" || !isJson(text)) return null;
  const message = JSON.parse(text);
  return message?.type === "setClientId" && typeof message.payload === "string" ? message : null;
}

// ---- the log -------------------------------------------------------------------------------

const $ = (id) => document.getElementById(id);
const encoder = new TextEncoder();
const WAYS = { sent: "↑ sent", received: "↓ received", event: "• event" };

/** The last MAX_ROWS entries: `waiting` ones reach the document in the next frame, all at once. */
const log = { entries: [], waiting: [], sent: 0, received: 0 };

function record(way, data, shownAs = data) {
  const binary = typeof data !== "string";
  const entry = { way, at: new Date(), binary, keepalive: way === "received" && data === KEEPALIVE };
  entry.size = binary ? data.byteLength : encoder.encode(data).length;
  entry.body = binary ? shownBytes(data) : shownAs;
  if (way !== "event") log[way] += 1;
  log.waiting.push(entry);
  if (log.waiting.length > MAX_ROWS) log.waiting.shift();
  if (log.waiting.length === 1) requestAnimationFrame(showWaiting);
}

function showWaiting() {
  followingTheEnd(() => {
    const added = log.waiting.splice(0);
    $("rows").append(...added.map(row));
    log.entries.push(...added);
    for (const old of log.entries.splice(0, Math.max(0, log.entries.length - MAX_ROWS))) old.element.remove();
  });
  showCounts();
}

/** Changes the log; where its end was in view before, it is so afterwards. */
function followingTheEnd(change) {
  const view = $("log");
  const atEnd = view.scrollHeight - view.scrollTop - view.clientHeight < 40;
  change();
  if (atEnd) view.scrollTop = view.scrollHeight;
}

function showCounts() {
  $("empty").hidden = log.entries.length > 0;
  $("counts").textContent = `${log.sent} sent, ${log.received} received`;
}

function part(tag, className, text) {
  const element = document.createElement(tag);
  if (className) element.className = className;
  element.textContent = text;
  return element;
}

function row(entry) {
  const time = part("time", "", clock(entry.at));
  time.dateTime = entry.at.toISOString();
  const kind = entry.binary ? "binary" : "text";
  const element = document.createElement("li");
  element.dataset.way = entry.way;
  if (entry.keepalive) element.dataset.keepalive = "";
  element.append(time, part("span", "way", WAYS[entry.way]));
  if (entry.way !== "event") {
    element.dataset.kind = kind;
    element.append(part("span", "about", `${kind}, ${entry.size.toLocaleString("en")} B`));
  }
  entry.content = part("pre", "", "");
  element.append(entry.content);
  entry.element = element;
  showContent(entry);
  return element;
}

function showContent(entry) {
  const message = entry.way !== "event" && !entry.binary;
  entry.content.textContent = message ? shownText(entry.body, $("pretty").checked) : entry.body;
}

function clock(date) {
  const two = (n) => String(n).padStart(2, "0");
  const millis = String(date.getMilliseconds()).padStart(3, "0");
  return `${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}.${millis}`;
}

function clearLog() {
  Object.assign(log, { entries: [], waiting: [], sent: 0, received: 0 });
  $("rows").replaceChildren();
  showCounts();
}

// ---- the connection: idle -> connecting -> open -> waiting -> connecting …, and idle at the end ----

const basePath = location.pathname.replace(/\/test$/, "");
const STATES = { idle: "Not connected", connecting: "Connecting…", open: "Connected", waiting: "Lost, coming back…" };

/** The client of the page, and its newest socket; none when idle. */
let client = null;
let socket = null;
let tried = false;

function show(state) {
  $("status").dataset.state = state;
  $("status").textContent = STATES[state];
  $("connect").disabled = state !== "idle";
  $("disconnect").disabled = state === "idle";
  $("reconnect").disabled = !tried;
  $("send").disabled = state !== "open";
  $("session").hidden = state !== "open" && state !== "waiting";
}

function clientUrl() {
  const path = $("path").value.trim().replace(/^\/*/, "/");
  const url = new URL(location.origin.replace(/^http/, "ws") + basePath + path);
  url.hash = "";
  return url;
}

/** A socket that logs all that it carries: the client hands over neither greetings nor keep-alives. */
class Logged extends WebSocket {
  constructor(...made) {
    super(...made);
    socket = this;
    let first = true;
    this.addEventListener("open", () => {
      if (socket !== this) return;
      record("event", `Connected to ${new URL(this.url).pathname}`);
      show("open");
    });
    this.addEventListener("message", ({ data }) => {
      const hello = first ? greeting(data) : null;
      first = false;
      if (socket !== this) return;
      record("received", data, hello ? JSON.stringify({ ...hello, payload: "••••••••" }) : data);
    });
  }
}

function connect() {
  $("connection-error").textContent = "";
  $("closed").hidden = true;
  tried = true;
  show("connecting");
  const token = $("token").value.trim();
  let opened = false;
  const mine = client = join(clientUrl(), {
    WebSocket: Logged,
    token: () => token,
    onopen({ resumed, refused }) {
      opened = true;
      $("closed").hidden = true;
      conceal($("client-id"), mine.clientId ?? "");
      showSession(resumed, refused);
    },
    onmessage: showReceived,
    ondown({ code, reason, retryIn }) {
      // Where nobody greets it opens with the first message, if there ever is one.
      if (!opened && $("status").dataset.state !== "open") {
        over(explainClose(code, "refused"), "");
        return;
      }
      told(explainClose(code, "open"), reason, `Again in ${(retryIn / 1000).toFixed(1)} s.`);
      show("waiting");
    },
    onend({ code, reason }) {
      if (client !== mine) return;
      if (code === 0) {
        $("connection-error").textContent = token
          ? "The token or the path has a character that a WebSocket handshake cannot carry."
          : "The path has a character that a WebSocket handshake cannot carry.";
        idle();
      } else {
        over(explainClose(code, opened || code !== 1000 ? "open" : "cancelled"), reason);
      }
    },
  });
}

/** Shows how a connection ended, and what follows. */
function told([title, advice], reason, next) {
  const titled = reason ? `${title} (${reason})` : title;
  const then = next ? `${advice} ${next}` : advice;
  record("event", `${titled}. ${then}`);
  $("closed-title").textContent = titled;
  $("closed-advice").textContent = then;
  $("closed").hidden = false;
}

/** It ends, and nobody comes back. */
function over(why, reason) {
  told(why, reason, "");
  idle();
}

function idle() {
  const left = client;
  client = socket = null;
  left?.close();
  conceal($("client-id"), "");
  show("idle");
}

function showSession(resumed, refused) {
  const about = explainSession(resumed, refused);
  $("session-about").textContent = about;
  record("event", about);
  showReceived();
}

function showReceived() {
  const { received } = client;
  $("session-received").textContent = `${received.toLocaleString("en")} received in this session`;
}

function send() {
  const text = $("message").value;
  const asJson = document.querySelector("[name=kind]:checked").value === "json";
  complain("");
  if (asJson) {
    try {
      JSON.parse(text);
    } catch (error) {
      complain(`Not sent, this is not JSON: ${error.message}`);
      return;
    }
  }
  if (socket?.readyState !== WebSocket.OPEN) return;
  socket.send(text);
  record("sent", text);
}

function complain(text) {
  $("message-error").textContent = text;
  $("message").setAttribute("aria-invalid", String(text !== ""));
}

// ---- the controls --------------------------------------------------------------------------

/** Puts a secret into its field, masked again. */
function conceal(field, value) {
  field.value = value;
  reveal(document.querySelector(`[data-reveals="${field.id}"]`), false);
}

function reveal(button, shown) {
  $(button.dataset.reveals).type = shown ? "text" : "password";
  button.setAttribute("aria-pressed", String(shown));
  button.textContent = shown ? "Hide" : "Show";
}

/** Reads `#path=…&token=…` and takes the token out of the address bar and the history. */
function readFragment() {
  const given = new URLSearchParams(location.hash.slice(1));
  if (given.has("path")) $("path").value = given.get("path");
  if (!given.has("token")) return;
  conceal($("token"), given.get("token"));
  given.delete("token");
  const rest = String(given).replaceAll("%2F", "/");
  history.replaceState(null, "", location.pathname + (rest && `#${rest}`));
}

$("base").textContent = basePath;
$("connection").onsubmit = (event) => {
  event.preventDefault();
  if (!client) connect();
};
$("disconnect").onclick = () => client?.close();
$("reconnect").onclick = () => {
  if (!client) return connect();
  record("event", "Leaving this connection for another.");
  show("connecting");
  client.reconnect();
};
addEventListener("online", () => client?.state === "waiting" && client.reconnect());
$("sending").onsubmit = (event) => {
  event.preventDefault();
  send();
};
$("message").onkeydown = (event) => {
  if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) send();
};
$("message").oninput = () => complain("");
$("clear").onclick = clearLog;
$("pretty").onchange = () => followingTheEnd(() => log.entries.forEach(showContent));
$("hide-keepalives").onchange = ({ target }) => followingTheEnd(() => {
  $("log").classList.toggle("hide-keepalives", target.checked);
});
for (const button of document.querySelectorAll("[data-reveals]")) {
  button.onclick = () => reveal(button, $(button.dataset.reveals).type === "password");
}
addEventListener("hashchange", readFragment);
readFragment();
show("idle");
