"""Values of the module's sidecar, section `[config]`."""

from wit_world.imports import wasi_config_store_0_2_0_rc_1 as store

from ._wit import Err


class ConfigError(Exception):
    """The gateway cannot tell the values."""


def get(key: str) -> str | None:
    """The value of a key; nothing if it is not set."""
    try:
        return store.get(key)
    except Err as error:
        raise ConfigError(error.value.value) from None


def get_all() -> dict[str, str]:
    """All values."""
    try:
        return dict(store.get_all())
    except Err as error:
        raise ConfigError(error.value.value) from None
