"""Copies of an embedded tower's data folder, made while it runs, and back: `hinomi store snapshot|restore --data`.

Records first, then the events' list of files, then those files, which nobody ever changes: so a copy holds every event
that its records speak of. The spool stays out (what waits in it is stored a moment later, in the next copy). Each file
goes with its SHA-256; one that the copy before holds already is a hard link to it and takes no room.
"""

import hashlib
import os
import shutil
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from hinomi.clock import JST, Clock
from hinomi.durable import sync, write_durably
from hinomi.errors import ContentError, InputError, StoreError, Where
from hinomi.store.embedded import ParquetEvents

INDEX = "snapshot.json"
_EVENTS, _RECORDS = "events/manifest.sqlite", "records.sqlite"
_OWN = {"events", "spool", "pull", "run"}  # copied in their own way, or of this moment only
_TRIES = 3


class Index(BaseModel):
    """What a copy holds: events of each dataset, and the SHA-256 of each file."""

    made: str
    events: dict[str, int]
    sha256: dict[str, str]


@dataclass(frozen=True, slots=True)
class Backups:
    """The copies in a folder."""

    folder: Path

    def names(self) -> dict[str, Mapping[str, int]]:
        """The copies, oldest first, with the events that each holds of each dataset."""
        return {path.parent.name: _index(path).events for path in self._indices()}

    def _indices(self) -> list[Path]:
        return sorted(self.folder.glob(f"*/{INDEX}"))

    def make(self, data: Path, clock: Clock) -> str:
        """A copy of what is stored now; its name."""
        if not (data / _RECORDS).exists():
            raise InputError(
                "内蔵の保管庫がありません。", "there is no embedded store here", where=Where(data)
            )
        name = f"hinomi-{clock.now().astimezone(JST):%Y%m%d-%H%M%S}"
        before, part = self._indices(), self.folder / f".{name}.part"
        shutil.rmtree(part, ignore_errors=True)
        part.mkdir(parents=True, mode=0o700)
        files = _Copy(data, part, before[-1].parent if before else None)
        sums = dict(files.all())
        counts = _counted(part / _EVENTS)
        index = Index(made=clock.now().isoformat(), events=counts, sha256=sums)
        write_durably(part / INDEX, index.model_dump_json(indent=1).encode())
        part.rename(self.folder / name)
        return name

    def restore(self, name: str, data: Path) -> Mapping[str, int]:
        """Bring a copy back into a folder that holds nothing; the events it holds. Raises ContentError where a file of
        the copy was changed or is gone."""
        source = self.folder / name
        if not (source / INDEX).is_file():
            raise InputError(
                f"写し {name} はありません。", f"there is no copy {name}", where=Where(self.folder)
            )
        if data.exists() and any(data.iterdir()):
            raise InputError(
                "空のフォルダに戻してください。", "restore into an empty folder", where=Where(data)
            )
        index = _index(source / INDEX)
        for path, sha256 in index.sha256.items():
            if ".." in Path(path).parts or Path(path).is_absolute():
                raise ContentError(
                    "フォルダの外を指しています。", "points outside", where=Where(source / path)
                )
            target = data / path
            target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            if not (source / path).is_file() or _copied(source / path, target) != sha256:
                raise ContentError(
                    "写しのファイルが失われたか、変わっています。",
                    "a file of the copy is gone or was changed",
                    where=Where(source / path),
                )
        if (found := _stored(data)) != index.events:
            raise StoreError(f"件数が一致しません: {found}", f"the numbers differ: {found}")
        return found


@dataclass(frozen=True, slots=True)
class _Copy:
    """One copy under way. before: the copy before, whose files are linked where they are the same."""

    data: Path
    to: Path
    before: Path | None

    def all(self) -> Iterator[tuple[str, str]]:
        """Every file's path and SHA-256."""
        yield _RECORDS, self._database(_RECORDS)
        for path in sorted(self.data.rglob("*")):
            inside = path.relative_to(self.data)
            if inside.parts[0] not in _OWN and path.is_file() and not inside.name.startswith((_RECORDS, ".")):
                yield str(inside), self._file(str(inside))
        yield from self._events()

    def _events(self) -> Iterator[tuple[str, str]]:
        """The list of files, and those files; a list whose files were merged away meanwhile is taken anew."""
        for last in range(_TRIES, 0, -1):
            sums = {_EVENTS: self._database(_EVENTS)}
            try:
                sums |= {path: self._file(path) for path in _listed(self.to / _EVENTS)}
            except FileNotFoundError as error:
                if last == 1:
                    raise StoreError(
                        "目録にあるイベントのファイルがありません。",
                        "a file of events that the manifest names is gone",
                        where=Where(error.filename),
                    ) from error
                continue
            yield from sums.items()
            return

    def _database(self, path: str) -> str:
        target = self.to / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.unlink(missing_ok=True)
        with (
            _intact(self.data / path),
            closing(sqlite3.connect(self.data / path, timeout=60)) as source,
            closing(sqlite3.connect(target)) as made,
        ):
            source.backup(made)
            made.execute("pragma journal_mode=delete")  # one file, without a log beside it
        return _sum(target)

    def _file(self, path: str) -> str:
        target, held = self.to / path, self.before / path if self.before else None
        target.parent.mkdir(parents=True, exist_ok=True)
        target.unlink(missing_ok=True)
        if path.endswith(".parquet") and held is not None and held.is_file():
            os.link(held, target)  # a name is given once and never changed
            return _sum(target)
        return _copied(self.data / path, target)


@contextmanager
def _intact(path: Path) -> Iterator[None]:
    """Around reading a database of the store. Raises StoreError where it is damaged."""
    try:
        yield
    except sqlite3.DatabaseError as error:
        raise StoreError(
            f"保管庫のファイルを読めません({error})。",
            f"a file of the store cannot be read: {error}",
            where=Where(path),
        ) from error


def _listed(manifest: Path) -> list[str]:
    return [f"events/{path}" for (path,) in _asked(manifest, "select path from file order by seq")]


def _counted(manifest: Path) -> dict[str, int]:
    return dict(_asked(manifest, "select dataset, sum(rows) from file group by dataset order by dataset"))


def _asked(manifest: Path, sql: str) -> list[Any]:
    """Asked of the copy as it is: opening it as a store would change it."""
    with _intact(manifest), closing(sqlite3.connect(f"file:{manifest}?mode=ro", uri=True)) as database:
        return database.execute(sql).fetchall()


def _stored(data: Path) -> dict[str, int]:
    events = ParquetEvents(data / "events")
    try:
        return {held.name: held.events for held in events.datasets()}
    finally:
        events.close()


def _copied(source: Path, target: Path) -> str:
    """Copy and sync; the SHA-256 of what was copied."""
    found = hashlib.sha256()
    with source.open("rb") as read, target.open("wb") as write:
        while chunk := read.read(1 << 20):
            found.update(chunk)
            write.write(chunk)
        sync(write)
    target.chmod(source.stat().st_mode & 0o700)
    return found.hexdigest()


def _sum(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _index(path: Path) -> Index:
    try:
        return Index.model_validate_json(path.read_bytes())
    except (OSError, ValueError) as error:
        raise ContentError(
            "写しの目録が読めません。", "the copy's index cannot be read", where=Where(path)
        ) from error
