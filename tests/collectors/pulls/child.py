"""What the pulls' tests share with the processes that they kill: rounds over a spool, a death at a step, what was spooled."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from collectors.pulls import Pull
from collectors.pulls.run import Rounds, inlets_of
from collectors.spool import Reader, Spool
from collectors.transports.health import ListenerHealth
from collectors.transports.inlet import Held, Inlet
from hinomi.clock import SystemClock
from hinomi.ledger import Ledger


@asynccontextmanager
async def at_work(
    pull: Pull,
    folder: Path,
    ledger: Ledger,
    health: ListenerHealth,
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
) -> AsyncIterator[Rounds]:
    """Its rounds with a spool that is opened for them, under the name that its health tells."""
    spool = Spool(folder, max_bytes=1 << 30, ledger=ledger)
    inlets = inlets_of(pull, health.name, spool, ledger, health, Held())
    try:
        yield Rounds(pull, inlets, folder / "cursor.json", SystemClock(), sleep)
    finally:
        await spool.close()


def die_at(step: str, steps: Mapping[str, tuple[type, str]]) -> None:
    """kill -9 `before_…` or `after_…` a step; never at a name that is none. steps: class and method of each, besides
    that of the spool."""
    when, _, what = step.partition("_")
    known = {"spool": (Inlet, "deliver"), **steps}
    if what in known:
        owner, method = known[what]
        setattr(owner, method, _killed(getattr(owner, method), before=when == "before"))


def _killed(call: Callable[..., Awaitable[Any]], *, before: bool) -> Callable[..., Awaitable[Any]]:
    async def dies(*given: Any, **more: Any) -> Any:
        if not before:
            await call(*given, **more)
        os.kill(os.getpid(), signal.SIGKILL)

    return dies


def spooled(*folders: Path) -> list[tuple[str, str, str]]:
    """Event id, origin and text of all that was spooled in these, in order."""
    rows = (row for folder in folders for row in _rows(folder, "event.id", "origin", "payload"))
    return [(identity, origin, payload.decode()) for identity, origin, payload in rows]


def senders(folder: Path) -> set[tuple[str, str]]:
    """Each sender and text that was spooled there."""
    return {(peer, payload.decode()) for peer, payload in _rows(folder, "peer", "payload")}


def _rows(folder: Path, *columns: str) -> Iterator[tuple[Any, ...]]:
    if not (folder / "lane-0").exists():
        return
    reader, after = Reader(folder / "lane-0"), None
    while (block := reader.read(after)) is not None:
        yield from block.frame.select(*columns).iter_rows()
        after = block.after
