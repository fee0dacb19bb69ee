"""Records in SQLite (WAL): one table, JSON bodies, compare-and-set by version."""

import re
import sqlite3
import threading
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import orjson

from hinomi.clock import Clock, SystemClock
from hinomi.errors import Conflict, StoreError
from hinomi.store import body as stored
from hinomi.store.embedded.transaction import transaction
from hinomi.store.protocols import Record

_TABLE = """
create table if not exists record (
  kind text not null, id text not null, version integer not null, body text not null, updated text not null,
  primary key (kind, id)
) without rowid
"""
_INDEXED = ("fields.propose_again", "state", "status", "incident_id")
"""Keys by which kinds are looked up again and again; a record without the key costs its index nothing."""
_PLAIN = re.compile(r"[A-Za-z_][A-Za-z0-9_.]*")
_PAGE = 1_000
_COLUMNS = "kind, id, version, body, updated"


class SqliteRecords:
    """`hinomi.store.Records` in one SQLite file; safe with several threads and processes. durable: each write waits for the
    disk; False for what is thrown away afterwards."""

    def __init__(self, path: Path, *, clock: Clock | None = None, durable: bool = True) -> None:
        self._clock = clock or SystemClock()
        self._lock = threading.RLock()
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        if not path.exists():
            path.touch(mode=0o600)  # SQLite gives the two files beside it the rights that this one has
        try:
            self._db = sqlite3.connect(path, timeout=30, isolation_level=None, check_same_thread=False)
            self._db.execute("pragma journal_mode=wal")
            self._db.execute(f"pragma synchronous={'full' if durable else 'off'}")
            self._db.execute(_TABLE)
            for key in _INDEXED:
                value = f"json_extract(body, '{_path(key)}')"
                self._db.execute(
                    f"create index if not exists {_index(key)} on record (kind, {value}) where {value} is not null"
                )
            self._db.execute("create index if not exists record_updated on record (kind, updated)")
        except sqlite3.DatabaseError as error:
            ja, en = self._damaged()
            raise StoreError(
                f"{path}: 記録を開けません({error}{ja})。", f"{path}: records cannot be opened: {error}{en}"
            ) from error
        path.chmod(0o600)

    def _damaged(self) -> tuple[str, str]:
        """Which record's body is no JSON, in words; empty where it is something else."""
        try:
            row = self._db.execute(
                "select kind, id from record where not json_valid(body) limit 1"
            ).fetchone()
        except (AttributeError, sqlite3.DatabaseError):
            row = None
        return (
            (f"。壊れている記録: {row[0]}「{row[1]}」", f"; damaged: {row[0]} {row[1]}") if row else ("", "")
        )

    def _writing(self) -> AbstractContextManager[sqlite3.Connection]:
        return transaction(self._db, self._lock, ("記録が使用中で書けません。", "records are locked"))

    def get(self, kind: str, id: str) -> Record | None:  # noqa: A002
        """See `Records.get`."""
        with self._lock:
            row = self._db.execute(
                f"select {_COLUMNS} from record where kind=? and id=?", (kind, id)
            ).fetchone()
        return _record(row) if row else None

    def put(self, kind: str, id: str, body: Mapping[str, Any], *, expect: int | None = None) -> Record:  # noqa: A002
        """See `Records.put`."""
        text, now = _json(body), self._clock.now()
        with self._writing() as db:
            version = _version(db, kind, id)
            _check(kind, id, version, expect)
            db.execute(
                "insert or replace into record values (?,?,?,?,?)",
                (kind, id, version + 1, text, now.isoformat()),
            )
        return Record(kind, id, version + 1, orjson.loads(text), now)

    def delete(self, kind: str, id: str, *, expect: int | None = None) -> bool:  # noqa: A002
        """See `Records.delete`."""
        with self._writing() as db:
            version = _version(db, kind, id)
            _check(kind, id, version, expect)
            db.execute("delete from record where kind=? and id=?", (kind, id))
        return version > 0

    def find(
        self,
        kind: str,
        where: Mapping[str, Any] | None = None,
        *,
        order: str = "",
        limit: int = 1000,
        offset: int = 0,
        after: str = "",
    ) -> list[Record]:
        """See `Records.find`."""
        clause, values = _where(kind, where)
        if after:
            clause, values = f"{clause} and id > ?", [*values, after]
        ordering = "id"
        if order:
            ordering = f"json_extract(body, ?) {'desc' if order.startswith('-') else 'asc'}, id"
            values.append(_path(order.lstrip("-")))
        with self._lock:
            rows = self._db.execute(
                f"select {_COLUMNS} from {_table(where)} where {clause} order by {ordering} limit ? offset ?",
                (*values, limit, offset),
            ).fetchall()
        return [_record(row) for row in rows]

    def kinds(self) -> list[str]:
        """The kinds that there are records of."""
        with self._lock:
            return [str(row[0]) for row in self._db.execute("select distinct kind from record order by kind")]

    def count(self, kind: str, where: Mapping[str, Any] | None = None) -> int:
        """See `Records.count`."""
        clause, values = _where(kind, where)
        with self._lock:
            row = self._db.execute(f"select count(*) from {_table(where)} where {clause}", values).fetchone()
        return int(row[0])

    def changed(self, kind: str, since: datetime) -> Iterator[Record]:
        """See `Records.changed`."""
        place = (since.astimezone(UTC).isoformat(), "")
        while True:
            with self._lock:
                rows = self._db.execute(
                    f"select {_COLUMNS} from record indexed by record_updated where kind=? and updated >= ?"
                    " and (updated, id) > (?, ?) order by updated, id limit ?",
                    (kind, place[0], *place, _PAGE),
                ).fetchall()
            yield from map(_record, rows)
            if len(rows) < _PAGE:
                return
            place = (rows[-1][4], rows[-1][1])

    def append(self, kind: str, body: Mapping[str, Any]) -> Record:
        """See `Records.append`."""
        text, now = _json(body), self._clock.now()
        with self._writing() as db:
            row = db.execute("select max(id) from record where kind=?", (kind,)).fetchone()
            number = f"{int(row[0] or 0) + 1:012d}"
            db.execute("insert into record values (?,?,?,?,?)", (kind, number, 1, text, now.isoformat()))
        return Record(kind, number, 1, orjson.loads(text), now)

    def last(self, kind: str) -> Record | None:
        """See `Records.last`."""
        with self._lock:
            row = self._db.execute(
                f"select {_COLUMNS} from record where kind=? order by id desc limit 1", (kind,)
            ).fetchone()
        return _record(row) if row else None

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._db.close()


