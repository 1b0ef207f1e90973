// The test page: one WebSocket at a time, and a log of everything that it carries.
//
// Invariant: nothing that was received or typed is ever parsed as HTML. It reaches the document
// through `textContent` and `value` alone.

const MAX_ROWS = 1000;
const MAX_SHOWN_CHARS = 16_384;
const MAX_SHOWN_BYTES = 512;
const MAX_PRETTY_DEPTH = 64;
const PROTOCOL = "sporegate";
const TOKEN_PREFIX = "bearer.";
const KEEPALIVE = '"keepalive"';

const STOP = "Stop: trying again as before will not help.";
const BACK_OFF = "Back off: wait, longer each time, before connecting again.";
const RETRY = "Connect again now.";

/** What each close code means, and what a client should do about it. */
const CLOSE_CODES = {
  1000: ["normal", "Nothing to do: the conversation is finished."],
  1001: ["going away", "The gateway is draining. Connect again after a short random wait."],
  1002: ["protocol error", "Stop: the client broke the WebSocket protocol."],
  1003: ["unsupported data", "Stop: this path does not take this kind of message."],
  1005: ["no code", "The other side closed without saying why. Connect again if you need to."],
  1006: ["connection lost", "No close frame arrived. Connect again, waiting longer each time."],
  1007: ["invalid data", "Stop: a text message was not valid UTF-8, or not JSON where only JSON is taken."],
  1008: ["policy", "Stop: a rule of the gateway was broken; the reason says which."],
  1009: ["message too big", "Send smaller messages, then connect again."],
  1011: ["internal error", "The gateway or a listener failed. " + BACK_OFF],
  1012: ["restart", "The gateway restarts. Connect again after a short random wait."],
  1013: ["overload", BACK_OFF],
  4001: ["bad request", STOP],
  4003: ["forbidden", STOP],
  4009: ["replaced", "Stop: another connection took over this session."],
  4010: ["forced", "Stop: an operator ended this session."],
  4011: ["revoked", "Stop: these credentials were withdrawn."],
  4101: ["rate limit", BACK_OFF],
  4102: ["slow consumer", "Read faster. " + BACK_OFF],
  4103: ["module unavailable", BACK_OFF],
  4201: ["no pong", RETRY],
  4202: ["idle", RETRY],
  4203: ["lifetime", "The connection reached its greatest age. " + RETRY],
  4401: ["credentials expired", "Get a new token, then connect again."],
};

/** The same for codes not named above, by their first two digits. */
const CLOSE_FAMILIES = {
  40: ["refused", STOP],
  41: ["busy", BACK_OFF],
  42: ["interrupted", RETRY],
  49: ["closed by a listener", "Its author says what this code means."],
};

/** Title and advice for people. `stage` is how far the connection had come: cancelled, refused or open. */
function explainClose(code, stage) {
  if (stage === "cancelled") return ["Cancelled", "The connection was given up before it opened."];
  if (stage === "refused") {
    return ["Refused or unreachable", "The connection never opened, and browsers hide the HTTP status. It can be 401 "
      + "(no or bad token), 403 (role or origin), 404 (no such path), 429 (too many) or 503 (full). The gateway's log "
      + "names it, and so does a command-line client."];
  }
  const [name, advice] = CLOSE_CODES[code] ?? CLOSE_FAMILIES[Math.floor(code / 100)] ?? ["", "No advice for this code."];
  return [`Closed: ${code} ${name}`.trim(), advice];
}

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

// ---- the connection: idle -> connecting -> open -> closing -> idle --------------------------

const basePath = location.pathname.replace(/\/test$/, "");
const STATES = { idle: "Not connected", connecting: "Connecting…", open: "Connected", closing: "Disconnecting…" };
let socket = null;
let tried = false;
let reconnecting = false;

function show(state) {
  $("status").dataset.state = state;
  $("status").textContent = STATES[state];
  $("connect").disabled = state !== "idle";
  $("disconnect").disabled = state === "idle" || state === "closing";
  $("reconnect").disabled = state === "closing" || !tried;
  $("send").disabled = state !== "open";
  $("session").hidden = state !== "open";
}

function clientUrl() {
  const path = $("path").value.trim().replace(/^\/*/, "/");
  const url = new URL(location.origin.replace(/^http/, "ws") + basePath + path);
  url.hash = "";
  return url;
}

function connect() {
  const token = $("token").value.trim();
  $("connection-error").textContent = "";
  $("closed").hidden = true;
  let opening;
  try {
    opening = new WebSocket(clientUrl(), token ? [PROTOCOL, TOKEN_PREFIX + token] : [PROTOCOL]);
  } catch {
    $("connection-error").textContent = token
      ? "The token or the path has a character that a WebSocket handshake cannot carry."
      : "The path has a character that a WebSocket handshake cannot carry.";
    return;
  }
  opening.binaryType = "arraybuffer";
  follow(opening);
  socket = opening;
  tried = true;
  show("connecting");
}

function follow(current) {
  let stage = "refused";
  let first = true;
  current.onopen = () => {
    stage = "open";
    record("event", `Connected to ${new URL(current.url).pathname}`);
    show("open");
  };
  current.onmessage = ({ data }) => {
    const hello = first ? greeting(data) : null;
    first = false;
    if (hello) conceal($("client-id"), hello.payload);
    record("received", data, hello ? JSON.stringify({ ...hello, payload: "••••••••" }) : data);
  };
  current.onclose = ({ code, reason }) => {
    if (stage === "refused" && $("status").dataset.state === "closing") stage = "cancelled";
    const [title, advice] = explainClose(code, stage);
    const titled = reason ? `${title} (${reason})` : title;
    record("event", `${titled}. ${advice}`);
    conceal($("client-id"), "");
    $("closed-title").textContent = titled;
    $("closed-advice").textContent = advice;
    $("closed").hidden = false;
    socket = null;
    show("idle");
    if (reconnecting) connect();
    reconnecting = false;
  };
}

function disconnect() {
  if (!socket) return;
  show("closing");
  socket.close(socket.readyState === WebSocket.OPEN ? 1000 : undefined);
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
  if (!socket) connect();
};
$("disconnect").onclick = disconnect;
$("reconnect").onclick = () => {
  reconnecting = socket !== null;
  if (socket) disconnect();
  else connect();
};
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
