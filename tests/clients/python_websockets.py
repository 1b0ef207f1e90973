"""Talks to a running gateway with the Python package `websockets`, which shares no code with it.

    target/clients/venv/bin/python tests/clients/python_websockets.py URL TOKEN [MAX_BYTES]

    URL        where clients connect, with the base path: ws://127.0.0.1:8080/websocket
    TOKEN      a token that the gateway accepts
    MAX_BYTES  the gateway's limit for one message; 65536 if not given

Variables of the same names stand in for arguments. The gateway needs the modules `echo` and
`chat`. Prints TAP; exit code 0: all passed, 1: not, 2: wrong arguments. Needs `setup python`.
"""

import asyncio
import json
import os
import sys
from contextlib import asynccontextmanager

try:
    from websockets.asyncio.client import connect
    from websockets.exceptions import ConnectionClosed, InvalidStatus
except ModuleNotFoundError:
    sys.exit("The package 'websockets' is not there: run tests/clients/setup python, and use its Python")

STEP_SECONDS = 20
USAGE = "usage: python tests/clients/python_websockets.py URL TOKEN [MAX_BYTES]"
STEPS = []


def given(index, name, default=""):
    return (sys.argv[index] if len(sys.argv) > index else "") or os.environ.get(name, default)


URL, TOKEN = given(1, "URL"), given(2, "TOKEN")
LIMIT = int(given(3, "MAX_BYTES", "65536"))
BEARER = {"Authorization": f"Bearer {TOKEN}"}


def step(name):
    """Registers a coroutine function as a step; steps run in the order of the file."""

    def register(run):
        STEPS.append((name, run))
        return run

    return register


class Client:
    """An open connection that hands out messages in order, without greeting and keep-alives."""

    def __init__(self, socket, greeting):
        self.socket = socket
        self.greeting = greeting
        self.send = socket.send

    async def next(self, wanted=lambda message: True):
        """The next message that `wanted` accepts; those before it are dropped."""
        while True:
            message = await self.socket.recv()
            if message != '"keepalive"' and wanted(message):
                return message


@asynccontextmanager
async def opened(path, headers=None, **options):
    # `proxy=None`: a proxy of the environment is not for this conversation.
    headers = BEARER if headers is None else headers
    async with connect(URL + path, additional_headers=headers, proxy=None, **options) as socket:
        yield Client(socket, json.loads(await socket.recv()))


async def echoes(message, sent=None):
    async with opened("/echo") as client:
        await client.send(message if sent is None else sent)
        answer = await client.next()
        assert type(answer) is type(message), f"sent {type(message)}, got {type(answer)}"
        assert answer == message, "the answer differs from what was sent"


async def status_of_refusal(path, **options):
    try:
        async with connect(URL + path, proxy=None, **options):
            raise AssertionError("the connection was accepted")
    except InvalidStatus as refusal:
        return refusal.response.status_code, refusal.response.headers


async def close_code(path, *messages):
    """Sends messages, then reads until the gateway ends the connection."""
    async with opened(path) as client:
        try:
            for message in messages:
                await client.send(message)
            while True:
                await client.next()
        except ConnectionClosed:
            return client.socket.close_code


def said(text):
    """Accepts the notice of a chat room that someone said something."""

    def wanted(message):
        message = json.loads(message)
        return message.get("type") == "said" and message.get("text") == text

    return wanted


@step("the first message tells the client its id")
async def _():
    async with opened("/echo") as one, opened("/echo") as two:
        assert one.greeting["type"] == "setClientId"
        assert one.greeting["payload"] != two.greeting["payload"]


@step("text, empty text, Unicode and binary come back unchanged")
async def _():
    for message in ("Hello", "", "ünïcödé \0 漢字 \U0001f344 e\u0301 \u202e", bytes(range(256))):
        await echoes(message)


@step("60 KB of text and of binary come back")
async def _():
    await echoes("0123456789" * 6000)
    await echoes(os.urandom(60_000))


