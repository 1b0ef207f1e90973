"""The four examples, against the fake gateway."""

import json

import pytest
from componentize_py_types import Err
from sporegate import _wit, http
from wit_world.exports.sporegate_gateway_state_handover_1_0_0 import Snapshot
from wit_world.imports import wasi_config_store_0_2_0_rc_1 as store
from wit_world.imports import wasi_http_types_0_2_12 as types
from wit_world.imports import wasi_io_streams_0_2_12 as streams

from gateway import Gateway, client, disconnect, exported, say

ROOM = _wit.clients.Audience_Path("/chat/tea")


def test_echo_answers_text_as_text_and_binary_as_binary(gateway: Gateway) -> None:
    echo = gateway.load("echo")
    assert say(echo, "hi") == _wit.message_handler.Outcome.STOP
    say(echo, b"\xff")
    assert gateway.sent == [("c1", "hi"), ("c1", b"\xff")]


def test_chat_tells_the_room(gateway: Gateway) -> None:
    chat = gateway.load("chat")
    gateway.connected = [client("c1"), client("c2", username=None), client("c3", username="lee")]
    for request in ({"type": "join"}, {"type": "say", "text": "hü"}, {"type": "who"}, {"type": "leave"}):
        say(chat, json.dumps(request))
    disconnect(chat, client("c1"))
    assert gateway.sent == [
        (ROOM, '{"type":"joined","who":"kim","room":"tea"}'),
        (ROOM, '{"type":"said","who":"kim","text":"hü"}'),
        ("c1", '{"type":"present","who":["kim","somebody","lee"]}'),
        ("c1", 1000, "see you"),
        (ROOM, '{"type":"left","who":"kim"}'),
    ]
    assert set(gateway.listeners) == {"chat", "farewell"}


@pytest.mark.parametrize("wrong", ["", "[]", "{}", '{"type":"dance"}', '{"type":["join"]}', '{"type":"say"}',
                                   '{"type":"say","text":1}', b'{"type":"join"}'])
def test_chat_says_what_is_wrong(gateway: Gateway, wrong: str | bytes) -> None:
    say(gateway.load("chat"), wrong)
    [(to, answer)] = gateway.sent
    assert to == "c1" and list(json.loads(answer)) == ["type", "problem"]
    assert json.loads(answer)["type"] == "error" and json.loads(answer)["problem"]


def test_counter_counts_and_hands_its_numbers_over(gateway: Gateway) -> None:
    counter = gateway.load("counter")
    for content in ("count", "count", "total", "what", b"count"):
        say(counter, content)
    say(counter, "count", client("b"))
    assert [answer for _, answer in gateway.sent] == [
        '{"yours":1,"total":1}', '{"yours":2,"total":2}', '{"total":2,"clients":1}',
        '{"error":"say count or total"}', '{"error":"say count or total"}', '{"yours":1,"total":3}',
    ]
    state = exported(counter, "StateHandover").export_state()
    assert state == Snapshot(1, "application/json", b'{"total":3,"clients":{"b":1,"c1":2}}')

    gateway.sent.clear()
    renewed = gateway.load("counter")
    exported(renewed, "StateHandover").import_state(state)
    say(renewed, "count")
    disconnect(renewed, client("c1"))
    say(renewed, "total")
    assert [answer for _, answer in gateway.sent] == ['{"yours":3,"total":4}', '{"total":4,"clients":1}']


@pytest.mark.parametrize("schema,kind,data", [
    (2, "application/json", b'{"total":0,"clients":{}}'), (1, "text/plain", b'{"total":0,"clients":{}}'),
    (1, "application/json", b"no"), (1, "application/json", b'{"total":-1,"clients":{}}'),
    (1, "application/json", b'{"total":1,"clients":{"a":true}}'), (1, "application/json", b"[]"),
])
def test_counter_refuses_another_state(gateway: Gateway, schema: int, kind: str, data: bytes) -> None:
    counter = gateway.load("counter")
    with pytest.raises(Err):
        exported(counter, "StateHandover").import_state(Snapshot(schema, kind, data))


class Body:
    """A response whose body comes in pieces, and may break off."""

    status = 200

    def __init__(self, *pieces: bytes, breaks: str | None = None) -> None:
        self._pieces, self._breaks = pieces, breaks

    def response(self) -> http.Response:
        response = http.Response.__new__(http.Response)
        response.status = 200
        response.chunks = self.chunks  # type: ignore[method-assign]
        response._stream = None
        return response

    def chunks(self):  # type: ignore[no-untyped-def]
        yield from self._pieces
        if self._breaks:
            raise http.HttpError(self._breaks)


def enrich(gateway: Gateway, monkeypatch: pytest.MonkeyPatch, body: Body, name: str | bytes) -> list[str]:
    monkeypatch.setattr(store, "get", lambda key: "http://127.0.0.1:9000/")
    asked: list[str] = []

    def get(url: str) -> http.Response:
        asked.append(url)
        return body.response()

    monkeypatch.setattr(http, "get", get)
    say(gateway.load("enrich"), name)
    assert asked in ([], [f"http://127.0.0.1:9000/items/{name!s}"])
    return [it[-1] for it in gateway.sent]


def test_enrich_streams_lines_and_each_leaves_at_once(gateway: Gateway, monkeypatch: pytest.MonkeyPatch) -> None:
    body = Body(b"a\n\nb", b"c\xff\n", b"last")
    assert enrich(gateway, monkeypatch, body, "tea-1") == [
        '{"status":200}', '{"line":"a"}', "flush", '{"line":""}', "flush", '{"line":"bc\ufffd"}', "flush",
        '{"line":"last"}', "flush", '{"done":true,"lines":4}',
    ]


def test_enrich_tells_why_an_answer_breaks_off(gateway: Gateway, monkeypatch: pytest.MonkeyPatch) -> None:
    body = Body(b"a\nhalf", breaks="HttpResponseIncomplete")
    assert enrich(gateway, monkeypatch, body, "tea") == [
        '{"status":200}', '{"line":"a"}', "flush", '{"error":"HttpResponseIncomplete"}',
    ]


@pytest.mark.parametrize("name", ["", "a" * 65, "A", "a/b", "a\n", b"a"])
def test_enrich_refuses_a_wrong_name(gateway: Gateway, monkeypatch: pytest.MonkeyPatch, name: str | bytes) -> None:
    assert enrich(gateway, monkeypatch, Body(), name) == ['{"error":"a name is 1-64 of a-z, 0-9 and -"}']


def test_enrich_does_not_start_without_its_service(gateway: Gateway, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store, "get", lambda key: None)
    with pytest.raises(Err, match="config.service"):
        gateway.load("enrich")


def test_an_error_of_http_has_the_name_of_the_standard() -> None:
    assert http._name(types.ErrorCode_ConnectionRefused()) == "ConnectionRefused"
    assert http._name(types.ErrorCode_InternalError("why")) == "InternalError: why"
    assert isinstance(http._cause(streams.StreamError_Closed()), http._Ended)
