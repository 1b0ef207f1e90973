"""An exception as one line, which is what the gateway logs of a failed call: the cause first, then where,
the innermost place first."""

import linecache
import os
import traceback
from types import ModuleType

_HERE = os.path.dirname(__file__)
_MOST_FRAMES = 8


def keep_source(module: ModuleType) -> None:
    """Keeps a module's text, so that places can be quoted where there are no files."""
    path = getattr(module, "__file__", None)
    lines = linecache.getlines(path) if path else []
    if path and lines:
        # Without a time of modification it is never looked for again.
        linecache.cache[path] = (sum(map(len, lines)), None, lines, path)


def one_line(error: BaseException) -> str:
    """E.g. `ValueError: no | at chat.py:14 in say: int(text) | called at chat.py:9 in on_message: …`."""
    parts = [_chain(error)]
    while (cause := error.__cause__ or (None if error.__suppress_context__ else error.__context__)):
        parts.append(f"because of {_chain(cause)}")
        error = cause
    return " | ".join(parts)


def _chain(error: BaseException) -> str:
    name = type(error).__name__
    try:
        text = str(error)
    except Exception:
        text = "(its text cannot be made)"
    parts = [f"{name}: {text}" if text else name]
    if isinstance(error, SyntaxError) and error.filename:
        return parts[0]
    frames = [it for it in traceback.extract_tb(error.__traceback__) if not _ours(it.filename)]
    for number, frame in enumerate(reversed(frames[-_MOST_FRAMES:])):
        place = f"{os.path.basename(frame.filename)}:{frame.lineno} in {frame.name}"
        line = f": {frame.line}" if frame.line else ""
        parts.append(f"{'called ' if number else ''}at {place}{line}")
    return " | ".join(parts)


def _ours(filename: str) -> bool:
    return os.path.dirname(filename) == _HERE
