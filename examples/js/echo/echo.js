// Answers every message with itself: text as text, binary as binary.

import { listener, match } from "@sporegate/guest";

export default listener({
  start() {
    match().listen("echo");
  },

  onMessage(event) {
    event.reply(event.message);
    return "stop";
  },
});
