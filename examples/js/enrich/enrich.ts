// Asks an HTTP service about a name, and passes its answer on line by line, as it comes in.

import { flush, listener, match, type MessageEvent } from "@sporegate/guest";
import { config } from "@sporegate/guest/config";
import { HttpError, request } from "@sporegate/guest/http";

let service = "";

export default listener({
  start() {
    const value = config("service");
    if (!value) throw new Error("set config.service to the base URL of the service, e.g. http://127.0.0.1:9000");
    service = value;
    match().listen("enrich");
  },

  onMessage(event) {
    if (typeof event.message !== "string" || !/^[a-z0-9-]{1,64}$/.test(event.message)) {
      event.replyJson({ error: "a name is 1-64 of a-z, 0-9 and -" });
      return "stop";
    }
    try {
      pass(event, `${service}/items/${event.message}`);
    } catch (error) {
      if (!(error instanceof HttpError)) throw error;
      event.replyJson({ error: error.message });
    }
    return "stop";
  },
});

function pass(event: MessageEvent, url: string) {
  const answer = request(url);
  event.replyJson({ status: answer.status });
  flush();
  let lines = 0;
  for (const line of answer.lines()) {
    event.replyJson({ line });
    flush();
    lines += 1;
  }
  event.replyJson({ done: true, lines });
}
