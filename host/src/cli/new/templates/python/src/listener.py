"""Everybody who is connected to a path hears what is said there."""

from sporegate import Audience, Listener, Matcher, MessageEvent, Outcome, export


@export
class Say(Listener):
    def start(self) -> None:
        # Evaluated by the gateway: other messages never enter this module.
        Matcher().json_equals("/type", "say").listen("say")

    def on_message(self, event: MessageEvent) -> Outcome:
        said = {"type": "said", "who": event.client.username or "somebody", "text": event.json()["text"]}
        Audience.path(event.client.connect_path).send_json(said)
        return Outcome.STOP
