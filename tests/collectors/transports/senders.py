"""Senders of every transport: numbered messages, each acknowledged where the protocol has an acknowledgement.

`send(port, pieces, tls)` returns when all were handed over, down one connection where the protocol keeps one; message n
begins with its number.
"""

import asyncio
import base64
import json
import random
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest

from tests.collectors.flows.capture import flow_set, template, version_9
from tests.collectors.flows.test_flows import FIELDS, RECORD
from tests.collectors.transports import certificates
from tests.collectors.transports.test_lumberjack import Beat, line

_SIZE = 250
_FILLER = base64.b64encode(random.Random(1).randbytes(6 << 20))
Pieces = AsyncIterator[range]
Send = Callable[[int, Pieces, ssl.SSLContext | None], Awaitable[None]]


def message(n: int) -> bytes:
    """Message n: its number, and what cannot be packed."""
    start = n * _SIZE % (len(_FILLER) - _SIZE)
    return b"%d %s" % (n, _FILLER[start : start + _SIZE])


async def stream(port: int, pieces: Pieces, tls: ssl.SSLContext | None) -> None:
    """Lines down one connection, over TLS or not."""
    patient: dict[str, Any] = {"server_hostname": "127.0.0.1", "ssl_shutdown_timeout": 300} if tls else {}
    _, writer = await asyncio.open_connection("127.0.0.1", port, ssl=tls, **patient)
    async for piece in pieces:
        writer.write(b"".join(b"%s\n" % message(n) for n in piece))
        await writer.drain()
    writer.close()
    await writer.wait_closed()


async def short(port: int, pieces: Pieces, tls: ssl.SSLContext | None) -> None:
    """Lines down a new connection for each piece, closed at once: a script's way to send."""
    async for piece in pieces:
        await stream(port, _one(piece), tls)


async def _one(piece: range) -> Pieces:
    yield piece


async def relp(port: int, pieces: Pieces, tls: ssl.SSLContext | None) -> None:
    """Every message answered; the answers are read while further ones are sent."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    offer = b"relp_version=0\nrelp_software=test\ncommands=syslog"
    writer.write(b"1 open %d %s\n" % (len(offer), offer))
    sent = [1]
    answers = asyncio.create_task(_answers(reader, sent))
    async for piece in pieces:
        frames = []
        for n in piece:
            sent[0] += 1
            text = message(n)
            frames.append(b"%d syslog %d %s\n" % (sent[0], len(text), text))
        writer.write(b"".join(frames))
        await writer.drain()
    sent.append(0)  # no more will come
    await answers
    writer.write(b"%d close 0\n" % (sent[0] + 1))
    writer.close()
    await writer.wait_closed()


async def _answers(reader: asyncio.StreamReader, sent: list[int]) -> None:
    """Until as many are answered as were sent, once that is known."""
    found, rest = 0, b""
    while len(sent) == 1 or found < sent[0]:
        try:
            data = await asyncio.wait_for(reader.read(1 << 16), 0.2)
        except TimeoutError:
            continue
        assert data, f"the connection ended after {found} answers"
        whole, mark, rest = (rest + data).rpartition(b"\n")
        found += (whole + mark).count(b" 200 OK")


async def lumberjack(port: int, pieces: Pieces, tls: ssl.SSLContext | None) -> None:
    """Windows of Beats, each answered before the next."""
    beat = Beat(port)
    async for piece in pieces:
        await beat.send([{**line(n), "message": message(n).decode()} for n in piece], level=1)


async def http(port: int, pieces: Pieces, tls: ssl.SSLContext | None) -> None:
    """Requests of a thousand lines, each again as long as it is refused."""
    await _posted(
        f"http://127.0.0.1:{port}/ingest/in",
        pieces,
        lambda piece: b"\n".join(map(message, piece)),
        "text/plain",
    )


async def otlp(port: int, pieces: Pieces, tls: ssl.SSLContext | None) -> None:
    """Requests of a thousand records, each again as long as it is refused."""
    await _posted(f"http://127.0.0.1:{port}/v1/logs", pieces, _records, "application/x-protobuf")


async def _posted(url: str, pieces: Pieces, body_of: Callable[[range], bytes], kind: str) -> None:
    async with httpx.AsyncClient(timeout=60, headers={"content-type": kind}) as client:
        async for piece in pieces:
            body = body_of(piece)
            while (answer := await client.post(url, content=body)).status_code != 200:
                assert answer.status_code in {429, 503} and answer.headers["retry-after"], answer
                await asyncio.sleep(0.05)


def _records(numbers: range) -> bytes:
    request = ExportLogsServiceRequest()
    scope = request.resource_logs.add().scope_logs.add()
    for n in numbers:
        scope.log_records.add().body.string_value = message(n).decode()
    return request.SerializeToString()


async def udp(port: int, pieces: Pieces, tls: ssl.SSLContext | None) -> None:
    """A datagram each."""
    await _datagrams(port, pieces, message)


async def flow(port: int, pieces: Pieces, tls: ssl.SSLContext | None) -> None:
    """A datagram of one flow each, after the template."""
    one = version_9(1, flow_set(256, RECORD))
    await _datagrams(port, pieces, lambda n: one, first=version_9(0, flow_set(0, template(256, *FIELDS))))


async def _datagrams(port: int, pieces: Pieces, of: Callable[[int], bytes], first: bytes = b"") -> None:
    loop = asyncio.get_running_loop()
    target = ("127.0.0.1", port)
    transport, _ = await loop.create_datagram_endpoint(asyncio.DatagramProtocol, remote_addr=target)
    try:
        if first:
            transport.sendto(first)
        async for piece in pieces:
            for n in piece:
                transport.sendto(of(n))
                if n % 200 == 199:
                    await asyncio.sleep(0)
    finally:
        transport.close()


def cut(numbers: range, size: int) -> Iterator[range]:
    """Pieces of some size."""
    return (numbers[start : start + size] for start in range(0, len(numbers), size))


async def at_once(numbers: range, size: int = 250) -> Pieces:
    """All of them, as fast as they are taken."""
    for piece in cut(numbers, size):
        yield piece


@dataclass(frozen=True, slots=True)
class Transport:
    """kind: of the listener; lossy: the protocol has no way to make a sender wait."""

    kind: str
    send: Send
    lossy: bool = False

    def listener(self, folder: Path) -> tuple[dict[str, Any], ssl.SSLContext | None]:
        """The listener's settings, and what a client trusts."""
        if self.kind != "tls":
            return {"kind": self.kind}, None
        files = certificates.make(folder)
        settings = {"kind": "tls", "cert": str(files["cert"]), "key": str(files["key"])}
        return settings, ssl.create_default_context(cafile=str(files["ca"]))


TRANSPORTS = {
    "tcp": Transport("tcp", stream),
    "tls": Transport("tls", stream),
    "tcp-short": Transport("tcp", short),
    "tls-short": Transport("tls", short),
    "relp": Transport("relp", relp),
    "lumberjack": Transport("lumberjack", lumberjack),
    "http": Transport("http", http),
    "otlp": Transport("http", otlp),
    "udp": Transport("udp", udp, lossy=True),
    "flow": Transport("flow", flow, lossy=True),
}


def number_of(payload: bytes) -> int:
    """The number that a spooled message begins with, whatever its transport put around it."""
    if payload[:1] == b"{":
        told = json.loads(payload)
        payload = str(told.get("message") or told.get("body") or "").encode()
    return int(payload.split(b" ", 1)[0])
