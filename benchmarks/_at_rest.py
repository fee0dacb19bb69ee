"""Transports of which the messages rest where they are until they are fetched: followed and dropped files, Kafka.

Nobody can be made to wait, and nothing is lost by it: what the spool has no room for stays in the file, or with the broker.
"""

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any

from collectors.pulls.kafka import Kafka
from collectors.pulls.run import serve_pulls
from collectors.spool import Spool
from collectors.transports import Health
from hinomi.clock import SystemClock
from hinomi.ledger import Ledger
from tests import kafka
from tests.collectors.transports.intake import Running, intake
from tests.collectors.transports.senders import TRANSPORTS, Pieces, Transport, message

_TOPIC = "overload"
_FOLLOWED, _DROPPED = "followed.log", "dropped"
AT_REST = ("file", "folder", "kafka")


def transports(folder: Path) -> dict[str, Transport]:
    """Every transport by name; folder: where files are that are followed or dropped."""
    return {
        **TRANSPORTS,
        "file": Transport("file", partial(_appended, folder / _FOLLOWED)),
        "folder": Transport("folder", partial(_dropped, folder / _DROPPED)),
        "kafka": Transport("kafka", _produced),
    }


@asynccontextmanager
async def receiving(name: str, folder: Path, max_bytes: int) -> AsyncIterator[Running]:
    """What takes that transport's messages into a spool of so many bytes, as listener `in`."""
    if name == "kafka":
        async with _from_kafka(folder / "spool", max_bytes) as running:
            yield running
        return
    settings: dict[str, Any]
    settings, _ = transports(folder)[name].listener(folder)
    if name == "file":
        (folder / _FOLLOWED).touch()
        settings["path"] = str(folder / _FOLLOWED)
    elif name == "folder":
        (folder / _DROPPED).mkdir()
        settings["path"] = str(folder / _DROPPED)
    elif name == "flow":
        settings["port"] = 0  # others may use the usual one
    async with intake(folder / "spool", max_bytes=max_bytes, **{"in": settings}) as running:
        yield running


async def _appended(path: Path, port: int, pieces: Pieces, tls: ssl.SSLContext | None) -> None:
    """Lines at the end of a file that others write to as well."""
    with path.open("ab", buffering=0) as file:
        async for piece in pieces:
            file.write(_lines(piece))


async def _dropped(folder: Path, port: int, pieces: Pieces, tls: ssl.SSLContext | None) -> None:
    """A file for each piece, written under another name and then renamed."""
    async for piece in pieces:
        written = folder.parent / f"{piece.start}.part"
        written.write_bytes(_lines(piece))
        written.rename(folder / f"{piece.start:09}.log")


def _lines(piece: range) -> bytes:
    return b"".join(b"%s\n" % message(n) for n in piece)


async def _produced(port: int, pieces: Pieces, tls: ssl.SSLContext | None) -> None:
    """Messages that the broker acknowledged."""
    from confluent_kafka import Producer

    producer = Producer({"bootstrap.servers": f"127.0.0.1:{port}", "acks": "all", "linger.ms": 5})
    async for piece in pieces:
        for n in piece:
            producer.produce(_TOPIC, message(n))
        assert await asyncio.to_thread(producer.flush, 60) == 0


@asynccontextmanager
async def _from_kafka(folder: Path, max_bytes: int) -> AsyncIterator[Running]:
    broker = kafka.running()
    broker.topic(_TOPIC)
    pull = Kafka.model_validate(
        {"kind": "kafka", "brokers": [broker.plain], "topics": [_TOPIC], "tls": False}
    )
    ledger, stop = Ledger(), asyncio.Event()
    spool = Spool(folder, max_bytes=max_bytes, ledger=ledger)
    ready: asyncio.Future[Health] = asyncio.get_running_loop().create_future()
    task = asyncio.create_task(
        serve_pulls({"in": pull}, spool, ledger, clock=SystemClock(), ready=ready.set_result, stop=stop)
    )
    try:
        health = await ready
        health.listeners["in"].port = int(broker.plain.rpartition(":")[2])
        yield Running(folder, spool, ledger, health, stop)
    finally:
        stop.set()
        await task
        await spool.close()
