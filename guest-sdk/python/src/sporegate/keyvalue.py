"""Values that outlive an instance, in the buckets that the sidecar grants in `[keyvalue]`.

What is written is there at once, for all instances of the module, and stays if the call fails.

    class Visits(Listener):
        def start(self) -> None:
            self.visits = keyvalue.open("visits")

        def on_message(self, event: MessageEvent) -> None:
            event.reply(str(self.visits.increment(event.client.connect_path)))
"""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager

from wit_world.imports import wasi_keyvalue_atomics_0_2_0_draft as atomics
from wit_world.imports import wasi_keyvalue_batch_0_2_0_draft as batch
from wit_world.imports import wasi_keyvalue_store_0_2_0_draft as store

from ._text import text
from ._wit import Err


class KeyValueError(Exception):
    """A bucket is not there, or does not do what it is asked. Each case is a class of its own."""

    code = "other"
    """The name that the interface gives to the case, e.g. `no-such-store`."""

    def __init__(self, bucket: str, detail: str | None = None) -> None:
        said = f"{self.code}: bucket {bucket!r}"
        super().__init__(said if detail is None else f"{said}: {detail}")
        self.bucket = bucket
        self.detail = detail
        """What the gateway says besides."""


class NoSuchStore(KeyValueError):
    """The bucket is not in `[keyvalue] buckets` of the sidecar."""

    code = "no-such-store"


class AccessDenied(KeyValueError):
    """The bucket is not for this module."""

    code = "access-denied"


class OtherError(KeyValueError):
    """A limit, which it names, or a value that cannot be added to. For people to read."""


class Bucket:
    """Keys and values. It may be kept between calls. What the gateway refuses is a `KeyValueError`."""

    def __init__(self, name: str, bucket: store.Bucket) -> None:
        self.name = name
        self._bucket = bucket

    def get(self, key: str) -> bytes | None:
        """The value of a key; nothing if there is none."""
        with _errors(self.name):
            return self._bucket.get(_key(key))

    def set(self, key: str, value: bytes) -> None:
        """Gives a key a value."""
        with _errors(self.name):
            self._bucket.set(_key(key), _value(value))

    def delete(self, key: str) -> None:
        """Removes a key, if it is there."""
        with _errors(self.name):
            self._bucket.delete(_key(key))

    def exists(self, key: str) -> bool:
        """Whether a key is there."""
        with _errors(self.name):
            return self._bucket.exists(_key(key))

    def keys(self) -> Iterator[str]:
        """All keys. Never holds more than one page."""
        cursor: int | None = None
        while True:
            with _errors(self.name):
                page = self._bucket.list_keys(cursor)
            yield from page.keys
            cursor = page.cursor
            if cursor is None:
                return

    def increment(self, key: str, delta: int = 1) -> int:
        """Adds to a number that is kept as decimal digits, zero where there is none; returns the sum.
        `OtherError` where the value is no such number, or the sum is not below 2^64."""
        with _errors(self.name):
            return atomics.increment(self._bucket, _key(key), _delta(delta))

    def get_many(self, keys: Iterable[str]) -> list[bytes | None]:
        """The values of several keys, in their order; nothing where there is none. `OtherError` also for
        too many keys at once."""
        with _errors(self.name):
            found = batch.get_many(self._bucket, [_key(key) for key in keys])
        return [None if pair is None else pair[1] for pair in found]

    def set_many(self, pairs: Mapping[str, bytes]) -> None:
        """Sets several keys: all of them or, after an error, none."""
        with _errors(self.name):
            batch.set_many(self._bucket, [(_key(key), _value(value)) for key, value in pairs.items()])

    def delete_many(self, keys: Iterable[str]) -> None:
        """Removes several keys; those that are not there are passed over."""
        with _errors(self.name):
            batch.delete_many(self._bucket, [_key(key) for key in keys])


def open(bucket: str) -> Bucket:
    """Opens a bucket of the sidecar's `[keyvalue] buckets`, in `start` or later. `NoSuchStore` for another
    name."""
    with _errors(bucket):
        return Bucket(bucket, store.open(text(bucket, "a bucket's name is")))


_CASES: dict[type[object], type[KeyValueError]] = {
    store.Error_NoSuchStore: NoSuchStore,
    store.Error_AccessDenied: AccessDenied,
    store.Error_Other: OtherError,
}


@contextmanager
def _errors(bucket: str) -> Iterator[None]:
    try:
        yield
    except Err as error:
        case = error.value
        raise _CASES[type(case)](bucket, getattr(case, "value", None)) from None


def _key(key: str) -> str:
    """Checked here, as is all that goes in: where the bindings find a wrong type, the instance ends."""
    return text(key, "a key is")


def _value(value: bytes) -> bytes:
    if not isinstance(value, bytes):
        raise TypeError(f"a value is bytes, not {type(value).__name__}")
    return value


def _delta(delta: int) -> int:
    if not isinstance(delta, int):
        raise TypeError(f"delta is int, not {type(delta).__name__}")
    if not 0 <= delta < 1 << 64:
        raise ValueError(f"delta is from 0 to 2^64 - 1, not {delta}")
    return delta
