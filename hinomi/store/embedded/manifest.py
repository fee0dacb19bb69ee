"""Which files hold events: a Parquet file that this SQLite table does not name does not exist.

One commit adds the files of an append, the checkpoint of the reader and the ids that clients chose. A crash
before it leaves files nobody names (swept at the next start); a crash after it leaves everything.
"""

import sqlite3
import threading
from collections.abc import Iterable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from hinomi import ecs
from hinomi.batch import PLACE, spelled
from hinomi.durable import given_to_owner
from hinomi.errors import StoreError
from hinomi.store.embedded.transaction import transaction
from hinomi.store.protocols import Checkpoint, Span
from hinomi.store.values import within

_SCHEMA = """
create table if not exists file (
  seq integer primary key autoincrement, upto integer, path text not null unique, dataset text not null,
  day text not null, first integer not null, last integer not null, rows integer not null,
  bytes integer not null, sha256 text not null default ''
);
create index if not exists file_by_dataset on file (dataset, day);
create table if not exists checkpoint (name text primary key, value text not null) without rowid;
create table if not exists seen (id text primary key, day text not null) without rowid;
create table if not exists field (
  dataset text not null, name text not null, kind text not null, primary key (dataset, name)
) without rowid;
create table if not exists gone (path text primary key, at integer not null) without rowid;
create table if not exists listed (path text primary key) without rowid;
"""
_LISTS = f"select dataset, name from field where kind = 'keyword[]' or lower(name) in {PLACE}"
_IN = 400


@dataclass(frozen=True, slots=True)
class File:
    """One Parquet file: its place, dataset, UTC day, first and last event time (ns since 1970), rows, bytes.

    sha256 is of its content, empty where a release wrote it that kept none.
    seq is the place in the order of arrival; a merged file covers seq..upto.
    """

    path: str
    dataset: str
    day: str
    first: int
    last: int
    rows: int
    bytes: int
    seq: int = 0
    upto: int = 0
    sha256: str = ""


