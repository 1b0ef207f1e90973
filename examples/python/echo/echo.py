"""Answers every message with itself: text as text, binary as binary."""

from sporegate import Listener, Matcher, MessageEvent, Outcome, export


@export
class Echo(Listener):
    def start(self) -> None:
        Matcher().listen("echo")

    def on_message(self, event: MessageEvent) -> Outcome:
        event.reply(event.message)
        return Outcome.STOP
