"""JSON as the gateway's clients speak it: compact, UTF-8, and nothing that is no JSON."""

import json
import re
from typing import Any, NoReturn

_MOST_LEVELS = 128
"""More of them could fill the stack of the instance, which is the end of it."""

_STRING = re.compile(r'"(?:[^"\\]|\\.)*"', re.DOTALL)
_BRACKET = re.compile(r"[\[\]{}]")

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
    if _is_deep(text):
        raise ValueError(f"the JSON is nested more than {_MOST_LEVELS} levels deep")
    value = _strict.decode(text)
    if "\\u" in text:
        # Half a surrogate pair is a text in Python and nowhere else.
        _compact.encode(value).encode()
    return value


def _is_deep(text: str) -> bool:
    if text.count("[") + text.count("{") <= _MOST_LEVELS:
        return False
    level = 0
    for bracket in _BRACKET.findall(_STRING.sub("", text)):
        level += 1 if bracket in "[{" else -1
        if level > _MOST_LEVELS:
            return True
    return False
