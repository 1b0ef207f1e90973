"""Texts that can go to the gateway. The runtime ends the instance for any other."""


def text(value: str, begin: str = "this must be") -> str:
    """The value itself. `ValueError` if it is not Unicode: half of a surrogate pair, as JSON may bring it;
    `TypeError`, whose text begins so, if it is no text."""
    if not isinstance(value, str):
        raise TypeError(f"{begin} str, not {type(value).__name__}")
    if not value.isascii():
        value.encode()
    return value
