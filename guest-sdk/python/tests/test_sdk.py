"""What the SDK adds to the bindings."""

import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from componentize_py_types import Err
from sporegate import (
    Audience, GatewayError, InvalidArgument, Listener, Matcher, MessageEvent, Outcome, QueueFull, _wit,
    clients_of_user, clients_on_path, config, export, get_client, listen_for_disconnects, stop_listening,
)
from sporegate._json import from_json, to_json
from sporegate.events import from_message_event, to_payload
from sporegate_build.__main__ import Needs, needs_of, wit_directory, world

from gateway import Gateway, client, exported, message, say


def test_json_is_compact_and_keeps_order_and_letters() -> None:
    assert to_json({"type": "said", "a": [1, None], "ü": "ä"}) == '{"type":"said","a":[1,null],"ü":"ä"}'
    with pytest.raises(ValueError):
        to_json(float("nan"))


@pytest.mark.parametrize("text", ["", "{", "NaN", "[Infinity]", '"\\ud800"', "[" * 100_000, '{"a":1}x'])
def test_what_is_no_json_is_a_value_error(text: str) -> None:
    with pytest.raises(ValueError):
        from_json(text)


def test_json_may_be_128_levels_deep_and_have_brackets_in_strings() -> None:
    assert from_json("[" * 128 + "]" * 128)
    with pytest.raises(ValueError, match="128 levels"):
        from_json("[" * 129 + "]" * 129)
    many = [["[[{{"], {"\"[": "]"}] * 500
    assert from_json(to_json(many)) == many


def test_surrogate_pairs_are_json() -> None:
    assert from_json('"\\ud83d\\ude00"') == "😀"


def test_a_binary_message_is_no_json() -> None:
    with pytest.raises(ValueError, match="binary"):
        from_message_event(message(b"{}")).json()


def test_a_message_is_text_or_bytes() -> None:
    assert to_payload("ü") == _wit.types.Payload_Text("ü")
    assert to_payload(b"\xff") == _wit.types.Payload_Binary(b"\xff")
    with pytest.raises(TypeError):
        to_payload(7)  # type: ignore[arg-type]
    with pytest.raises(ValueError):
        to_payload("\ud800")


def test_conditions_add_up_and_the_matcher_before_stays(gateway: Gateway) -> None:
    chat = Matcher("/chat/{room}")
    chat.json_equals("/type", "say").is_text().role("talker").listen("say", priority=3)
    wit = _wit.listeners
    say_type = wit.JsonMatch("/type", wit.JsonTest_Equals('"say"'))
    tests: list[_wit.listeners.ContentTest] = [wit.ContentTest_Json(say_type), wit.ContentTest_IsText()]
    assert gateway.listeners == {"say": (wit.MessageMatcher("/chat/{room}", tests, ["talker"]), 3)}
    assert chat.tests == ()


def test_an_error_of_the_gateway_is_an_exception_of_its_case(gateway: Gateway) -> None:
    gateway.refuse = _wit.types.Error_QueueFull()
    with pytest.raises(QueueFull, match="^queue-full$"):
        from_message_event(message("hi")).reply("hi")
    gateway.refuse = _wit.types.Error_InvalidArgument("name: no")
    with pytest.raises(InvalidArgument, match="^invalid-argument: name: no$") as caught:
        Matcher().listen("?")
    assert caught.value.detail == "name: no" and isinstance(caught.value, GatewayError)


def test_clients_come_from_all_pages(gateway: Gateway) -> None:
    gateway.connected = [client(f"c{number}") for number in range(5)]
    assert [it.id for it in clients_on_path("/chat/tea")] == ["c0", "c1", "c2", "c3", "c4"]


def listener(gateway: Gateway, on_message: object) -> ModuleType:
    module = ModuleType("it")
    sys.modules["it"] = module
    export(type("It", (Listener,), {"__module__": "it", "on_message": on_message}))
    exported(module, "Lifecycle").start()
    return module


