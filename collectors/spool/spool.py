"""The durable spool: what a transport hands in is on disk before the call returns.

Many writers, one fsync: entries that arrive while a block is being written go into the next block
together (group commit). A source stays with one worker; where there are quick lanes, in its bulk lane while it is loud
and in its quick lane while it is quiet, which the worker reads first.
"""

import asyncio
import time
import zlib
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from collectors.spool.block import Entries
from collectors.spool.folder import lane_folders, size_of
from collectors.spool.lane import LaneWriter
from collectors.spool.pace import Pace
from collectors.spool.position import Position
from hinomi.errors import HinomiError, SpoolFull, StoreError
from hinomi.ledger import Ledger
from hinomi.locking import locked

_BLOCK_BYTES = 4 << 20
_IN_FLIGHT = 64 << 20
_PAUSE = 0.005  # seconds between two commits of a lane: more waiting writers share an fsync and a block
_RESCAN = 0.1


@dataclass(frozen=True, slots=True)
class Receipt:
    """Where entries lie: the id of entry `i` is `f"{prefix}{first + i:x}"` (unless the client gave one)."""

    prefix: str
    first: int

    def event_id(self, i: int) -> str:
        """The event id of the i-th entry."""
        return f"{self.prefix}{self.first + i:x}"


@dataclass(slots=True)
class _Waiting:
    entries: Entries
    size: int
    done: "asyncio.Future[Receipt]"


@dataclass(slots=True)
class _Lane:
    writer: LaneWriter
    queue: list[_Waiting] = field(default_factory=list)
    task: "asyncio.Task[None] | None" = None
    last: float = 0.0


class Spool:
    """The writing side; one process at a time. The reading side is `Reader`, one a lane."""

    def __init__(
        self,
        folder: Path,
        *,
        max_bytes: int,
        lanes: int = 1,
        quick: bool = False,
        ledger: Ledger | None = None,
    ) -> None:
        """Open, or make, the spool at `folder`. max_bytes bounds all lanes together, on disk; quick: beside each lane one for
        senders that are quiet, numbered behind the others.

        Raises HinomiError when another process has it open.
        """
        self.folder = folder
        self.max_bytes = max_bytes
        folder.mkdir(parents=True, exist_ok=True)
        folder.chmod(0o700)
        self._lock = _lock(folder)
        self._pace = Pace(time.monotonic) if quick else None
        self._bulk, lanes = lanes, 2 * lanes if quick else lanes
        segment = min(64 << 20, max(64 << 10, max_bytes // (8 * lanes)))
        counts = ledger if ledger is not None else Ledger()
        self._lanes = [_Lane(LaneWriter(folder / f"lane-{n}", segment, counts)) for n in range(lanes)]
        for lane in self._lanes:
            lane.writer.open()
        self._threads = ThreadPoolExecutor(max_workers=lanes, thread_name_prefix="spool")
        self._in_flight = 0
        self._drained = asyncio.Event()
        self._closing = False
        self._used, self._scanned = self._measure(), time.monotonic()

    def lane_of(self, origin: str) -> int:
        """The lane of a source while it is loud; the same as long as the number of lanes is."""
        return zlib.crc32(origin.encode()) % self._bulk

    def _lane_for(self, entries: Entries) -> _Lane:
        quiet = self._pace is not None and self._pace.quiet(
            (entries.origin, entries.peer), len(entries.payloads)
        )
        return self._lanes[self.lane_of(entries.origin) + (self._bulk if quiet else 0)]

    @property
    def used(self) -> int:
        """Bytes on disk, as last measured, plus what was written since."""
        return self._used

    def has_room(self, size: int = 1) -> bool:
        """Whether this many more bytes may be taken in; looks at the disk when it seems not."""
        if self._used + self._in_flight + size <= self.max_bytes:
            return True
        if time.monotonic() - self._scanned > _RESCAN:
            self._used, self._scanned = self._measure(), time.monotonic()
        return self._used + self._in_flight + size <= self.max_bytes

    async def append(self, entries: Entries) -> Receipt:
        """Return when the entries are durable. Raises SpoolFull at the bound or on a full disk.

        After StoreError (the disk fails) or SpoolFull nothing of the entries is kept; send them again.
        """
        size = entries.size
        if self._closing:
            raise StoreError("受付を停止しています。", "the spool is closing")
        while self._in_flight and self._in_flight + size > _IN_FLIGHT:  # memory, not disk: a short wait
            self._drained.clear()
            await self._drained.wait()
        if not self.has_room(size):
            raise SpoolFull(
                f"スプールが上限({self.max_bytes >> 20} MiB)に達しています。",
                f"the spool is at its limit of {self.max_bytes >> 20} MiB",
            )
        lane = self._lane_for(entries)
        waiting = _Waiting(entries, size, asyncio.get_running_loop().create_future())
        waiting.done.add_done_callback(_seen)
        lane.queue.append(waiting)
        self._in_flight += size
        if lane.task is None or lane.task.done():
            lane.task = asyncio.create_task(self._commit(lane))
        # A caller that is cancelled must not cancel what others wait for in the same block.
        return await asyncio.shield(waiting.done)

    async def close(self) -> None:
        """Write what waits, then close. Later appends are refused."""
        self._closing = True
        await asyncio.gather(*(lane.task for lane in self._lanes if lane.task is not None))
        for lane in self._lanes:
            lane.writer.close()
        self._threads.shutdown()
        self._lock.close()

    async def _commit(self, lane: _Lane) -> None:
        loop = asyncio.get_running_loop()
        while lane.queue:
            if (pause := lane.last + _PAUSE - loop.time()) > 0 and not self._closing:
                await asyncio.sleep(pause)
            batch = _take(lane.queue)
            groups = [waiting.entries for waiting in batch]
            try:
                start = await loop.run_in_executor(self._threads, lane.writer.write, groups)
            except HinomiError as error:
                _fail(batch, error)
            except Exception as error:
                _fail(batch, StoreError("スプールに書けません。", f"the spool cannot be written: {error}"))
            else:
                _acknowledge(batch, start)
            lane.last = loop.time()
            self._used += lane.writer.take_written()
            self._in_flight -= sum(waiting.size for waiting in batch)
            self._drained.set()

    def _measure(self) -> int:
        return sum(size_of(lane) for lane in lane_folders(self.folder))


def _lock(folder: Path) -> IO[str]:
    said = (
        f"このスプールは別のプロセスが使っています: {folder}",
        f"another process uses this spool: {folder}",
    )
    return locked(folder, HinomiError(*said))


def _take(queue: list[_Waiting]) -> list[_Waiting]:
    """The next block's entries: at least one group, and no more than a block's bytes."""
    size = n = 0
    for waiting in queue:
        size += waiting.size
        if n and size > _BLOCK_BYTES:
            break
        n += 1
    taken = queue[:n]
    del queue[:n]
    return taken


def _seen(done: "asyncio.Future[Receipt]") -> None:
    """Mark an error as seen: a caller that went away must not leave a warning behind."""
    if not done.cancelled():
        done.exception()


def _acknowledge(batch: list[_Waiting], start: Position) -> None:
    first = 0
    for waiting in batch:
        if not waiting.done.done():
            waiting.done.set_result(Receipt(start.id_prefix, first))
        first += len(waiting.entries.payloads)


def _fail(batch: list[_Waiting], error: HinomiError) -> None:
    for waiting in batch:
        if not waiting.done.done():
            waiting.done.set_exception(error)
