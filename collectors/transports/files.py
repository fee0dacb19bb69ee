"""Runners of the file listeners: a followed log file, and a folder into which files are dropped."""

import asyncio
import errno
import shutil
from dataclasses import dataclass, field
from pathlib import Path

import structlog

from collectors.settings import Listener
from collectors.transports.door import Door
from collectors.transports.packed import Packed
from collectors.transports.settled import SettledFiles, move
from collectors.transports.tail import Tail
from collectors.transports.whole_file import WholeFile, first
from hinomi.named import why

log = structlog.get_logger()
_POLL = 0.25
_FULL = {errno.ENOSPC, errno.EDQUOT}
_ROOM_SECONDS = 10.0
"""Between two looks at whether a full disk has room again."""
DONE, FAILED = "done", "failed"


async def run_file(door: Door[Listener]) -> None:
    """Follow one file until the stop. Raises OSError when it cannot be read."""
    path = _path(door)
    tail = Tail(path, door.record(str(path), "place"), door.listener.max_message)
    door.up()
    try:
        while not door.stop.is_set():
            chunk = await asyncio.to_thread(tail.next)
            if chunk is None:
                door.health.problem = "" if tail.is_open else f"ファイルがまだありません: {path}"
                await door.pause(_POLL)
                continue
            if chunk.lost:
                door.health.errors[chunk.lost] += 1
                log.warning("lines of a followed file may be gone unread", file=str(path), why=chunk.lost)
            door.inlet.damaged(chunk.cut, "longer_than_max_message")
            if chunk.lines and not await door.deliver(str(path), chunk.lines, chunk.ids):
                break
            await asyncio.to_thread(tail.commit, chunk)
    finally:
        tail.save()
        tail.close()
        door.health.up = False


async def run_folder(door: Door[Listener]) -> None:
    """Read each file that is dropped into the folder once, then move it to `done` (or `failed`)."""
    folder = DropFolder(door, _path(door))
    for name in (DONE, FAILED):
        (folder.path / name).mkdir(parents=True, exist_ok=True)
    await asyncio.to_thread(
        shutil.rmtree, folder.unpacked, ignore_errors=True
    )  # of a process that was killed
    door.up()
    try:
        while not door.stop.is_set():
            for path in await asyncio.to_thread(folder.settled):
                if not await folder.take(path):
                    break
            await door.pause(_POLL)
    finally:
        door.health.up = False


@dataclass(slots=True)
class DropFolder:
    """One watched folder."""

    door: Door[Listener]
    path: Path
    _settled: SettledFiles = field(init=False)

    def __post_init__(self) -> None:
        self._settled = SettledFiles(self.path)

    def settled(self) -> list[Path]:
        """Complete files, oldest first."""
        return self._settled.look()

    @property
    def unpacked(self) -> Path:
        """Where the files of a ZIP lie while they are read: beside the listener's records, on disk."""
        return self.door.record(str(self.path), "unpacked")

    async def take(self, path: Path) -> bool:
        """Spool a file's records and move it away; False when the stop came first. Whatever a file fails at, it stops no other:
        it goes to `failed`, counted and with the reason in the log. Where it is the disk that is full, while the file is unpacked,
        the file stays and is read from its start later: nothing is wrong with it."""
        door = self.door
        file = WholeFile(path, door.listener.max_message, unpacked=self.unpacked)
        try:
            finished = await self._spool(file)
        except Exception as error:  # what a hostile file may bring a reader to is in no list
            if isinstance(error, OSError) and error.errno in _FULL:
                await self._wait_for_room(path, error)
                return True
            door.inlet.lost(1, "packed_file" if isinstance(error, Packed) else "unreadable_file")
            log.error(
                "a dropped file cannot be read whole",
                file=str(path),
                reason=str(error) or type(error).__name__,
            )
            await asyncio.to_thread(move, path, self.path / FAILED)
            return True
        if finished:
            door.health.problem = ""
            door.inlet.damaged(file.cut, "longer_than_max_message")
            door.inlet.lost(file.damaged, "damaged_record")
            await asyncio.to_thread(move, path, self.path / DONE)
        return finished

    async def _wait_for_room(self, path: Path, error: OSError) -> None:
        """Said where the doctor looks, and in the log once while it lasts."""
        words, health = why(error), self.door.health
        problem = f"{words.ja}。展開できるまで待ちます: {path}"
        if health.problem != problem:
            log.error("a dropped file waits for room on the disk", file=str(path), reason=words.en)
        health.problem = problem
        await self.door.pause(_ROOM_SECONDS)

    async def _spool(self, file: WholeFile) -> bool:
        identity = await asyncio.to_thread(file.identity)
        chunks, number = file.chunks(), 0
        while (records := await asyncio.to_thread(first, chunks)) is not None:
            ids = [f"{identity}:{number + i}" for i in range(len(records))]
            name = f"{file.path.name}/{file.inside}" if file.inside else file.path.name
            if not await self.door.deliver(name, records, ids):
                return False
            number += len(records)
        return True


def _path(door: Door[Listener]) -> Path:
    assert door.listener.path is not None  # the model requires it for these kinds
    return door.absolute(door.listener.path)
