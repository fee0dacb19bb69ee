"""A running intake for tests: listeners on ephemeral ports, a spool, and what came out of it."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter

from collectors.listeners import AnyListener
from collectors.settings import Listening
from collectors.spool import Reader, Spool, lane_folders
from collectors.transports import Health, serve
from hinomi.ledger import Ledger, Line

MIB = 1 << 20


@dataclass(slots=True)
class Running:
    """An intake while it runs."""

    folder: Path
    spool: Spool
    ledger: Ledger
    health: Health
    stop: asyncio.Event
    positions: dict[Path, str] = field(default_factory=dict)
    rows: list[dict[str, Any]] = field(default_factory=list)

    def port(self, name: str) -> int:
        return self.health.listeners[name].port

    def counted(self, what: str, reason: str, origin: str) -> int:
        return self.ledger.counts[Line(what, origin, reason)]  # type: ignore[arg-type]

    def errors(self, name: str) -> Mapping[str, int]:
        return self.health.listeners[name].errors

    def spooled(self) -> list[dict[str, Any]]:
        """Every entry so far, in order of its lane."""
        for lane in lane_folders(self.folder):
            while block := Reader(lane).read(self.positions.get(lane)):
                self.positions[lane] = block.after
                self.rows += block.frame.to_dicts()
        return self.rows

    def payloads(self, origin: str | None = None) -> list[bytes]:
        return [row["payload"] for row in self.spooled() if origin in (None, row["origin"])]

    def trim(self) -> None:
        """What the worker does after its commit."""
        for lane, position in self.positions.items():
            Reader(lane).trim(position)

    async def until(self, condition: Callable[[], object], seconds: float = 20) -> None:
        try:
            async with asyncio.timeout(seconds):
                while not condition():
                    await asyncio.sleep(0.01)
        except TimeoutError:
            raise AssertionError(
                f"not in {seconds} s; {self.health.as_dict()} {self.ledger.counts}"
            ) from None

    async def until_spooled(self, n: int, seconds: float = 20) -> list[dict[str, Any]]:
        await self.until(lambda: len(self.spooled()) >= n, seconds)
        return self.rows


def listening(keys: Mapping[str, Any]) -> Listening:
    """A listener of any kind, on loopback where it has an address."""
    near = {} if "address" in keys or keys["kind"] == "transfer" else {"address": "127.0.0.1"}
    made: Listening = TypeAdapter(AnyListener).validate_python({**near, **keys})
    return made


@asynccontextmanager
async def intake(
    folder: Path, *, max_bytes: int = 256 * MIB, **listen: Mapping[str, Any]
) -> AsyncIterator[Running]:
    """Listeners on 127.0.0.1; drained and closed at the end."""
    listeners = {name: listening(keys) for name, keys in listen.items()}
    ledger, stop = Ledger(), asyncio.Event()
    spool = Spool(folder, max_bytes=max_bytes, ledger=ledger)
    ready: asyncio.Future[Health] = asyncio.get_running_loop().create_future()
    task = asyncio.create_task(serve(listeners, spool, ledger, ready=ready.set_result, stop=stop))
    try:
        yield Running(folder, spool, ledger, await ready, stop)
    finally:
        stop.set()
        await task
        await spool.close()


async def send(port: int, *pieces: bytes, pause: float = 0.0) -> None:
    """One TCP connection that sends and closes."""
    _, writer = await asyncio.open_connection("127.0.0.1", port)
    for piece in pieces:
        writer.write(piece)
        await writer.drain()
        if pause:
            await asyncio.sleep(pause)
    writer.close()
    await writer.wait_closed()
