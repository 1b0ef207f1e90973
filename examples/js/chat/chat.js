// Chat rooms: everybody who is connected to `/chat/{room}` is in that room.

import { audience, clientsOnPath, listenForDisconnects, listener, match } from "@sporegate/guest";

/** @import { Client, MessageEvent } from "@sporegate/guest" */

const ROOMS = "/chat/{room}";

export default listener({
  start() {
    match(ROOMS).listen("chat");
    listenForDisconnects("farewell", ROOMS);
  },

  onMessage(event) {
    const who = name(event.client);
    const everybody = audience.path(event.client.path);
    const { type, text } = request(event);
    if (type === "join") {
      everybody.sendJson({ type: "joined", who, room: event.pathParams.room });
    } else if (type === "say" && typeof text === "string") {
      everybody.sendJson({ type: "said", who, text });
    } else if (type === "who") {
      event.replyJson({ type: "present", who: Array.from(clientsOnPath(event.client.path), name) });
    } else if (type === "leave") {
      event.client.close(1000, "see you");
    } else {
      event.replyJson({ type: "error", problem: "say join, say with a text, who or leave, as JSON" });
    }
    return "stop";
  },

  onDisconnect({ client }) {
    audience.path(client.path).sendJson({ type: "left", who: name(client) });
  },
});

/** What was asked; nothing if it is no JSON object. @param {MessageEvent} event @returns {Record<string, unknown>} */
function request(event) {
  try {
    return Object(event.json());
  } catch {
    return {};
  }
}

/** @param {Client} client */
function name(client) {
  return client.username ?? "somebody";
}
