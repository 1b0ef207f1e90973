"""What the gateway answers where it does not do what it is asked."""

from collections.abc import Iterator
from contextlib import contextmanager

from . import _wit

__all__ = [
    "Closed", "Denied", "GatewayError", "InvalidArgument", "LimitExceeded", "NotFound",
    "OtherError", "QueueFull", "TooLarge",
]


class GatewayError(Exception):
    """A call of the gateway failed. Each case of the interface is a class of its own."""

    code = "other"
    """The name that the interface gives to the case, e.g. `queue-full`."""

    def __init__(self, detail: str | int | None = None) -> None:
        super().__init__(self.code if detail is None else f"{self.code}: {detail}")
        self.detail = detail
        """What the case carries: the limit in bytes, the grant, the argument, the quota."""


class NotFound(GatewayError):
    """No such client or listener, or not on a path granted to this module."""

    code = "not-found"


class Closed(GatewayError):
    """The client is closing or its session has ended."""

    code = "closed"


class QueueFull(GatewayError):
    """The client's outbound queue is full: slow down, drop, or close it."""

    code = "queue-full"


class TooLarge(GatewayError):
    """Larger than `detail` bytes."""

    code = "too-large"


class Denied(GatewayError):
    """The module lacks the grant that `detail` names."""

    code = "denied"


class InvalidArgument(GatewayError):
    """A malformed argument: `detail` says which, and why."""

    code = "invalid-argument"


class LimitExceeded(GatewayError):
    """The quota that `detail` names is used up."""

    code = "limit-exceeded"


class OtherError(GatewayError):
    """For people to read, never to match on."""


_CASES: dict[type[object], type[GatewayError]] = {
    _wit.types.Error_NotFound: NotFound,
    _wit.types.Error_Closed: Closed,
    _wit.types.Error_QueueFull: QueueFull,
    _wit.types.Error_TooLarge: TooLarge,
    _wit.types.Error_Denied: Denied,
    _wit.types.Error_InvalidArgument: InvalidArgument,
    _wit.types.Error_LimitExceeded: LimitExceeded,
    _wit.types.Error_Other: OtherError,
}


@contextmanager
def gateway_errors() -> Iterator[None]:
    """Raises what the gateway answers inside as a `GatewayError`."""
    try:
        yield
    except _wit.Err as error:
        case = error.value
        raise _CASES[type(case)](getattr(case, "value", None)) from None
