"""A gateway made of the bindings' own functions: what a listener asks for is written down."""

import importlib
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from componentize_py_types import Err
from sporegate import _wit
from wit_world.imports import wasi_keyvalue_atomics_0_2_0_draft as atomics
from wit_world.imports import wasi_keyvalue_batch_0_2_0_draft as batch
from wit_world.imports import wasi_keyvalue_store_0_2_0_draft as store

EXAMPLES = Path(__file__).resolve().parents[3] / "examples" / "python"


class Gateway:
    """Takes what a module does, and calls its exports as the gateway would."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.connected: list[_wit.types.Client] = []
        self.sent: list[tuple[Any, ...]] = []
        self.listeners: dict[str, Any] = {}
        self.page_limits: list[int] = []
        self.refuse: Any = None
        self.buckets: dict[str, dict[str, bytes]] = {}
        self._monkeypatch = monkeypatch
        for name in ("send_message", "broadcast", "close", "flush", "get_clients_on_path"):
            monkeypatch.setattr(_wit.clients, name, getattr(self, name))
        for name in ("add_message_listener", "add_disconnect_listener"):
            monkeypatch.setattr(_wit.listeners, name, self.listen)
        monkeypatch.setattr(store, "open", self.open_bucket)
        monkeypatch.setattr(atomics, "increment", Bucket.increment)
        for name in ("get_many", "set_many", "delete_many"):
            monkeypatch.setattr(batch, name, getattr(Bucket, name))

    def listen(self, name: str, *what: Any) -> None:
        self._may()
        self.listeners[name] = what

    def send_message(self, to: str, message: Any) -> None:
        self._may()
        self.sent.append((to, message.value))

    def broadcast(self, to: Any, message: Any, excluding: list[str]) -> int:
        self._may()
        self.sent.append((to, message.value, *excluding))
        return len(self.connected)

    def close(self, id: str, code: int, reason: str) -> None:
        self.sent.append((id, code, reason))

    def flush(self) -> None:
        self.sent.append(("flush",))

    def get_clients_on_path(self, path: str, cursor: str | None, limit: int) -> tuple[list[Any], str | None]:
        """Pages of two."""
        begin = int(cursor or 0)
        found = [it for it in self.connected if it.connect_path == path]
        return found[begin : begin + 2], str(begin + 2) if begin + 2 < len(found) else None

    def open_bucket(self, name: str) -> "Bucket":
        self._may()
        if name not in self.buckets:
            raise Err(store.Error_NoSuchStore())
        return Bucket(self.buckets[name], self._may)

    def _may(self) -> None:
        if self.refuse is not None:
            raise Err(self.refuse)

    def load(self, name: str) -> ModuleType:
        """An example, imported anew."""
        self._monkeypatch.syspath_prepend(str(EXAMPLES / name))
        sys.modules.pop(name, None)
        module = importlib.import_module(name)
        exported(module, "Lifecycle").start()
        return module


class Bucket(store.Bucket):
    """A bucket whose lists have pages of two keys."""

    def __init__(self, values: dict[str, bytes], may: Callable[[], None]) -> None:
        self.values, self.may = values, may

    def get(self, key: str) -> bytes | None:
        self.may()
        return self.values.get(key)

    def set(self, key: str, value: bytes) -> None:
        self.set_many([(key, value)])

    def delete(self, key: str) -> None:
        self.delete_many([key])

    def exists(self, key: str) -> bool:
        self.may()
        return key in self.values

    def list_keys(self, cursor: int | None) -> store.KeyResponse:
        self.may()
        begin, keys = cursor or 0, list(self.values)
        return store.KeyResponse(keys[begin : begin + 2], begin + 2 if begin + 2 < len(keys) else None)

    def increment(self, key: str, delta: int) -> int:
        self.may()
        try:
            number = int(self.values.get(key, b"0")) + delta
        except ValueError:
            raise Err(store.Error_Other("the value is not a number")) from None
        self.values[key] = str(number).encode()
        return number

    def get_many(self, keys: list[str]) -> list[tuple[str, bytes] | None]:
        self.may()
        return [(key, self.values[key]) if key in self.values else None for key in keys]

    def set_many(self, pairs: list[tuple[str, bytes]]) -> None:
        self.may()
        self.values.update(pairs)

    def delete_many(self, keys: list[str]) -> None:
        self.may()
        for key in keys:
            self.values.pop(key, None)


def exported(module: ModuleType, interface: str) -> Any:
    """What componentize-py makes of an export."""
    return getattr(module, f"SporegateGateway{interface}100")()


def client(id: str = "c1", path: str = "/chat/tea", username: str | None = "kim") -> _wit.types.Client:
    return _wit.types.Client(id, path, username, [])


def message(content: str | bytes, of: _wit.types.Client | None = None) -> _wit.message_handler.MessageEvent:
    payload = _wit.types.Payload_Text if isinstance(content, str) else _wit.types.Payload_Binary
    params = [("room", "tea")]
    return _wit.message_handler.MessageEvent("it", of or client(), payload(content), params, 1, 0, None)  # type: ignore[arg-type]


def say(module: ModuleType, content: str | bytes, of: _wit.types.Client | None = None) -> Any:
    return exported(module, "MessageHandler").on_message(message(content, of))


def disconnect(module: ModuleType, of: _wit.types.Client) -> None:
    event = _wit.disconnect_handler.DisconnectEvent("it", of, 1006, "")
    exported(module, "DisconnectHandler").on_disconnect(event)