def _json(body: Mapping[str, Any]) -> str:
    return orjson.dumps(body, default=str, option=orjson.OPT_NON_STR_KEYS).decode()


def _record(row: tuple[Any, ...]) -> Record:
    kind, identity, version, body, updated = row
    held = stored.read(kind, identity, body)
    return Record(kind, identity, version, held, datetime.fromisoformat(updated).astimezone(UTC))


def _version(db: sqlite3.Connection, kind: str, identity: str) -> int:
    row = db.execute("select version from record where kind=? and id=?", (kind, identity)).fetchone()
    return int(row[0]) if row else 0


def _check(kind: str, identity: str, version: int, expect: int | None) -> None:
    if expect is not None and version != expect:
        raise Conflict(
            f"{kind}「{identity}」は、読んだあとに変わりました(版 {expect} → {version})。",
            f"{kind} {identity} is at version {version}, expected {expect}",
        )


def _path(dotted: str) -> str:
    parts = (part.replace('"', "\uffff") for part in dotted.split("."))  # no key of ours holds either
    return "$" + "".join(f'."{part}"' for part in parts)


def _index(key: str) -> str:
    return f"record_{key.replace('.', '_')}"


def _table(where: Mapping[str, Any] | None) -> str:
    """The table, with the index that fits: left to itself SQLite walks the whole kind to have it in order."""
    for key in _INDEXED:
        wanted = (where or {}).get(key)
        if wanted is not None and wanted not in ([], (), set(), frozenset()):
            return f"record indexed by {_index(key)}"
    return "record"


def _where(kind: str, where: Mapping[str, Any] | None) -> tuple[str, list[Any]]:
    clauses, values = ["kind=?"], [kind]
    for dotted, wanted in (where or {}).items():
        if _PLAIN.fullmatch(dotted) and wanted is not None:
            clauses.append(_literal(dotted, wanted, values))
        elif isinstance(wanted, (list, tuple, set, frozenset)):
            marks = ",".join("?" * len(wanted))
            clauses.append(f"json_extract(body, ?) in ({marks})")
            values.extend([_path(dotted), *wanted])
        elif wanted is None:
            clauses.append("json_extract(body, ?) is null")
            values.append(_path(dotted))
        else:
            clauses.append("json_extract(body, ?) = ?")
            values.extend([_path(dotted), wanted])
    return " and ".join(clauses), values


def _literal(dotted: str, wanted: Any, values: list[Any]) -> str:
    """The path as text, not as a bound value: only then does SQLite see that an index fits."""
    value = f"json_extract(body, '{_path(dotted)}')"
    if isinstance(wanted, (list, tuple, set, frozenset)):
        values.extend(wanted)
        return f"{value} in ({','.join('?' * len(wanted))})"
    values.append(wanted)
    return f"{value} = ?"
