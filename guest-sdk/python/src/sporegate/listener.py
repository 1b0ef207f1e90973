"""From the exports of the component to one object of the listener's class. An instance has one thread,
and the gateway calls one export at a time."""

import logging
import sys
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TextIO, TypeVar, cast

from . import _wit
from ._trace import keep_source, one_line
from .events import DisconnectEvent, MessageEvent, Outcome
from .events import from_disconnect_event, from_message_event

T = TypeVar("T")
L = TypeVar("L", bound="type[Listener]")


class Listener(ABC):
    """A listener module. One object of it lives as long as the instance, and is its memory.

    What a call sends leaves when it returns. An exception discards it, and its text and place go to the
    gateway's log; the object goes on.
    """

    def start(self) -> None:
        """First call on every new instance: registers listeners. An exception refuses the revision, and
        the one before it keeps serving."""

    @abstractmethod
    def on_message(self, event: MessageEvent) -> Outcome | None:
        """A message that one of the listeners matches. Messages of one client arrive in order, one at a
        time. `None` means `Outcome.STOP`."""

    def on_disconnect(self, event: DisconnectEvent) -> None:
        """A client is gone. Called once for each session that a disconnect listener matches."""


@dataclass(frozen=True)
class Snapshot:
    """State that goes from one revision to the next."""

    schema: int
    """Version of the form of `data`, yours to number."""
    media_type: str
    data: bytes


class StatefulListener(Listener):
    """A listener whose memory survives a hot swap. Build it with `--stateful`."""

    @abstractmethod
    def export_state(self) -> Snapshot:
        """On the old revision, idle by then. Must not change it."""

    @abstractmethod
    def import_state(self, state: Snapshot) -> None:
        """On the new revision, after `start`. An exception abandons the swap."""


class Instance:
    """Where `export` keeps the listener between calls."""

    def __init__(self, listener: "type[Listener]") -> None:
        self._class = listener
        self._listener: Listener | None = None

    def start(self) -> None:
        """Makes the listener and starts it."""

        def start() -> None:
            _set_up_output()
            listener = self._class()
            listener.start()
            self._listener = listener

        _guarded(start)

    def on_message(self, event: _wit.message_handler.MessageEvent) -> Any:
        """One message, in the types of the interface."""

        def on_message() -> Any:
            outcome = self._started().on_message(from_message_event(event))
            if outcome is None:
                outcome = Outcome.STOP
            elif not isinstance(outcome, Outcome):
                raise TypeError(f"on_message returns an Outcome, not {type(outcome).__name__}")
            return _OUTCOMES[outcome]

        return _guarded(on_message)

    def on_disconnect(self, event: _wit.disconnect_handler.DisconnectEvent) -> None:
        """One disconnect."""
        _guarded(lambda: self._started().on_disconnect(from_disconnect_event(event)))

    def export_state(self) -> Any:
        """The state, in the type of the interface."""
        from wit_world.exports import sporegate_gateway_state_handover_1_0_0 as handover

        def export_state() -> Any:
            state = self._stateful().export_state()
            return handover.Snapshot(state.schema, state.media_type, state.data)

        return _guarded(export_state)

    def import_state(self, state: Any) -> None:
        """The state of the revision before."""
        taken = Snapshot(state.schema, state.media_type, state.data)
        _guarded(lambda: self._stateful().import_state(taken))

    def _started(self) -> Listener:
        if self._listener is None:
            raise RuntimeError("called before start")
        return self._listener

    def _stateful(self) -> StatefulListener:
        return cast(StatefulListener, self._started())


_OUTCOMES = {
    Outcome.PROCEED: _wit.message_handler.Outcome.PROCEED,
    Outcome.STOP: _wit.message_handler.Outcome.STOP,
}

_EXPORTS: dict[str, tuple[str, ...]] = {
    "Lifecycle": ("start",),
    "MessageHandler": ("on_message",),
    "DisconnectHandler": ("on_disconnect",),
}
_STATEFUL_EXPORTS = {**_EXPORTS, "StateHandover": ("export_state", "import_state")}


def export(listener: L) -> L:
    """Makes a class the module's listener; once in the module that is built.

        @export
        class Echo(Listener):
            ...
    """
    stateful = issubclass(listener, StatefulListener)
    _check_world(listener, stateful)
    module = sys.modules[listener.__module__]
    keep_source(module)
    instance = Instance(listener)
    for name, functions in (_STATEFUL_EXPORTS if stateful else _EXPORTS).items():
        methods = {it: _method(getattr(instance, it)) for it in functions}
        # As componentize-py looks for them: package, interface and version.
        full = f"SporegateGateway{name}100"
        if hasattr(module, full):
            raise TypeError(f"{module.__name__} exports two listeners; a module has one")
        setattr(module, full, type(full, (), methods))
    return listener


def _check_world(listener: "type[Listener]", stateful: bool) -> None:
    import wit_world.exports

    built = hasattr(wit_world.exports, "SporegateGatewayStateHandover100")
    if stateful and not built:
        raise TypeError(f"{listener.__name__} is a StatefulListener: build it with --stateful")


def _method(function: Callable[..., Any]) -> Callable[..., Any]:
    return lambda self, *arguments: function(*arguments)


def _guarded(call: Callable[[], T]) -> T:
    try:
        return call()
    except BaseException as error:
        failure: _wit.Err[str] = _wit.Err(one_line(error).encode(errors="replace").decode())
    raise failure


def _set_up_output() -> None:
    """What is printed or logged reaches the module's log line by line."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            cast(Any, stream).reconfigure(line_buffering=True, errors="backslashreplace")
    root = logging.getLogger()
    if not root.handlers:
        root.addHandler(LogHandler())
        if root.level == logging.WARNING:
            root.setLevel(logging.INFO)


class LogHandler(logging.Handler):
    """`logging` to the module's log: from WARNING on as warnings, below as information."""

    def __init__(self) -> None:
        super().__init__()
        self.setFormatter(logging.Formatter("%(levelname)s %(name)s: %(message)s"))

    def emit(self, record: logging.LogRecord) -> None:
        """Writes a record, one line of the log for each line of it."""
        try:
            stream: TextIO = sys.stderr if record.levelno >= logging.WARNING else sys.stdout
            stream.write(self.format(record) + "\n")
            stream.flush()
        except Exception:
            self.handleError(record)
