// Everybody who is connected to a path hears what is said there.

import { audience, listener, match, type MessageEvent } from "@sporegate/guest";

interface Say {
  type: "say";
  text: string;
}

export default listener({
  start() {
    // Evaluated by the gateway: other messages never enter this module.
    match().jsonEquals("/type", "say").listen("say");
  },

  onMessage(event: MessageEvent) {
    const { text } = event.json() as Say;
    const who = event.client.username ?? "somebody";
    audience.path(event.client.path).sendJson({ type: "said", who, text });
    return "stop";
  },
});
