"""Which messages and disconnects a listener takes. The gateway evaluates it, not the module."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from . import _wit
from ._json import to_json
from ._text import text
from .errors import gateway_errors


@dataclass(frozen=True)
class Matcher:
    """A description of messages; every part must hold. `Matcher()` takes every message on the paths
    granted to the module. Each method returns a matcher with one more condition.

    A path pattern is `/rooms/{room}/*`: literal segments, `{name}` for one segment, a final `*` for
    the rest.
    """

    path: str | None = None
    tests: tuple[_wit.listeners.ContentTest, ...] = ()
    roles: tuple[str, ...] = ()

    def _and(self, test: _wit.listeners.ContentTest) -> "Matcher":
        return replace(self, tests=(*self.tests, test))

    def _json(self, pointer: str, test: _wit.listeners.JsonTest) -> "Matcher":
        return self._and(_wit.listeners.ContentTest_Json(_wit.listeners.JsonMatch(text(pointer), test)))

    def is_text(self) -> "Matcher":
        """And it is text."""
        return self._and(_wit.listeners.ContentTest_IsText())

    def is_binary(self) -> "Matcher":
        """And it is binary."""
        return self._and(_wit.listeners.ContentTest_IsBinary())

    def text_equals(self, whole: str) -> "Matcher":
        """And it is this text."""
        return self._and(_wit.listeners.ContentTest_TextEquals(text(whole)))

    def text_prefix(self, prefix: str) -> "Matcher":
        """And it is text that begins so."""
        return self._and(_wit.listeners.ContentTest_TextPrefix(text(prefix)))

    def text_contains(self, part: str) -> "Matcher":
        """And it is text that has this in it."""
        return self._and(_wit.listeners.ContentTest_TextContains(text(part)))

    def text_regex(self, pattern: str) -> "Matcher":
        """And it is text that matches, in the gateway's dialect: no back-references, no look-around."""
        return self._and(_wit.listeners.ContentTest_TextRegex(text(pattern)))

    def binary_prefix(self, prefix: bytes) -> "Matcher":
        """And it is binary that begins so."""
        return self._and(_wit.listeners.ContentTest_BinaryPrefix(prefix))

    def json_exists(self, pointer: str) -> "Matcher":
        """And it is JSON with something at `pointer` (RFC 6901, e.g. `/type`)."""
        return self._json(pointer, _wit.listeners.JsonTest_Exists())

    def json_equals(self, pointer: str, value: Any) -> "Matcher":
        """And it is JSON whose part at `pointer` equals the value."""
        return self._json(pointer, _wit.listeners.JsonTest_Equals(text(to_json(value))))

    def json_one_of(self, pointer: str, values: Sequence[Any]) -> "Matcher":
        """And it is JSON whose part at `pointer` equals one of the values."""
        return self._json(pointer, _wit.listeners.JsonTest_OneOf([text(to_json(it)) for it in values]))

    def role(self, role: str) -> "Matcher":
        """And the client has this role, or another one named so."""
        return replace(self, roles=(*self.roles, text(role)))

    def listen(self, name: str, priority: int = 0) -> None:
        """Adds a listener for these messages under `name` (1-64 of `[a-z0-9-]`). Higher priority is
        called first."""
        path = None if self.path is None else text(self.path)
        matcher = _wit.listeners.MessageMatcher(path, list(self.tests), list(self.roles))
        with gateway_errors():
            _wit.listeners.add_message_listener(text(name), matcher, priority)


def stop_listening(name: str) -> None:
    """Removes a message listener."""
    with gateway_errors():
        _wit.listeners.remove_message_listener(text(name))


def listen_for_disconnects(name: str, path: str | None = None) -> None:
    """Adds a disconnect listener under `name`, for clients on a path or on all granted ones."""
    with gateway_errors():
        _wit.listeners.add_disconnect_listener(text(name), None if path is None else text(path))


def stop_listening_for_disconnects(name: str) -> None:
    """Removes a disconnect listener."""
    with gateway_errors():
        _wit.listeners.remove_disconnect_listener(text(name))
