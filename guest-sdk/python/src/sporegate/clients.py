"""The clients that this module may see: asking for them, and sending to many of them."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from . import _wit
from ._json import to_json
from ._text import text
from .errors import gateway_errors
from .events import Client, Message, from_client, to_payload

_PAGE = 256

_Fetch = Callable[[str, str | None, int], tuple[list[_wit.types.Client], str | None]]


@dataclass(frozen=True)
class Audience:
    """Connections that the gateway chooses, with no call for each client."""

    _wit: _wit.clients.Audience

    @classmethod
    def ids(cls, ids: Iterable[str]) -> "Audience":
        """The clients with these ids."""
        return cls(_wit.clients.Audience_Ids([text(it) for it in ids]))

    @classmethod
    def path(cls, pattern: str) -> "Audience":
        """The clients on a path, or on those of a pattern such as `/rooms/{room}/*`."""
        return cls(_wit.clients.Audience_Path(text(pattern)))

    @classmethod
    def user(cls, username: str) -> "Audience":
        """All connections of a user."""
        return cls(_wit.clients.Audience_User(text(username)))

    @classmethod
    def role(cls, role: str) -> "Audience":
        """The clients with a role."""
        return cls(_wit.clients.Audience_Role(text(role)))

    def send(self, message: Message, excluding: Iterable[str] = ()) -> int:
        """Queues a message for each of them but those with the ids `excluding`; returns for how
        many. Clients with a full queue are treated as their path says."""
        with gateway_errors():
            return _wit.clients.broadcast(self._wit, to_payload(message), [text(it) for it in excluding])

    def send_json(self, value: Any, excluding: Iterable[str] = ()) -> int:
        """The same with a value as compact JSON text."""
        return self.send(to_json(value), excluding)


def clients_on_path(path: str) -> Iterator[Client]:
    """The clients on a path or a path pattern. Never holds more than one page."""
    return _pages(_wit.clients.get_clients_on_path, text(path))


def clients_of_user(username: str) -> Iterator[Client]:
    """The connections of a user. Never holds more than one page."""
    return _pages(_wit.clients.get_clients_of_user, text(username))


def _pages(fetch: _Fetch, key: str) -> Iterator[Client]:
    cursor: str | None = None
    while True:
        with gateway_errors():
            page, cursor = fetch(key, cursor, _PAGE)
        yield from map(from_client, page)
        if cursor is None:
            return


def get_client(id: str) -> Client | None:
    """A client by its id; nothing if it is gone or not on a path granted to this module."""
    client = _wit.clients.get_client(text(id))
    return None if client is None else from_client(client)


def client_count() -> int:
    """Number of connected clients that this module may see."""
    return _wit.clients.get_client_count()


def base_path() -> str:
    """Base path under which clients connect, e.g. `/websocket`."""
    return _wit.clients.base_path()


def flush() -> None:
    """Lets everything queued so far in this call leave now, for replies that stream. What follows is
    all-or-nothing again."""
    with gateway_errors():
        _wit.clients.flush()
