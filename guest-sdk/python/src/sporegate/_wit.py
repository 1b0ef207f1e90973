"""The generated bindings, under short names. No other module of this package imports them.

componentize-py makes the real ones when it builds a component; `stubs/` has them for type checkers and
tests. Functions are always called through their module, so that a test can put others in their place.
"""

from componentize_py_types import Err, Ok
from wit_world.imports import sporegate_gateway_clients_1_0_0 as clients
from wit_world.imports import sporegate_gateway_listeners_1_0_0 as listeners
from wit_world.imports import sporegate_gateway_types_1_0_0 as types
from wit_world.exports import sporegate_gateway_disconnect_handler_1_0_0 as disconnect_handler
from wit_world.exports import sporegate_gateway_message_handler_1_0_0 as message_handler

__all__ = ["Err", "Ok", "clients", "disconnect_handler", "listeners", "message_handler", "types"]