@step("a message of exactly the limit comes back")
async def _():
    await echoes("x" * LIMIT)


@step("a fragmented message comes back whole")
async def _():
    await echoes("one two three", sent=["one ", "two ", "three"])
    await echoes(b"\x00\x01\x02", sent=[b"\x00", b"\x01", b"\x02"])


@step("a ping is answered by a pong")
async def _():
    async with opened("/echo") as client:
        latency = await (await client.socket.ping(b"x" * 125))
        assert latency < STEP_SECONDS


@step("1,000 messages sent at once come back in order")
async def _():
    async with opened("/echo") as client:

        async def send_all():
            for n in range(1000):
                await client.send(f"message {n}")

        sending = asyncio.create_task(send_all())
        for n in range(1000):
            assert await client.next() == f"message {n}"
        await sending


@step("two clients in a chat room hear each other, one in another room does not")
async def _():
    async with opened("/chat/blue") as one, opened("/chat/blue") as two, opened("/chat/red") as other:
        await one.send(json.dumps({"type": "say", "text": "from one"}))
        await two.next(said("from one"))
        await two.send(json.dumps({"type": "say", "text": "from two"}))
        await one.next(said("from two"))
        await other.send(json.dumps({"type": "say", "text": "from the other room"}))

        def wanted(message):
            assert "from one" not in message and "from two" not in message
            return said("from the other room")(message)

        await other.next(wanted)


@step("a close with 1000 is answered with 1000")
async def _():
    async with opened("/echo") as client:
        await client.socket.close(1000, "done")
        assert client.socket.close_code == 1000, client.socket.close_code


@step("a token may come as a subprotocol, and only the protocol's name comes back")
async def _():
    async with opened("/echo", headers={}, subprotocols=["sporegate", f"bearer.{TOKEN}"]) as client:
        assert client.socket.subprotocol == "sporegate"
        await client.send("by subprotocol")
        assert await client.next() == "by subprotocol"


@step("without a token the answer is 401, and says how to authenticate")
async def _():
    status, headers = await status_of_refusal("/echo")
    assert status == 401, status
    assert headers.get("WWW-Authenticate", "").startswith("Bearer"), headers


@step("with a wrong token the answer is 401")
async def _():
    status, _ = await status_of_refusal("/echo", additional_headers={"Authorization": "Bearer wrong"})
    assert status == 401, status


@step("a page of another origin gets 403")
async def _():
    status, _ = await status_of_refusal("/echo", additional_headers=BEARER, origin="http://evil.example")
    assert status == 403, status


@step("one byte more than the limit ends the connection with 1009")
async def _():
    code = await close_code("/echo", "x" * (LIMIT + 1))
    assert code == 1009, code


@step("a fragmented message over the limit ends the connection with 1009")
async def _():
    code = await close_code("/echo", ["x" * LIMIT, "x"])
    assert code == 1009, code


@step("after all that, others are still served")
async def _():
    await echoes("still here")


async def main():
    failed = 0
    for number, (name, run) in enumerate(STEPS, start=1):
        try:
            await asyncio.wait_for(run(), STEP_SECONDS)
            print(f"ok {number} - {name}", flush=True)
        except Exception as error:  # whatever it is, the step failed, and the next ones still run
            failed += 1
            late = f"no result after {STEP_SECONDS} s"
            why = late if isinstance(error, TimeoutError) else f"{type(error).__name__}: {error}"
            print(f"not ok {number} - {name}\n  {why}", flush=True)
    print(f"1..{len(STEPS)}")
    print(f"# {failed} of {len(STEPS)} failed" if failed else f"# all {len(STEPS)} passed")
    return 1 if failed else 0


if __name__ == "__main__":
    if not URL or not TOKEN or URL.startswith("-"):
        print(USAGE, file=sys.stderr)
        sys.exit(2)
    sys.exit(asyncio.run(main()))
