"""JSON as the gateway's clients speak it: compact, UTF-8, and nothing that is no JSON."""

import json
from typing import Any, NoReturn

_compact = json.JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(",", ":"))


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON")


_strict = json.JSONDecoder(parse_constant=_no_constant)


def to_json(value: Any) -> str:
    """Compact JSON text, keys in the order of the dictionary. `ValueError` or `TypeError` if JSON
    cannot hold the value."""
    return _compact.encode(value)


def from_json(text: str) -> Any:
    """The value of a JSON text. `ValueError` says what is wrong with it."""
    try:
        value = _strict.decode(text)
    except RecursionError:
        raise ValueError("the JSON is nested too deeply") from None
    if "\\u" in text:
        # Half a surrogate pair is a text in Python and nowhere else.
        _compact.encode(value).encode()
    return value
