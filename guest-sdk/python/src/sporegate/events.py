"""What comes in: messages, disconnects, and whose they are."""

from dataclasses import dataclass, field
from enum import Enum
from typing import Any

from . import _wit
from ._json import from_json, to_json
from ._text import text
from .errors import gateway_errors

Message = str | bytes
"""One complete WebSocket message: text or binary."""


class Outcome(Enum):
    """What becomes of a message after a listener has seen it."""

    PROCEED = 0
    """Listeners of lower priority see it too."""
    STOP = 1


@dataclass(frozen=True, slots=True)
class Client:
    """A client as it was when the record was made."""

    id: str
    """Names the session; never reused, kept across a reconnect."""
    connect_path: str
    """Sub path that it connected on, below the base path; starts with `/`."""
    username: str | None = None
    """Absent only where the path admits anonymous clients."""
    roles: list[str] = field(default_factory=list)
    """Sorted, no duplicates."""

    def send(self, message: Message) -> None:
        """Queues a message. It leaves when the current call succeeds, or at `flush`."""
        with gateway_errors():
            _wit.clients.send_message(self.id, to_payload(message))

    def send_json(self, value: Any) -> None:
        """The same with a value as compact JSON text."""
        self.send(to_json(value))

    def close(self, code: int = 1000, reason: str = "") -> None:
        """Closes with 1000 or 4900-4999 and a reason of at most 123 bytes. `ValueError` for a reason
        that is not Unicode."""
        with gateway_errors():
            _wit.clients.close(self.id, code, text(reason))

    def claims(self) -> dict[str, Any]:
        """Claims that the authenticator vouched for; empty if there are none."""
        claims = _wit.clients.get_claims(self.id)
        value = {} if claims is None else from_json(claims)
        if not isinstance(value, dict):
            raise ValueError("the claims are no JSON object")
        return value


@dataclass(frozen=True, slots=True)
class MessageEvent:
    """A message that a listener of this module matches."""

    listener: str
    client: Client
    message: Message
    path_params: dict[str, str]
    """What each `{name}` of the path pattern stands for; `*` for the rest."""
    sequence: int
    """Number of this message in its session, from 1."""
    received_at_ms: int
    """Milliseconds since 1970."""
    traceparent: str | None = None
    """W3C trace context, when tracing is on."""

    @property
    def text(self) -> str | None:
        """The text of a text message."""
        return self.message if isinstance(self.message, str) else None

    @property
    def binary(self) -> bytes | None:
        """The bytes of a binary message."""
        return self.message if isinstance(self.message, bytes) else None

    def json(self) -> Any:
        """The text read as JSON. `ValueError` if the message is binary or no JSON."""
        if isinstance(self.message, bytes):
            raise ValueError("the message is binary, not JSON text")
        return from_json(self.message)

    def reply(self, message: Message) -> None:
        """Queues a message to the client that this one came from."""
        self.client.send(message)

    def reply_json(self, value: Any) -> None:
        """The same with a value as compact JSON text."""
        self.client.send_json(value)


@dataclass(frozen=True, slots=True)
class DisconnectEvent:
    """A client is gone."""

    listener: str
    client: Client
    """As last known; sending to it raises `Closed`."""
    code: int
    """Close code; 1006 where the connection was lost."""
    reason: str


def to_payload(message: Message) -> _wit.types.Payload:
    """As the interface has it. `ValueError` for text that is not Unicode, `TypeError` for neither."""
    if isinstance(message, str):
        return _wit.types.Payload_Text(text(message))
    if isinstance(message, bytes):
        return _wit.types.Payload_Binary(message)
    raise TypeError(f"a message is str or bytes, not {type(message).__name__}")


def from_client(client: _wit.types.Client) -> Client:
    """From the record of the interface."""
    return Client(client.id, client.connect_path, client.username, client.roles)


def from_message_event(event: _wit.message_handler.MessageEvent) -> MessageEvent:
    """From the record of the interface."""
    return MessageEvent(
        event.listener,
        from_client(event.client),
        event.message.value,
        dict(event.path_params),
        event.sequence,
        event.received_at_ms,
        event.traceparent,
    )


def from_disconnect_event(event: _wit.disconnect_handler.DisconnectEvent) -> DisconnectEvent:
    """From the record of the interface."""
    return DisconnectEvent(event.listener, from_client(event.client), event.code, event.reason)
