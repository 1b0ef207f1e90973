"""Counts for each client and for all; the numbers survive a hot swap."""

import json
from typing import Any

from sporegate import (
    DisconnectEvent, Matcher, MessageEvent, Outcome, Snapshot, StatefulListener, export, listen_for_disconnects,
)

SCHEMA = 1
MEDIA_TYPE = "application/json"


@export
class Counter(StatefulListener):
    def __init__(self) -> None:
        self.total = 0
        self.clients: dict[str, int] = {}

    def start(self) -> None:
        Matcher().listen("counter")
        listen_for_disconnects("forget")

    def on_message(self, event: MessageEvent) -> Outcome:
        match event.message:
            case "count":
                yours = self.clients.get(event.client.id, 0) + 1
                self.clients[event.client.id] = yours
                self.total += 1
                event.reply_json({"yours": yours, "total": self.total})
            case "total":
                event.reply_json({"total": self.total, "clients": len(self.clients)})
            case _:
                event.reply_json({"error": "say count or total"})
        return Outcome.STOP

    def on_disconnect(self, event: DisconnectEvent) -> None:
        self.clients.pop(event.client.id, None)

    def export_state(self) -> Snapshot:
        state = {"total": self.total, "clients": dict(sorted(self.clients.items()))}
        return Snapshot(SCHEMA, MEDIA_TYPE, json.dumps(state, separators=(",", ":")).encode())

    def import_state(self, state: Snapshot) -> None:
        if (state.schema, state.media_type) != (SCHEMA, MEDIA_TYPE):
            raise ValueError(f"the state has schema {state.schema} and type {state.media_type}, "
                             f"and not {SCHEMA} and {MEDIA_TYPE}")
        self.total, self.clients = read(json.loads(state.data))


def read(state: Any) -> tuple[int, dict[str, int]]:
    match state:
        case {"total": total, "clients": dict(clients)} if all(map(is_number, [total, *clients.values()])):
            return total, clients
    raise ValueError("the state is not {total, clients}, with numbers")


def is_number(value: object) -> bool:
    return type(value) is int and value >= 0
