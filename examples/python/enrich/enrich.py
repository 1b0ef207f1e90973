"""Calls an HTTP service and streams its answer: each line leaves as soon as it has come."""

import re

from sporegate import Listener, Matcher, MessageEvent, Outcome, config, export, flush, http

NAME = re.compile(r"[a-z0-9-]{1,64}")


@export
class Enrich(Listener):
    def start(self) -> None:
        service = config.get("service")
        if not service:
            raise ValueError("set config.service to the base URL of the service")
        self.service = service.rstrip("/")
        Matcher().listen("enrich")

    def on_message(self, event: MessageEvent) -> Outcome:
        name = event.text or ""
        if not NAME.fullmatch(name):
            event.reply_json({"error": "a name is 1-64 of a-z, 0-9 and -"})
            return Outcome.STOP
        try:
            self.stream(event, f"{self.service}/items/{name}")
        except http.HttpError as error:
            event.reply_json({"error": str(error)})
        return Outcome.STOP

    def stream(self, event: MessageEvent, url: str) -> None:
        with http.get(url) as response:
            event.reply_json({"status": response.status})
            lines = 0
            for line in response.lines():
                event.reply_json({"line": line})
                flush()
                lines += 1
            event.reply_json({"done": True, "lines": lines})
