"""HTTP requests to the hosts that the sidecar grants in `[http]`.

A response is read as it comes; between two pieces a listener can `flush` what it makes of them.

    with http.get("https://api.example.com/items/7") as response:
        for line in response.lines():
            ...
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from types import TracebackType
from urllib.parse import urlsplit

from wit_world.imports import wasi_http_outgoing_handler_0_2_12 as outgoing_handler
from wit_world.imports import wasi_http_types_0_2_12 as types
from wit_world.imports import wasi_io_streams_0_2_12 as streams

from ._wit import Err, Ok

_WRITE_BYTES = 4096
"""What one write to a stream may hold."""

_READ_BYTES = 16 << 10

_METHODS: dict[str, types.Method] = {
    "GET": types.Method_Get(),
    "HEAD": types.Method_Head(),
    "POST": types.Method_Post(),
    "PUT": types.Method_Put(),
    "DELETE": types.Method_Delete(),
    "OPTIONS": types.Method_Options(),
    "PATCH": types.Method_Patch(),
}


class HttpError(Exception):
    """There is no response, or not all of it. Shown by the name that the standard has for the cause."""


class Response:
    """A response whose head has come. A context manager: leaving it gives up what was not read."""

    def __init__(self, response: types.IncomingResponse) -> None:
        self.status = response.status()
        with response.headers() as fields:
            self.headers = [
                (name.lower(), value.decode("latin-1")) for name, value in fields.entries()
            ]
        """Names in lower case, in the order in which they came."""
        self._response = response
        self._body = response.consume()
        self._stream: streams.InputStream | None = self._body.stream()

    def header(self, name: str) -> str | None:
        """The first header of a name, in any case."""
        return next((value for known, value in self.headers if known == name.lower()), None)

    def chunks(self) -> Iterator[bytes]:
        """The body piece by piece as it comes. `HttpError` if it breaks off."""
        while self._stream is not None:
            try:
                with _http_errors():
                    chunk = self._stream.blocking_read(_READ_BYTES)
            except _Ended:
                return
            if chunk:
                yield chunk

    def lines(self) -> Iterator[str]:
        """The body line by line as it comes: what is before each `\\n`, and after the last one if that
        is something. Bytes that are not UTF-8 become replacement characters."""
        rest = bytearray()
        for chunk in self.chunks():
            start = len(rest)
            rest += chunk
            begin = 0
            while (end := rest.find(b"\n", max(begin, start))) >= 0:
                yield rest[begin:end].decode(errors="replace")
                begin = end + 1
            del rest[:begin]
        if rest:
            yield rest.decode(errors="replace")

    def read(self) -> bytes:
        """All of the body."""
        return b"".join(self.chunks())

    def close(self) -> None:
        """Gives up what was not read."""
        if self._stream is not None:
            # A stream is a part of its body, and goes first.
            self._stream.__exit__(None, None, None)
            self._stream = None
            self._body.__exit__(None, None, None)
            self._response.__exit__(None, None, None)

    def __enter__(self) -> "Response":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


def get(url: str, headers: Mapping[str, str] | None = None, timeout: float | None = None) -> Response:
    """Gets a URL, as `request` does."""
    return request("GET", url, headers, timeout=timeout)


def request(
    method: str,
    url: str,
    headers: Mapping[str, str] | None = None,
    body: bytes = b"",
    timeout: float | None = None,
) -> Response:
    """Makes a request and waits for the head of the response. No redirect is followed.

    `timeout` in seconds holds for the connection, for the first byte and between two pieces; the limits
    of the sidecar and the time of the call hold all the same. `HttpError` if no response comes: the
    host is not granted or not there, or a limit is reached. `ValueError` if this is no request.
    """
    outgoing = _outgoing(method, url, headers or {})
    content = outgoing.body()
    options = None if timeout is None else _options(timeout)
    with _http_errors():
        future = outgoing_handler.handle(outgoing, options)
    # Where writing fails the response says why.
    failed: HttpError | None = None
    try:
        _write(content, body)
    except HttpError as error:
        failed = error
    with future:
        response = Response(_wait(future))
    if failed is not None:
        response.close()
        raise failed
    return response


def _outgoing(method: str, url: str, headers: Mapping[str, str]) -> types.OutgoingRequest:
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.netloc:
        raise ValueError(f"the URL must begin with http:// or https://: {url!r}")
    try:
        fields = types.Fields.from_list([(name, it.encode()) for name, it in headers.items()])
    except Err as error:
        raise ValueError(f"a header: {_name(error.value)}") from None
    outgoing = types.OutgoingRequest(fields)
    path = parts.path or "/"
    try:
        outgoing.set_method(_METHODS.get(method.upper()) or types.Method_Other(method))
        outgoing.set_scheme(
            types.Scheme_Https() if parts.scheme == "https" else types.Scheme_Http()
        )
        outgoing.set_authority(parts.netloc)
        outgoing.set_path_with_query(f"{path}?{parts.query}" if parts.query else path)
    except Err:
        raise ValueError(f"the method or the URL is refused: {method} {url!r}") from None
    return outgoing


def _options(timeout: float) -> types.RequestOptions:
    options = types.RequestOptions()
    nanoseconds = int(timeout * 1_000_000_000)
    options.set_connect_timeout(nanoseconds)
    options.set_first_byte_timeout(nanoseconds)
    options.set_between_bytes_timeout(nanoseconds)
    return options


def _write(content: types.OutgoingBody, body: bytes) -> None:
    with _http_errors():
        if body:
            with content.write() as stream:
                for begin in range(0, len(body), _WRITE_BYTES):
                    stream.blocking_write_and_flush(body[begin : begin + _WRITE_BYTES])
        types.OutgoingBody.finish(content, None)


def _wait(future: types.FutureIncomingResponse) -> types.IncomingResponse:
    with future.subscribe() as ready:
        ready.block()
    answer = future.get()
    if not isinstance(answer, Ok):
        raise HttpError("the response was taken already")
    if isinstance(answer.value, Ok):
        return answer.value.value
    raise HttpError(_name(answer.value.value))


class _Ended(HttpError):
    """The stream is at its end."""


@contextmanager
def _http_errors() -> Iterator[None]:
    try:
        yield
    except Err as error:
        raise _cause(error.value) from None


def _cause(case: object) -> HttpError:
    if isinstance(case, streams.StreamError_Closed):
        return _Ended("the stream is closed")
    if isinstance(case, streams.StreamError_LastOperationFailed):
        with case.value as reason:
            code = types.http_error_code(reason)
            return HttpError(reason.to_debug_string() if code is None else _name(code))
    return HttpError("the request is refused" if case is None else _name(case))


def _name(case: object) -> str:
    """`ConnectionRefused`, `InternalError: why`."""
    name = type(case).__name__.split("_", 1)[-1]
    value = getattr(case, "value", None)
    return name if value is None else f"{name}: {value}"
