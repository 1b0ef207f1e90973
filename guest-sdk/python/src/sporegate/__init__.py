"""Write a Sporegate listener in Python.

    from sporegate import Listener, Matcher, MessageEvent, Outcome, export

    @export
    class Echo(Listener):
        def start(self) -> None:
            Matcher().listen("echo")

        def on_message(self, event: MessageEvent) -> Outcome:
            event.reply(event.message)
            return Outcome.STOP
"""

from .clients import Audience, base_path, client_count, clients_of_user, clients_on_path, flush, get_client
from .errors import (
    Closed, Denied, GatewayError, InvalidArgument, LimitExceeded, NotFound, OtherError, QueueFull, TooLarge,
)
from .events import Client, DisconnectEvent, Message, MessageEvent, Outcome
from .listener import Listener, Snapshot, StatefulListener, export
from .matching import Matcher, listen_for_disconnects, stop_listening, stop_listening_for_disconnects

__all__ = [
    "Audience", "Client", "Closed", "Denied", "DisconnectEvent", "GatewayError", "InvalidArgument",
    "LimitExceeded", "Listener", "Matcher", "Message", "MessageEvent", "NotFound", "OtherError", "Outcome",
    "QueueFull", "Snapshot", "StatefulListener", "TooLarge", "base_path", "client_count", "clients_of_user",
    "clients_on_path", "export", "flush", "get_client", "listen_for_disconnects", "stop_listening",
    "stop_listening_for_disconnects",
]