def test_an_exception_tells_cause_and_place_in_one_line(gateway: Gateway) -> None:
    def inner() -> None:
        raise KeyError("tea")

    def on_message(self: Listener, event: MessageEvent) -> None:
        try:
            inner()
        except KeyError as error:
            raise ValueError("no") from error

    with pytest.raises(Err) as caught:
        say(listener(gateway, on_message), "hi")
    text = caught.value.value
    assert text.startswith("ValueError: no | at test_sdk.py:"), text
    assert 'in on_message: raise ValueError("no") from error' in text, text
    assert "because of KeyError: 'tea' | at test_sdk.py:" in text and "called at test_sdk.py:" in text, text
    assert "\n" not in text and "listener.py" not in text, text


def test_nothing_returned_stops_and_something_else_is_an_error(gateway: Gateway) -> None:
    stop, proceed = _wit.message_handler.Outcome.STOP, _wit.message_handler.Outcome.PROCEED
    assert say(listener(gateway, lambda self, event: None), "") == stop
    assert say(listener(gateway, lambda self, event: Outcome.PROCEED), "") == proceed
    with pytest.raises(Err, match="returns an Outcome, not bool"):
        say(listener(gateway, lambda self, event: True), "")


def test_a_call_before_start_is_an_error(gateway: Gateway) -> None:
    module = listener(gateway, lambda self, event: None)
    sys.modules["late"] = late = ModuleType("late")
    export(type("Late", (Listener,), {"__module__": "late", "on_message": lambda self, event: None}))
    with pytest.raises(Err, match="called before start"):
        say(late, "hi")
    with pytest.raises(TypeError, match="two listeners"):
        export(type("Two", (Listener,), {"__module__": "it"}))
    assert module is sys.modules["it"]


def test_the_world_has_what_is_asked_for() -> None:
    assert world(Needs()).endswith("{ include sporegate:gateway/listener@1.0.0; }\n")
    full = world(Needs(stateful=True, http=True, config=True, keyvalue=True))
    assert "stateful-listener@" in full and "wasi:http" in full and "wasi:config" in full
    assert all(f"import wasi:keyvalue/{it}@" in full for it in ("store", "atomics", "batch"))
    assert (wit_directory() / "sporegate.wit").is_file()


def test_what_a_module_needs_is_read_off_its_imports(tmp_path: Path) -> None:
    module = tmp_path / "room.py"
    for text, needs in [
        ("from sporegate import Listener\nimport json, numpy", Needs()),
        ("import sporegate\nclass Room(sporegate.StatefulListener): pass", Needs(stateful=True)),
        ("def f():\n    from sporegate import http", Needs(http=True)),
        ("from sporegate import keyvalue as kept", Needs(keyvalue=True)),
        ("from sporegate.keyvalue import open", Needs(keyvalue=True)),
        ("import beside", Needs(http=True, config=True)),
        ("import elsewhere.inner", Needs(stateful=True)),
    ]:
        module.write_text(text)
        (tmp_path / "beside.py").write_text("import sporegate.http as h, sporegate.config")
        (tmp_path / "more/elsewhere").mkdir(parents=True, exist_ok=True)
        (tmp_path / "more/elsewhere/inner.py").write_text("from sporegate import StatefulListener as S\nS")
        (tmp_path / "more/elsewhere/__init__.py").write_text("")
        assert needs_of(module, [tmp_path / "more"]) == needs, text
    module.write_text("def")
    with pytest.raises(SyntaxError) as caught:
        needs_of(module, [])
    assert caught.value.filename == str(module)


def test_what_is_no_text_never_reaches_the_gateway(gateway: Gateway) -> None:
    half, someone = "\ud800", from_message_event(message("hi", client("c1", "/"))).client
    calls: list[Callable[[Any], object]] = [
        lambda it: someone.close(4900, it), lambda it: get_client(it), lambda it: next(clients_on_path(it)),
        lambda it: next(clients_of_user(it)), lambda it: Audience.ids([it]), lambda it: Audience.role(it),
        lambda it: Audience.path("/").send("hi", excluding=[it]), lambda it: Matcher(it).listen("x"),
        lambda it: Matcher().text_prefix(it), lambda it: Matcher().role(it), lambda it: Matcher().listen(it),
        lambda it: stop_listening(it), lambda it: listen_for_disconnects("x", it), lambda it: config.get(it),
    ]
    for call in calls:
        with pytest.raises(ValueError, match="surrogates"):
            call(half)
        with pytest.raises(TypeError, match="must be str, not"):
            call(7)
