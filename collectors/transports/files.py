"""Runners of the file listeners: a followed log file, and a folder into which files are dropped."""

import asyncio
from dataclasses import dataclass, field
from pathlib import Path

import structlog

from collectors.transports.door import Door
from collectors.transports.tail import Tail
from collectors.transports.whole_file import TooLarge, WholeFile, first
from hinomi.durable import sync_folder
from hinomi.errors import ConfigError, Where
from hinomi.identity import digest

log = structlog.get_logger()
_POLL = 0.25
_UNFINISHED = (".tmp", ".part", ".partial", ".filepart", ".crdownload", ".swp", "~")
DONE, FAILED = "done", "failed"


async def run_file(door: Door) -> None:
    """Follow one file until the stop. Raises OSError when it cannot be read."""
    path = _path(door)
    tail = Tail(path, door.state / f"{digest(door.name, str(path))[:16]}.place", door.listener.max_message)
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


async def run_folder(door: Door) -> None:
    """Read each file that is dropped into the folder once, then move it to `done` (or `failed`)."""
    folder = DropFolder(door, _path(door))
    for name in (DONE, FAILED):
        (folder.path / name).mkdir(parents=True, exist_ok=True)
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
    """One watched folder. A file is complete when two looks find it the same."""

    door: Door
    path: Path
    _seen: dict[Path, tuple[int, int]] = field(default_factory=dict)

    def settled(self) -> list[Path]:
        """Complete files, oldest first."""
        found: dict[Path, tuple[int, int]] = {}
        for path in self.path.iterdir():
            if path.name.startswith(".") or path.name.lower().endswith(_UNFINISHED) or path.is_symlink():
                continue
            if path.is_file():
                status = path.stat()
                found[path] = (status.st_mtime_ns, status.st_size)
        before, self._seen = self._seen, found
        return sorted(
            (p for p, state in found.items() if before.get(p) == state), key=lambda p: (found[p], p)
        )

    async def take(self, path: Path) -> bool:
        """Spool a file's records and move it away; False when the stop came first."""
        door, file = self.door, WholeFile(path, self.door.listener.max_message)
        try:
            finished = await self._spool(file)
        except (OSError, EOFError, TooLarge) as error:
            door.inlet.lost(1, "unreadable_file")
            log.error("a dropped file cannot be read whole", file=str(path), reason=str(error))
            await asyncio.to_thread(_move, path, self.path / FAILED)
            return True
        if finished:
            door.inlet.damaged(file.cut, "longer_than_max_message")
            door.inlet.lost(file.damaged, "damaged_record")
            await asyncio.to_thread(_move, path, self.path / DONE)
        return finished

    async def _spool(self, file: WholeFile) -> bool:
        identity = await asyncio.to_thread(file.identity)
        chunks, number = file.chunks(), 0
        while (records := await asyncio.to_thread(first, chunks)) is not None:
            ids = [f"{identity}:{number + i}" for i in range(len(records))]
            if not await self.door.deliver(file.path.name, records, ids):
                return False
            number += len(records)
        return True


def _path(door: Door) -> Path:
    assert door.listener.path is not None  # the model requires it for these kinds
    if not door.listener.path.is_absolute():
        raise ConfigError(
            "絶対パスで書いてください。",
            "write an absolute path",
            where=Where(key=f"listen.{door.name}.path"),
        )
    return door.listener.path


def _move(path: Path, folder: Path) -> None:
    """Move a file without replacing another of its name; one that somebody took away meanwhile is gone."""
    if not path.exists():
        return
    target, number = folder / path.name, 2
    while target.exists():
        target = folder / f"{path.stem}-{number}{path.suffix}"
        number += 1
    path.rename(target)
    sync_folder(folder)
    sync_folder(path.parent)
