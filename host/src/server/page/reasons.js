// What the gateway's close codes and refusals mean, for people.
//
// Invariant: each code that the gateway sends is in the table; the document with all of them is README.md.

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
export function explainClose(code, stage) {
  if (stage === "cancelled") return ["Cancelled", "The connection was given up before it opened."];
  if (stage === "refused") {
    return ["Refused or unreachable", "The connection never opened, and browsers hide the HTTP status. It can be 401 "
      + "(no or bad token), 403 (role or origin), 404 (no such path), 429 (too many) or 503 (full). The gateway's log "
      + "names it, and so does a command-line client."];
  }
  const [name, advice] = CLOSE_CODES[code] ?? CLOSE_FAMILIES[Math.floor(code / 100)] ?? ["", "No advice for this code."];
  return [`Closed: ${code} ${name}`.trim(), advice];
}

/** Why the session before does not go on. */
const REFUSALS = {
  expired: "you were away for longer than it waits",
  evicted: "too much was kept for clients who are away",
  gap: "not all that you missed is there any more",
  principal: "it belongs to other roles or to another path",
  unknown: "there is no such session",
};

/** What the greeting says of the session. */
export function explainSession(resumed, refused) {
  if (resumed) return "Resumed: the session goes on.";
  return refused ? `A new session: ${REFUSALS[refused] ?? "the gateway says why"} (${refused}).` : "A new session.";
}
