"""One HTTP/1.1 connection on h11: bounded in head, body and time; the transport below may be TLS."""

import asyncio
import zlib
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

import h11

from collectors.transports.inlet import Held

_READ = 256 << 10
_HEAD = 32 << 10
_IDLE_SECONDS = 120.0
_GZIP = 31
_DISCARD = 64 << 20
_DISCARD_SECONDS = 2.0


@dataclass(frozen=True, slots=True)
class Request:
    """A request whose head was read. path without its query; headers by lower-case name."""

    method: str
    path: str
    headers: dict[bytes, bytes]
    peer: str


@dataclass(frozen=True, slots=True)
class Response:
    """What is answered; close: end the connection afterwards."""

    status: int
    body: bytes = b""
    headers: tuple[tuple[str, str], ...] = ()
    content_type: str = "application/json"
    close: bool = False


class Refusal(Exception):
    """A request that is answered without being handled."""

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(reason)
        self.status = status
        self.reason = reason


Body = Callable[[], Awaitable[bytes]]
Handler = Callable[[Request, Body], Awaitable[Response]]


@dataclass(slots=True)
class Exchange:
    """Requests and responses of one connection, one after the other.

    limit: bytes of a body, before and after decompression; stall: seconds for a head, and for a body to
    go on. A body is read only when the handler asks for it, so that who has no token sends none.
    """

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    handle: Handler
    held: Held
    limit: int
    stall: float
    peer: str
    busy: bool = False
    _http: h11.Connection = field(default_factory=lambda: h11.Connection(h11.SERVER, _HEAD))
    _holding: int = 0

    async def run(self) -> None:
        """Serve until the client closes, is silent for too long or sends what is no HTTP."""
        try:
            while await self._one():
                self._http.start_next_cycle()
            await self._discard()
        finally:
            self._release()
            self.writer.close()

    async def _discard(self) -> None:
        """Read on a little after refusing a body: closing at once would take the answer back (TCP reset)."""
        if self._http.their_state not in {h11.SEND_BODY, h11.ERROR}:
            return
        left = _DISCARD
        if self.writer.can_write_eof():
            self.writer.write_eof()
        async with asyncio.timeout(_DISCARD_SECONDS):
            while left > 0 and (data := await self.reader.read(_READ)):
                left -= len(data)

    async def _one(self) -> bool:
        """One request and its response; False when the connection ends."""
        try:
            event = await self._next(_IDLE_SECONDS)
            if not isinstance(event, h11.Request):
                return False
            self.busy = True
            response = await self._respond(event)
            await self._send(response, head_only=event.method == b"HEAD")
        except TimeoutError:
            if self._http.trailing_data[0] or self._http.our_state is h11.SEND_RESPONSE:
                await self._send(_error(408, "the request did not arrive in time", close=True))
            return False
        except h11.RemoteProtocolError as error:
            if self._http.our_state in {h11.IDLE, h11.SEND_RESPONSE}:
                await self._send(_error(error.error_status_hint, "not understood as HTTP/1.1", close=True))
            return False
        finally:
            self.busy = False
            self._release()
        return self._http.our_state is h11.DONE and self._http.their_state is h11.DONE

    async def _respond(self, event: h11.Request) -> Response:
        headers = {bytes(name): bytes(value) for name, value in event.headers}
        path = bytes(event.target).partition(b"?")[0].decode("latin-1")
        request = Request(bytes(event.method).decode("latin-1"), path, headers, self.peer)
        try:
            return await self.handle(request, lambda: self._body(headers))
        except Refusal as refusal:
            return _error(refusal.status, refusal.reason, close=refusal.status in {400, 413, 415})

    async def _body(self, headers: dict[bytes, bytes]) -> bytes:
        """The whole body, decompressed. Raises Refusal when it is too large or not what it says."""
        coding = headers.get(b"content-encoding", b"identity").lower()
        if coding not in {b"identity", b"gzip", b"x-gzip", b"deflate"}:
            raise Refusal(415, "Content-Encoding must be gzip, deflate or identity")
        if int(headers.get(b"content-length", b"0")) > self.limit:
            raise Refusal(413, f"the body is larger than {self.limit} bytes")
        if self._http.they_are_waiting_for_100_continue:
            await self._write(self._http.send(h11.InformationalResponse(status_code=100, headers=[])))
        parts: list[bytes] = []
        size = 0
        while isinstance(event := await self._next(self.stall), h11.Data):
            parts.append(bytes(event.data))
            size += len(event.data)
            self._hold(len(event.data))
            if size > self.limit:
                raise Refusal(413, f"the body is larger than {self.limit} bytes")
        body = b"".join(parts)
        return body if coding == b"identity" else self._decompressed(body, coding)

    def _decompressed(self, body: bytes, coding: bytes) -> bytes:
        parts: list[bytes] = []
        left = self.limit
        while body:  # gzip allows several members one after the other
            inflate = zlib.decompressobj(zlib.MAX_WBITS if coding == b"deflate" else _GZIP)
            try:
                part = inflate.decompress(body, left + 1)
            except zlib.error:
                raise Refusal(400, "the compressed body is damaged") from None
            self._hold(len(part))
            left -= len(part)
            if left < 0:
                raise Refusal(413, f"the body is larger than {self.limit} bytes once decompressed")
            if not inflate.eof:
                raise Refusal(400, "the compressed body ends too early")
            parts.append(part)
            body = inflate.unused_data
        return b"".join(parts)

    def _hold(self, size: int) -> None:
        self._holding += size
        self.held.bytes += size
        if not self.held.plenty:
            raise Refusal(429, "too much is being received at once; send again")

    def _release(self) -> None:
        self.held.bytes -= self._holding
        self._holding = 0

    async def _next(self, seconds: float) -> h11.Event | None:
        """The next h11 event, None where a pipelined request waits behind this one.

        A head must be whole within `stall` seconds once it began.
        """
        first = self._http.their_state is h11.IDLE
        deadline = asyncio.get_running_loop().time() + seconds
        while True:
            event = self._http.next_event()
            if isinstance(event, h11.Event):
                return event
            if event is h11.PAUSED:
                return None
            async with asyncio.timeout_at(deadline):
                data = await self.reader.read(_READ)
            if first:
                first, deadline = False, min(deadline, asyncio.get_running_loop().time() + self.stall)
            self._http.receive_data(data)

    async def _send(self, response: Response, *, head_only: bool = False) -> None:
        headers = [
            ("Content-Type", response.content_type),
            ("Content-Length", str(len(response.body))),
            ("X-Elastic-Product", "Elasticsearch"),
            *response.headers,
        ]
        if response.close or self._has_unread_body():
            headers.append(("Connection", "close"))
        data = self._http.send(h11.Response(status_code=response.status, headers=headers)) or b""
        if not head_only:
            data += self._http.send(h11.Data(data=response.body)) or b""
        data += self._http.send(h11.EndOfMessage()) or b""
        await self._write(data)

    def _has_unread_body(self) -> bool:
        """Whether the client is to send, or has sent, a body that nobody asked for."""
        if self._http.their_state is not h11.SEND_BODY:
            return False
        return not isinstance(self._http.next_event(), h11.EndOfMessage)

    async def _write(self, data: bytes | None) -> None:
        self.writer.write(data or b"")
        async with asyncio.timeout(self.stall):
            await self.writer.drain()


def _error(status: int, reason: str, *, close: bool = False) -> Response:
    return error_response(status, "illegal_argument_exception", reason, close=close)


def error_response(
    status: int, kind: str, reason: str, *, headers: tuple[tuple[str, str], ...] = (), close: bool = False
) -> Response:
    """An error as Elasticsearch words it. kind and reason are ours: plain ASCII without quotes."""
    text = f'{{"error":{{"type":"{kind}","reason":"{reason}"}},"status":{status}}}'
    return Response(status, text.encode(), headers, close=close)
