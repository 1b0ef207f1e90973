"""Chat rooms: everybody who is connected to `/chat/{room}` is in that room."""

from sporegate import (
    Audience, Client, DisconnectEvent, Listener, Matcher, MessageEvent, Outcome, clients_on_path, export,
    listen_for_disconnects,
)

ROOMS = "/chat/{room}"


@export
class Chat(Listener):
    def start(self) -> None:
        Matcher(ROOMS).listen("chat")
        listen_for_disconnects("farewell", ROOMS)

    def on_message(self, event: MessageEvent) -> Outcome:
        try:
            kind, text = read(event)
        except ValueError as error:
            event.reply_json({"type": "error", "problem": str(error)})
            return Outcome.STOP
        who = name(event.client)
        everybody = Audience.path(event.client.connect_path)
        match kind:
            case "join":
                everybody.send_json({"type": "joined", "who": who, "room": event.path_params["room"]})
            case "say":
                everybody.send_json({"type": "said", "who": who, "text": text})
            case "who":
                present = [name(client) for client in clients_on_path(event.client.connect_path)]
                event.reply_json({"type": "present", "who": present})
            case "leave":
                event.client.close(1000, "see you")
        return Outcome.STOP

    def on_disconnect(self, event: DisconnectEvent) -> None:
        everybody = Audience.path(event.client.connect_path)
        everybody.send_json({"type": "left", "who": name(event.client)})


def read(event: MessageEvent) -> tuple[str, str]:
    """What is asked for, and the text to say. `ValueError` says what is wrong with it."""
    request = event.json()
    if not isinstance(request, dict):
        raise ValueError("the message is no JSON object")
    kind, text = request.get("type"), request.get("text")
    if kind not in ("join", "say", "who", "leave"):
        raise ValueError("the type is none of join, say, who, leave")
    if kind == "say" and not isinstance(text, str):
        raise ValueError("say needs a text")
    return kind, text or ""


def name(client: Client) -> str:
    return "somebody" if client.username is None else client.username
