// A client of the gateway that comes back: it resumes its session, and each message is handed over once.
//
// Invariant: `received` is the number of messages of this session that `onmessage` was called with.
// A message of a socket that is not the current one is neither handed over nor counted.
//
//   connecting --greeting--> open --lost--> waiting --its time is over--> connecting
//       |                      |               |
//       +----------------------+---------------+--close(), or a code that says stop--> ended

const KEEPALIVE = '"keepalive"';
const CONNECTING = 0;
const OPEN = 1;

/** Codes below 4000 after which trying again as before does not help, or nobody wants to. */
const STOP = [1000, 1002, 1003, 1007, 1008, 1009];

/** Codes below 4000 that ask for time, or that all clients get at once. */
const LATER = [1001, 1012, 1013];

/** The gateway's first message on a socket, if this is one. */
function greeting(data) {
  try {
    const message = JSON.parse(data);
    return message.type === "setClientId" ? message : undefined;
  } catch {
    return undefined;
  }
}

/** How much longer the first wait after this code is, as a power of two; -1: no wait, but the end. */
function patience(code) {
  const family = Math.floor(code / 100);
  if (STOP.includes(code) || family === 40 || family === 49) return -1;
  if (family === 42 || family === 44) return 0;
  return family === 41 || LATER.includes(code) ? 4 : 1;
}

export function connect(url, options = {}) {
  const {
    token, protocols = [], WebSocket: Socket = WebSocket,
    minDelay = 250, maxDelay = 30_000, timeout = 10_000, silence = 0, buffer = 0, greeting: greets = true,
  } = options;
  const base = new URL(url, globalThis.location?.href);
  base.protocol = base.protocol.replace("http", "ws");
  base.hash = "";

  /** Each attempt has an object of its own: who is not the current one is not listened to. */
  let attempt;
  let socket;
  let timer;
  let bearer;
  let renew = true;
  let openedAt;
  let tries = 0;
  /** An attempt was given up whose request may still be on its way: it may take the session over. */
  let straying = false;

  const client = { state: "connecting", clientId: undefined, received: 0, queue: [], send, reconnect, close };

  /** A handler that throws must not change what happens next; the environment reports its error. */
  function tell(handler, value) {
    try {
      options[handler]?.(value);
    } catch (error) {
      queueMicrotask(() => { throw error; });
    }
  }

  function after(milliseconds, action) {
    clearTimeout(timer);
    timer = milliseconds ? setTimeout(action, milliseconds) : undefined;
  }

  /** Leaves the current attempt. Without a code the session goes on: the gateway ends it for 1000. */
  function leave(code) {
    const left = socket;
    straying ||= client.state === "connecting" && client.clientId && left?.readyState <= OPEN;
    attempt = socket = undefined;
    after(0);
    left?.close(code);
  }

  function end(code, reason) {
    leave();
    client.state = "ended";
    tell("onend", { code, reason });
  }

  function down(code, reason) {
    const power = code === 4009 && straying ? 0 : patience(code);
    if (code === 4009) straying = false;
    if (power < 0) return end(code, reason);
    leave();
    const opened = client.state === "open";
    const longest = () => Math.min(maxDelay, minDelay * 2 ** (tries + power));
    // Else who is accepted and closed at once would never wait longer.
    if (opened && Date.now() - openedAt > longest()) tries = 0;
    renew = !opened || Math.floor(code / 100) === 44;
    const retryIn = Math.random() * longest();
    tries += 1;
    client.state = "waiting";
    after(Math.max(1, retryIn), open);
    tell("ondown", { code, reason, opened, retryIn });
  }

  const silent = () => down(1006, "timeout");

  function target() {
    const { clientId, received } = client;
    const to = new URL(base);
    if (clientId) to.search += `${to.search ? "&" : "?"}clientId=${encodeURIComponent(clientId)}&received=${received}`;
    return to.href;
  }

  async function open() {
    const mine = attempt = {};
    let greeted = !greets;
    client.state = "connecting";
    after(timeout, silent);
    let credentials = bearer;
    try {
      if (renew) credentials = await token?.();
    } catch (error) {
      if (attempt === mine) down(0, String(error));
      return;
    }
    if (attempt !== mine) return;
    bearer = credentials;
    renew = false;
    try {
      socket = new Socket(target(), [...protocols, "sporegate", ...(bearer ? [`bearer.${bearer}`] : [])]);
    } catch (error) {
      end(0, String(error));
      return;
    }
    socket.binaryType = "arraybuffer";
    socket.onopen = () => {
      if (attempt !== mine) return;
      after(silence, silent);
      if (greeted) begin();
    };
    // A close follows, with its code; but not in Node 22 where an attempt fails. `ws` wants a handler.
    socket.onerror = () => attempt === mine && socket.readyState === CONNECTING && down(1006, "");
    socket.onclose = ({ code, reason }) => attempt === mine && down(code, reason);
    socket.onmessage = ({ data }) => {
      if (attempt !== mine) return;
      after(silence, silent);
      if (!greeted) {
        greeted = true;
        const hello = greeting(data);
        begin(hello);
        if (hello) return;
      }
      if (attempt !== mine || data === KEEPALIVE) return;
      client.received += 1;
      tell("onmessage", data);
    };
  }

  function begin({ payload, resumed = false, refused } = {}) {
    client.clientId = payload;
    if (!resumed) client.received = 0;
    client.state = "open";
    openedAt = Date.now();
    tell("onopen", { resumed, refused });
    while (client.queue.length && isOpen()) socket.send(client.queue.shift());
  }

  function isOpen() {
    return client.state === "open" && socket.readyState === OPEN;
  }

  function send(data) {
    if (isOpen()) {
      socket.send(data);
      return true;
    }
    return client.state !== "ended" && client.queue.length < buffer && client.queue.push(data) > 0;
  }

  function reconnect() {
    if (client.state === "ended") return;
    leave();
    open();
  }

  function close() {
    if (client.state === "ended") return;
    leave(1000);
    end(1000, "");
  }

  open();
  return client;
}