class Manifest:
    """The table of files of one store folder; safe with several threads and processes."""

    def __init__(self, path: Path) -> None:
        self._lock = threading.RLock()
        try:
            self._db = sqlite3.connect(path, timeout=60, isolation_level=None, check_same_thread=False)
            path.touch(exist_ok=True)
            given_to_owner(path)  # SQLite makes its other files the same account's
            self._db.execute("pragma journal_mode=wal")
            self._db.execute("pragma synchronous=full")
            self._db.executescript(_SCHEMA)
            self._with_sums()
        except sqlite3.DatabaseError as error:
            raise StoreError(
                f"{path}: 保管庫の目録を開けません({error})。",
                f"{path}: the manifest cannot be opened: {error}",
            ) from error

    def writing(self) -> AbstractContextManager[sqlite3.Connection]:
        """A write transaction: committed at the end, rolled back on any error."""
        return transaction(self._db, self._lock, ("保管庫が使用中で書けません。", "the store is locked"))

    def _with_sums(self) -> None:
        """The column that tables of earlier releases lack."""
        if self._has_sums():
            return
        with self.writing() as db:
            if not self._has_sums():
                db.execute("alter table file add column sha256 text not null default ''")

    def _has_sums(self) -> bool:
        return any(row[1] == "sha256" for row in self._rows("pragma table_info(file)"))

    def _rows(self, sql: str, values: Sequence[object] = ()) -> list[tuple[object, ...]]:
        with self._lock:
            return self._db.execute(sql, values).fetchall()

    def checkpoint(self, name: str) -> str | None:
        """The value committed under the name."""
        rows = self._rows("select value from checkpoint where name=?", (name,))
        return str(rows[0][0]) if rows else None

    def checkpoints(self) -> dict[str, str]:
        """Every committed value by its name."""
        return {str(name): str(value) for name, value in self._rows("select name, value from checkpoint")}

    def known(self, ids: Iterable[str]) -> set[str]:
        """Those of the ids that a client used before."""
        listed = list(ids)
        found: set[str] = set()
        for start in range(0, len(listed), _IN):
            part = listed[start : start + _IN]
            marks = ",".join("?" * len(part))
            found.update(
                str(row[0]) for row in self._rows(f"select id from seen where id in ({marks})", part)
            )
        return found

    def add(
        self,
        files: Sequence[File],
        kinds: dict[str, dict[str, str]],
        checkpoint: Checkpoint | None,
        new_ids: Sequence[tuple[str, str]],
    ) -> bool:
        """One commit of an append. False (and nothing written) when another writer took one of the ids."""
        try:
            with self.writing() as db:
                if new_ids:
                    db.executemany("insert into seen values (?,?)", new_ids)
                for file in files:
                    _insert(db, file)
                for dataset, names in kinds.items():
                    db.executemany(
                        "insert or ignore into field values (?,?,?)",
                        [(dataset, name, kind) for name, kind in names.items()],
                    )
                if checkpoint:
                    db.execute(
                        "insert or replace into checkpoint values (?,?)", (checkpoint.name, checkpoint.value)
                    )
        except sqlite3.IntegrityError:
            return False
        return True

    def files(self, datasets: Sequence[str] = (), span: Span | None = None, after: int = 0) -> list[File]:
        """Files that may hold events of these datasets in the span, in order of arrival."""
        clauses, values = ["upto > ?"], [after]
        if datasets:
            clauses.append(f"dataset in ({','.join('?' * len(datasets))})")
            values.extend(datasets)  # type: ignore[arg-type]
        if span and span.start:
            clauses.append("last >= ?")
            values.append(nanoseconds(span.start))
        if span and span.end:
            clauses.append("first < ?")
            values.append(nanoseconds(span.end))
        return self._files(" and ".join(clauses), values)

    def _files(self, where: str, values: Sequence[object]) -> list[File]:
        columns = "path, dataset, day, first, last, rows, bytes, seq, upto, sha256"
        rows = self._rows(f"select {columns} from file where {where} order by seq", values)
        return [File(*row) for row in rows]  # type: ignore[arg-type]

    def kinds(self, datasets: Sequence[str] = ()) -> dict[str, str]:
        """Known columns with their kind."""
        clause = f"where dataset in ({','.join('?' * len(datasets))})" if datasets else ""
        rows = self._rows(f"select distinct name, kind from field {clause} order by name", list(datasets))
        return {str(name): str(kind) for name, kind in rows}

    def has_lists(self) -> bool:
        """Whether a vendor's field is known as an earlier release kept it: as lists, or under a name that is DuckDB's own."""
        return bool(_listed(self._rows(_LISTS)))

    def note_lists(self) -> None:
        """From now on those fields are text under another name; the files that may still hold them as they were are `listed`."""
        with self.writing() as db:
            fields = _listed(db.execute(_LISTS).fetchall())
            db.executemany(
                "insert or ignore into listed select path from file where dataset = ?",
                [(dataset,) for dataset in {dataset for dataset, _ in fields}],
            )
            db.executemany(
                "update or replace field set kind = 'keyword', name = ? where dataset = ? and name = ?",
                [(spelled(name), dataset, name) for dataset, name in fields],
            )

    def note_listed(self, path: str) -> None:
        """This file may hold a vendor's field as lists."""
        with self.writing() as db:
            db.execute("insert or ignore into listed values (?)", (path,))

    def listed(self) -> list[str]:
        """The paths that are noted so, those no longer named among them."""
        return [str(row[0]) for row in self._rows("select path from listed order by path")]

    def listed_no_more(self, paths: Sequence[str]) -> None:
        """All of these files are text, or are none any more."""
        with self.writing() as db:
            db.executemany("delete from listed where path = ?", [(path,) for path in paths])

    def replace(self, old: Sequence[File], new: File | None, at: int) -> bool:
        """Swap files for a merged one, or for nothing; the old ones go later, once readers are done. False (and nothing
        changed) where one of the old is named no more: another merged or dropped it, and its place may be another's."""
        try:
            with self.writing() as db:
                for file in old:
                    _remove(db, file)
                db.executemany("insert or replace into gone values (?,?)", [(file.path, at) for file in old])
                if new is not None:
                    _insert(db, new)
        except _NamedNoMore:
            return False
        return True

    def named(self, path: str) -> File | None:
        """The file of this path, where it is still one."""
        return next(iter(self._files("path=?", [path])), None)

    def sum_up(self, file: File, sha256: str) -> None:
        """Note the hash of a file that has none."""
        with self.writing() as db:
            db.execute("update file set sha256=? where path=? and sha256=''", (sha256, file.path))

    def gone(self, before: int) -> list[str]:
        """Paths replaced before a time (seconds): safe to delete."""
        return [str(row[0]) for row in self._rows("select path from gone where at < ?", (before,))]

    def forget(self, paths: Sequence[str]) -> None:
        """Drop deleted paths from the list of gone files."""
        with self.writing() as db:
            db.executemany("delete from gone where path=?", [(path,) for path in paths])

    def forget_ids(self, before_day: str) -> int:
        """Forget client-chosen ids of days before (they can then no longer be recognised as duplicates)."""
        with self.writing() as db:
            return db.execute("delete from seen where day < ?", (before_day,)).rowcount

    def all_paths(self) -> set[str]:
        """Every path that is live or waiting to be deleted."""
        rows = self._rows("select path from file union select path from gone")
        return {str(row[0]) for row in rows}

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._db.close()


class _NamedNoMore(Exception):
    """A file that was to be replaced already is."""


def _listed(fields: Iterable[tuple[object, ...]]) -> list[tuple[str, str]]:
    """Those of the datasets and fields that are vendors'."""
    return [(str(dataset), str(name)) for dataset, name in fields if ecs.several(str(name))]


def _remove(db: sqlite3.Connection, file: File) -> None:
    """By place and path: a merged file has the place of the first that went into it."""
    if db.execute("delete from file where seq=? and path=?", (file.seq, file.path)).rowcount != 1:
        raise _NamedNoMore


def _insert(db: sqlite3.Connection, file: File) -> None:
    """A file, in its place in the order of arrival; one without a place (seq 0) comes last."""
    values = (
        file.seq or None,
        file.upto,
        file.path,
        file.dataset,
        file.day,
        file.first,
        file.last,
        file.rows,
    )
    cursor = db.execute(
        "insert into file (seq, upto, path, dataset, day, first, last, rows, bytes, sha256) values (?,?,?,?,?,?,?,?,?,?)",
        (*values, file.bytes, file.sha256),
    )
    if not file.seq:
        db.execute("update file set upto=seq where seq=?", (cursor.lastrowid,))


def nanoseconds(time: datetime) -> int:
    """Nanoseconds since 1970 of a zoned time, as far as 64 bits tell."""
    delta = within(time) - datetime(1970, 1, 1, tzinfo=UTC)
    return (delta.days * 86_400 + delta.seconds) * 1_000_000_000 + delta.microseconds * 1_000
