// Everybody who is connected to a path hears what is said there.

import { audience, listener, match } from "@sporegate/guest";

export default listener({
  start() {
    // Evaluated by the gateway: other messages never enter this module.
    match().jsonEquals("/type", "say").listen("say");
  },

  onMessage(event) {
    const { text } = event.json();
    const who = event.client.username ?? "somebody";
    audience.path(event.client.path).sendJson({ type: "said", who, text });
    return "stop";
  },
});
