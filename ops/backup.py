"""Copies of an embedded tower's data folder, made while it runs, and back: `hinomi store snapshot|restore --data`.

Records first, then the events' list of files, then those files, which nobody ever changes: so a copy holds every event
that its records speak of. The spool stays out (what waits in it is stored a moment later, in the next copy). Each file
goes with its SHA-256; one that the copy before holds already is a hard link to it and takes no room.

A file of events is compared with the hash that it was written under. A damaged one does not keep the rest from being
copied: it is taken from the copy before, else left out, and the copy's index says so with what it held.
"""

import errno
import hashlib
import os
import shutil
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pydantic import BaseModel, Field

from hinomi.clock import JST, Clock
from hinomi.durable import sync, write_durably
from hinomi.errors import ContentError, InputError, StoreError, Where
from hinomi.store.embedded import ParquetEvents
from hinomi.store.embedded.integrity import Harm, harm_of, sum_of
from hinomi.store.embedded.manifest import File
from hinomi.text import inert

INDEX = "snapshot.json"
_EVENTS, _RECORDS = "events/manifest.sqlite", "records.sqlite"
_OWN = {"events", "spool", "pull", "run"}  # copied in their own way, or of this moment only
_TRIES = 3


class DamagedPart(BaseModel):
    """A file of events that was not as written when the copy was made. here: the copy before had it whole, so has this."""

    path: str
    dataset: str
    day: str
    events: int
    harm: Harm
    here: bool

    def __str__(self) -> str:
        ja, en = self.harm.words.ja, self.harm.words.en
        kept = ("この写しには無事なものがあります", "this copy holds it whole")
        lost = ("この写しにもありません", "this copy lacks it")
        also = kept if self.here else lost
        about = f"{inert(self.dataset)} {self.day} {self.events:,} 件 / events"
        return f"{inert(self.path)} ({about}): {ja}。{also[0]}。/ {en}; {also[1]}"


class Index(BaseModel):
    """What a copy holds: events of each dataset, the SHA-256 of each file, and what was damaged."""

    made: str
    events: dict[str, int]
    sha256: dict[str, str]
    damaged: list[DamagedPart] = Field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Backups:
    """The copies in a folder."""

    folder: Path

    def names(self) -> dict[str, Mapping[str, int]]:
        """The copies, oldest first, with the events that each holds of each dataset."""
        return {path.parent.name: _index(path).events for path in self._indices()}

    def _indices(self) -> list[Path]:
        return sorted(self.folder.glob(f"*/{INDEX}"))

    def damaged(self, name: str) -> list[DamagedPart]:
        """What was damaged when this copy was made."""
        return _index(self.folder / name / INDEX).damaged

    def parts(self) -> Iterator[tuple[Path, list[tuple[File, str]]]]:
        """Of each copy, the newest first: where its events are, and their files with the hash that each has there. Copies
        whose index or list of files cannot be read are passed over."""
        for path in reversed(self._indices()):
            try:
                sums = _index(path).sha256
                files = _listed(path.parent / _EVENTS)
            except (ContentError, StoreError):
                continue
            held = [(file, sums[one]) for file in files if (one := f"events/{file.path}") in sums]
            yield path.parent / "events", held

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
        index = Index(made=clock.now().isoformat(), events=counts, sha256=sums, damaged=files.damaged)
        write_durably(part / INDEX, index.model_dump_json(indent=1).encode())
        part.rename(self.folder / name)
        return name

    def restore(self, name: str, data: Path) -> Mapping[str, int]:
        """Bring a copy back into a folder that holds nothing; the events that its list of files names (`damaged` says
        which of them were lost before). Raises ContentError where a file of the copy was changed or is gone."""
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
    damaged: list[DamagedPart] = field(default_factory=list)

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
            self.damaged.clear()
            try:
                for file in _listed(self.to / _EVENTS):
                    if found := self._part(file):
                        sums[f"events/{file.path}"] = found
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
        return sum_of(target)

    def _file(self, path: str) -> str:
        target = self.to / path
        target.parent.mkdir(parents=True, exist_ok=True)
        return _copied(self.data / path, target)

    def _part(self, file: File) -> str:
        """A file of events; its hash, empty where nobody has it as it was written. Raises FileNotFoundError where it is
        no file of the store any more."""
        path = f"events/{file.path}"
        live, target = self.data / path, self.to / path
        held = self.before / path if self.before else None
        target.parent.mkdir(parents=True, exist_ok=True)
        target.unlink(missing_ok=True)
        linked = held is not None and harm_of(held, file, whole=True) is None
        harm = harm_of(live, file, whole=not linked and not file.sha256)  # else compared while it is copied
        if harm is Harm.GONE and not self._still_named(file):
            raise FileNotFoundError(errno.ENOENT, "merged away", str(live))
        if held is not None and linked:
            os.link(held, target)  # a name is given once and never changed
            if harm:
                self._note(file, harm, here=True)
            return file.sha256 or sum_of(target)
        found, harm = _compared(live, target, file) if harm is None else ("", harm)
        if harm:
            target.unlink(missing_ok=True)
            self._note(file, harm, here=False)
        return found

    def _still_named(self, file: File) -> bool:
        return bool(_asked(self.data / _EVENTS, "select 1 from file where path=?", [file.path]))

    def _note(self, file: File, harm: Harm, *, here: bool) -> None:
        about = DamagedPart(
            path=file.path, dataset=file.dataset, day=file.day, events=file.rows, harm=harm, here=here
        )
        self.damaged.append(about)


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


def _listed(manifest: Path) -> list[File]:
    """The files that a list names; one of an earlier release names no hashes."""
    columns = "path, dataset, day, first, last, rows, bytes, seq, upto"
    known = {row[1] for row in _asked(manifest, "pragma table_info(file)")}
    sha256 = "sha256" if "sha256" in known else "''"
    return [File(*row) for row in _asked(manifest, f"select {columns}, {sha256} from file order by seq")]


def _counted(manifest: Path) -> dict[str, int]:
    return dict(_asked(manifest, "select dataset, sum(rows) from file group by dataset order by dataset"))


def _asked(manifest: Path, sql: str, values: Sequence[str] = ()) -> list[Any]:
    """Asked of the copy as it is: opening it as a store would change it."""
    with _intact(manifest), closing(sqlite3.connect(f"file:{manifest}?mode=ro", uri=True)) as database:
        return database.execute(sql, values).fetchall()


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


def _compared(source: Path, target: Path, file: File) -> tuple[str, Harm | None]:
    """A file of events copied, and read only for that: its hash, or what is wrong with it. Raises OSError where it is the
    copy that cannot be written, FileNotFoundError where the file was merged and swept meanwhile."""
    try:
        found = _copied(source, target)
    except FileNotFoundError:
        raise
    except OSError:
        if harm := harm_of(source, file, whole=True):
            return "", harm
        raise
    return (found, None) if found == (file.sha256 or found) else ("", Harm.CHANGED)


def _index(path: Path) -> Index:
    try:
        return Index.model_validate_json(path.read_bytes())
    except (OSError, ValueError) as error:
        raise ContentError(
            "写しの目録が読めません。", "the copy's index cannot be read", where=Where(path)
        ) from error
