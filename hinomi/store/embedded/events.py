"""Events as Zstandard Parquet segments by dataset and day, read by DuckDB.

An append writes each segment under a name of its own, syncs it, and then names it in the manifest in one
commit with the reader's checkpoint. So a replay after a crash stores nothing twice and loses nothing.
"""

import shutil
import threading
import uuid
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import polars as pl

from hinomi import query as language
from hinomi.batch import Batch
from hinomi.clock import Clock, SystemClock
from hinomi.durable import sync, sync_folder
from hinomi.errors import StoreError
from hinomi.store import asked
from hinomi.store.embedded.manifest import File, Manifest, nanoseconds
from hinomi.store.embedded.sql import Condition, quoted
from hinomi.store.protocols import Appended, Bucket, Checkpoint, DatasetStats, DayStats, Page, Span

_TIME = '"@timestamp"'
_MERGE_BYTES = 64 * 1024 * 1024
_MERGE_FROM = 8
_GRACE_SECONDS = 300
_MANY_DAYS = 8


class ParquetEvents:
    """`hinomi.store.Events` in a folder. Several processes may append and read at once."""

    def __init__(self, folder: Path, *, clock: Clock | None = None, memory: str = "1GB") -> None:
        self._clock = clock or SystemClock()
        self._folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        folder.chmod(0o700)
        self._manifest = Manifest(folder / "manifest.sqlite")
        self._duck: duckdb.DuckDBPyConnection | None = None
        self._memory = memory
        self._lock = threading.Lock()

    # -- writing

    def append(
        self,
        batches: Sequence[Batch],
        *,
        checkpoint: Checkpoint | None = None,
        client_ids: frozenset[str] = frozenset(),
    ) -> Appended:
        """See `Events.append`."""
        while True:
            known = self._manifest.known(client_ids) if client_ids else set()
            taken = set(known)
            fresh = [_without(batch, client_ids, taken) for batch in batches]
            total, stored = sum(map(len, batches)), sum(map(len, fresh))
            files = [file for batch in fresh if len(batch) for file in self._write(batch)]
            today = self._clock.now().strftime("%Y-%m-%d")
            new_ids = [(identity, today) for identity in taken - known]
            if self._manifest.add(files, _kinds(fresh), checkpoint, new_ids):
                return Appended(stored=stored, duplicates=total - stored)
            for file in files:
                (self._folder / file.path).unlink(missing_ok=True)

    def _write(self, batch: Batch) -> list[File]:
        days = batch.frame[_TIME.strip('"')].dt.strftime("%Y-%m-%d")
        if days.n_unique() > _MANY_DAYS:  # hostile or broken clocks must not make a file a day for a century
            common = set(days.value_counts(sort=True).head(_MANY_DAYS)[days.name].to_list())
            today = self._clock.now().strftime("%Y-%m-%d")
            days = pl.Series([day if day in common else today for day in days.to_list()])
        if days.n_unique() == 1:
            return [self._segment(batch.dataset, str(days[0]), batch.frame)]
        parts = batch.frame.with_columns(days.alias("__day")).partition_by(
            "__day", as_dict=True, include_key=False
        )
        return [self._segment(batch.dataset, str(key[0]), frame) for key, frame in parts.items()]

    def _segment(self, dataset: str, day: str, frame: pl.DataFrame) -> File:
        folder = self._folder / _safe(dataset) / _safe(day)
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / f"{uuid.uuid4().hex}.parquet"
        _save(frame, path)
        first, last = _range(frame)
        return File(
            str(path.relative_to(self._folder)), dataset, day, first, last, frame.height, path.stat().st_size
        )

    # -- reading

    def checkpoint(self, name: str) -> str | None:
        """See `Events.checkpoint`."""
        return self._manifest.checkpoint(name)

    def search(
        self,
        query: str = "",
        *,
        datasets: Sequence[str] = (),
        span: Span | None = None,
        limit: int = 100,
        after: str | None = None,
        oldest_first: bool = False,
    ) -> Page:
        """See `Events.search`."""
        plan = self._plan(query, datasets, span)
        if plan is None:
            return Page([], 0)
        hits: list[tuple[Any, ...]] = []
        if after is None and not oldest_first:
            hits = self._hits(self._probe(plan, datasets, span), limit, None, False)
        if len(hits) == limit and limit:
            total = self._counted(plan)
        elif isinstance(language.parse(query), language.Everything):
            total, hits = self._counted(plan), self._hits(plan, limit, after, oldest_first)
        else:
            total, hits = self._counted_hits(plan, limit, after, oldest_first)
        rows = self._fetch(hits, "asc" if oldest_first else "desc")
        token = asked.token(*hits[-1][:2]) if hits and len(hits) == limit else None
        return Page(rows, total, token)

    def _probe(
        self, plan: tuple[str, str, list[Any]], datasets: Sequence[str], span: Span | None
    ) -> tuple[str, str, list[Any]]:
        """The plan over only the newest twentieth of the newest files, which hold nothing older than any event of the
        others: where much matches, that fills a page."""
        source, where, values = plan
        files = sorted(self._manifest.files(datasets, span), key=lambda file: -file.last)
        first, newest = files[0].first, []
        for file in files:
            if file.last < first:
                break
            first = min(first, file.first)
            newest.append(str(self._folder / file.path))
        since = files[0].last - (files[0].last - first) // 20
        late = f"{where} and {_TIME} >= make_timestamp_ns(?)::timestamptz_ns"
        return source, late, [newest, *values[1:], since]

    def _counted(self, plan: tuple[str, str, list[Any]]) -> int:
        source, where, values = plan
        return int(self._rows(f"select count(*) from {source} where {where}", values)[0][0])

    def _counted_hits(
        self, plan: tuple[str, str, list[Any]], limit: int, after: str | None, oldest_first: bool
    ) -> tuple[int, list[tuple[Any, ...]]]:
        """How many match, and `_hits`, in one scan: what costs is to look into the text of every event."""
        source, where, values = plan
        keyset, more = _keyset(after, oldest_first)
        order = "asc" if oldest_first else "desc"
        total, *hits = self._rows(
            f'with found as materialized (select {_TIME}, "event.id", filename from {source} where {where})'
            " (select count(*), null, null from found) union all"
            f' (select epoch_ns({_TIME}), "event.id", filename from found where true {keyset}'
            f' order by {_TIME} {order}, "event.id" {order} limit ?)',
            [*values, *more, limit],
        )
        return int(total[0]), hits

    def pages(
        self,
        query: str = "",
        *,
        datasets: Sequence[str] = (),
        span: Span | None = None,
        size: int = 2_000,
        oldest_first: bool = False,
    ) -> Iterator[list[dict[str, Any]]]:
        """See `Events.pages`: the files of the moment are read, whatever is added or merged meanwhile."""
        plan = self._plan(query, datasets, span)
        return iter(()) if plan is None else self._pages_of(plan, size, oldest_first)

    def _pages_of(
        self, plan: tuple[str, str, list[Any]], size: int, oldest_first: bool
    ) -> Iterator[list[dict[str, Any]]]:
        order, after = "asc" if oldest_first else "desc", None
        while True:
            hits = self._hits(plan, size, after, oldest_first)
            if hits:
                yield self._fetch(hits, order)
            if len(hits) < size:
                return
            after = asked.token(*hits[-1][:2])

    def _hits(
        self, plan: tuple[str, str, list[Any]], limit: int, after: str | None, oldest_first: bool
    ) -> list[tuple[Any, ...]]:
        """Time, id and file of the next events."""
        source, where, values = plan
        keyset, more = _keyset(after, oldest_first)
        order = "asc" if oldest_first else "desc"
        return self._rows(
            f'select epoch_ns({_TIME}), "event.id", filename from {source} where {where} {keyset}'
            f' order by {_TIME} {order}, "event.id" {order} limit ?',
            [*values, *more, limit],
        )

    def _fetch(self, hits: Sequence[tuple[Any, ...]], order: str) -> list[dict[str, Any]]:
        if not hits:
            return []
        files = sorted({hit[2] for hit in hits})
        ids = [hit[1] for hit in hits]
        times = [hit[0] for hit in hits]
        frame = self._frame(
            "select * exclude (filename) from read_parquet(?, union_by_name=true, filename=true)"
            f" where {_TIME} between make_timestamp_ns(?)::timestamptz_ns and make_timestamp_ns(?)::timestamptz_ns"
            f' and "event.id" in (select unnest(?)) order by {_TIME} {order}, "event.id" {order}',
            [files, min(times), max(times), ids],
        )
        return [_flat(row) for row in frame.iter_rows(named=True)]

    def count(self, query: str = "", *, datasets: Sequence[str] = (), span: Span | None = None) -> int:
        """See `Events.count`."""
        plan = self._plan(query, datasets, span)
        if plan is None:
            return 0
        return self._counted(plan)

    def histogram(
        self,
        query: str = "",
        *,
        span: Span,
        interval: timedelta,
        datasets: Sequence[str] = (),
        by: str | None = None,
    ) -> list[Bucket]:
        """See `Events.histogram`."""
        starts = asked.bars(span, interval)
        first, width = nanoseconds(starts[0]), int(interval.total_seconds() * 1e9)
        counts: dict[int, dict[str, int]] = {}
        plan = self._plan(query, datasets, span)
        if plan is not None:
            source, where, values = plan
            split = "''"
            if by is not None and by in self._manifest.kinds(datasets):
                split = f"coalesce(cast({quoted(by)} as varchar), '')"
            rows = self._rows(
                f"select (epoch_ns({_TIME}) - ?) // ? as bar, {split} as part, count(*) from {source}"
                f" where {where} group by 1, 2",
                [first, width, *values],
            )
            for bar, part, number in rows:
                counts.setdefault(int(bar), {})[str(part)] = int(number)
        return [
            Bucket(start, sum(counts.get(bar, {}).values()), counts.get(bar, {}) if by is not None else {})
            for bar, start in enumerate(starts)
        ]

    def top(
        self,
        field: str,
        query: str = "",
        *,
        datasets: Sequence[str] = (),
        span: Span | None = None,
        limit: int = 10,
    ) -> list[tuple[str, int]]:
        """See `Events.top`."""
        kind = self._manifest.kinds(datasets).get(field)
        plan = self._plan(query, datasets, span)
        if plan is None or kind is None:
            return []
        source, where, values = plan
        column = f"unnest({quoted(field)})" if kind.endswith("[]") else quoted(field)
        rows = self._rows(
            f"select cast(v as varchar), count(*) from (select {column} as v from {source} where {where})"
            " where v is not null group by 1 order by 2 desc, 1 limit ?",
            [*values, limit],
        )
        return [(str(value), int(number)) for value, number in rows]

    def get(
        self, event_ids: Sequence[str], *, datasets: Sequence[str] = (), span: Span | None = None
    ) -> list[dict[str, Any]]:
        """See `Events.get`."""
        plan = self._plan("", datasets, span)
        if plan is None or not event_ids:
            return []
        source, where, values = plan
        frame = self._frame(
            f'select * exclude (filename) from {source} where {where} and "event.id" in (select unnest(?))'
            f' order by {_TIME}, "event.id"',
            [*values, list(event_ids)],
        )
        return [_flat(row) for row in frame.iter_rows(named=True)]

    def since(self, dataset: str, after: str | None) -> Iterator[tuple[str, pl.DataFrame]]:
        """See `Events.since`. After a compaction some events may come a second time, never be missed."""
        for file in self._manifest.files([dataset], after=int(after or 0)):
            yield str(file.upto), pl.read_parquet(self._folder / file.path)

    def scan(
        self, dataset: str, *, span: Span | None = None, columns: Sequence[str] | None = None
    ) -> Iterator[pl.DataFrame]:
        """See `Events.scan`."""
        for file in self._manifest.files([dataset], span):
            frame = pl.scan_parquet(self._folder / file.path)
            if span and span.start:
                frame = frame.filter(pl.col("@timestamp") >= span.start.astimezone(UTC))
            if span and span.end:
                frame = frame.filter(pl.col("@timestamp") < span.end.astimezone(UTC))
            if columns is not None:
                present = set(frame.collect_schema().names())
                frame = frame.select(name for name in columns if name in present)
            yield frame.collect()

    def files(self, dataset: str) -> list[File]:
        """The files of a dataset in order of arrival."""
        return self._manifest.files([dataset])

    def path_of(self, file: File) -> Path:
        """Where a file is."""
        return self._folder / file.path

    def checkpoints(self) -> dict[str, str]:
        """Every reader's place by its name."""
        return self._manifest.checkpoints()

    def datasets(self) -> list[DatasetStats]:
        """See `Events.datasets`."""
        held: dict[str, list[File]] = {}
        for file in self._manifest.files():
            held.setdefault(file.dataset, []).append(file)
        return [
            DatasetStats(
                name,
                sum(file.rows for file in files),
                sum(file.bytes for file in files),
                _time_of(min(file.first for file in files)),
                _time_of(max(file.last for file in files)),
            )
            for name, files in sorted(held.items())
        ]

    def fields(self, dataset: str | None = None) -> dict[str, str]:
        """See `Events.fields`."""
        return self._manifest.kinds([dataset] if dataset else [])

    # -- keeping

    def days(self) -> list[DayStats]:
        """See `Events.days`."""
        held: dict[tuple[str, str], list[File]] = {}
        for file in self._manifest.files():
            held.setdefault((file.dataset, file.day), []).append(file)
        return [
            DayStats(
                dataset,
                datetime.fromisoformat(day).replace(tzinfo=UTC),
                sum(file.rows for file in files),
                sum(file.bytes for file in files),
            )
            for (dataset, day), files in sorted(held.items())
        ]

    def room(self) -> int:
        """See `Events.room`: what the file system has, less a twentieth of it."""
        disk = shutil.disk_usage(self._folder)
        return max(0, disk.free - disk.total // 20)

    def drop(self, dataset: str, before: datetime, *, keep: Sequence[Span] = ()) -> int:
        """See `Events.drop`: only files whose last event is older go."""
        old = [
            file
            for file in self._manifest.files([dataset])
            if file.last < nanoseconds(before) and not any(_touches(file, span) for span in keep)
        ]
        if old:
            self._manifest.replace(old, None, self._seconds())
        return sum(file.rows for file in old)

    def compact(self) -> int:
        """See `Events.compact`. Also deletes files replaced a while ago and forgets old client ids."""
        merged = 0
        groups: dict[tuple[str, str], list[File]] = {}
        for file in self._manifest.files():
            if file.bytes < _MERGE_BYTES // 4:
                groups.setdefault((file.dataset, file.day), []).append(file)
        for (dataset, day), files in groups.items():
            for part in _portions(files):
                self._merge(dataset, day, part)
                merged += len(part)
        self.sweep()
        self._manifest.forget_ids((self._clock.now() - timedelta(days=8)).strftime("%Y-%m-%d"))
        return merged

    def _merge(self, dataset: str, day: str, files: list[File]) -> None:
        frames = [pl.read_parquet(self._folder / file.path) for file in files]
        frame = pl.concat(frames, how="diagonal").sort("@timestamp", maintain_order=True)
        new = self._segment(dataset, day, frame)
        seq, upto = min(file.seq for file in files), max(file.upto for file in files)
        whole = File(new.path, dataset, day, new.first, new.last, new.rows, new.bytes, seq, upto)
        self._manifest.replace(files, whole, self._seconds())

    def sweep(self, *, orphans: bool = False) -> int:
        """Delete replaced files that no reader can still be reading; with `orphans` (only while nobody
        appends, as at start) also files that no commit named."""
        paths = self._manifest.gone(self._seconds() - _GRACE_SECONDS)
        for path in paths:
            (self._folder / path).unlink(missing_ok=True)
        self._manifest.forget(paths)
        if not orphans:
            return len(paths)
        live = self._manifest.all_paths()
        lost = [
            path
            for path in self._folder.rglob("*.parquet*")
            if str(path.relative_to(self._folder)) not in live
        ]
        for file in lost:
            file.unlink(missing_ok=True)
        return len(paths) + len(lost)

    def close(self) -> None:
        """Close files."""
        self._manifest.close()
        if self._duck is not None:
            self._duck.close()

    # -- DuckDB

    def _plan(
        self, text: str, datasets: Sequence[str], span: Span | None
    ) -> tuple[str, str, list[Any]] | None:
        """(source, condition, values) over the files that can hold what is asked; None: no file can."""
        node = language.parse(text)
        files = self._manifest.files(datasets, span)
        if not files:
            return None
        condition = Condition(self._manifest.kinds(datasets))
        parts = [condition.sql(node)]
        for sign, bound in ((">=", span.start), ("<", span.end)) if span else ():
            if bound is not None:
                parts.append(f"{_TIME} {sign} cast(? as timestamptz_ns)")
                condition.values.append(bound.astimezone(UTC).isoformat())
        source = "read_parquet(?, union_by_name=true, filename=true)"
        paths = [str(self._folder / file.path) for file in files]
        return source, " and ".join(parts), [paths, *condition.values]

    def _cursor(self) -> duckdb.DuckDBPyConnection:
        with self._lock:
            if self._duck is None:
                self._duck = duckdb.connect(":memory:", config={"memory_limit": self._memory, "threads": 2})
                self._duck.execute("set timezone='UTC'")
                self._duck.execute("set autoinstall_known_extensions=false")
            return self._duck.cursor()

    def _rows(self, sql: str, values: Sequence[Any]) -> list[tuple[Any, ...]]:
        try:
            with self._cursor() as cursor:
                return cursor.execute(sql, list(values)).fetchall()
        except duckdb.Error as error:
            raise StoreError("検索できませんでした。", f"the search failed: {error}") from error

    def _frame(self, sql: str, values: Sequence[Any]) -> pl.DataFrame:
        try:
            with self._cursor() as cursor:
                table = cursor.sql(sql, params=list(values)).to_arrow_table()
        except duckdb.Error as error:
            raise StoreError("検索できませんでした。", f"the search failed: {error}") from error
        frame = pl.from_arrow(table)
        assert isinstance(frame, pl.DataFrame)
        return frame

    def _seconds(self) -> int:
        return int(self._clock.now().timestamp())


def _safe(name: str) -> str:
    """A dataset or day as a folder name."""
    return "".join(sign if sign.isalnum() or sign in "._-" else "_" for sign in name).lstrip(".") or "_"


def _save(frame: pl.DataFrame, path: Path) -> None:
    """Write and sync, the file and its folder: after this a power cut does not lose it."""
    with path.open("wb") as handle:
        frame.write_parquet(handle, compression="zstd", compression_level=3, statistics=True)
        sync(handle)
    sync_folder(path.parent)


def _range(frame: pl.DataFrame) -> tuple[int, int]:
    times = frame["@timestamp"].to_physical()
    first, last = times.min(), times.max()
    assert isinstance(first, int) and isinstance(last, int)
    return first, last


def _without(batch: Batch, client_ids: frozenset[str], taken: set[str]) -> Batch:
    """The batch without rows whose client-chosen id is taken; its own such ids become taken."""
    if not client_ids:
        return batch
    keep = []
    for identity in batch.frame["event.id"].to_list():
        new = identity not in client_ids or identity not in taken
        keep.append(new)
        if new and identity in client_ids:
            taken.add(identity)
    return Batch(batch.dataset, batch.frame.filter(pl.Series(keep, dtype=pl.Boolean)), batch.origin)


def _touches(file: File, span: Span) -> bool:
    starts = span.end is None or file.first < nanoseconds(span.end)
    return starts and (span.start is None or file.last >= nanoseconds(span.start))


def _kinds(batches: Sequence[Batch]) -> dict[str, dict[str, str]]:
    kinds: dict[str, dict[str, str]] = {}
    for batch in batches:
        if len(batch):
            kinds.setdefault(batch.dataset, {}).update(batch.kinds())
    return kinds


def _keyset(after: str | None, oldest_first: bool) -> tuple[str, list[Any]]:
    """The condition that continues behind the last row of the page before."""
    if after is None:
        return "", []
    time, identity = asked.behind(after)
    sign = ">" if oldest_first else "<"
    condition = f'and (epoch_ns({_TIME}) {sign} ? or (epoch_ns({_TIME}) = ? and "event.id" {sign} ?))'
    return condition, [time, time, identity]


def _portions(files: Sequence[File]) -> Iterator[list[File]]:
    """Files to merge together: at least _MERGE_FROM, at most _MERGE_BYTES, neighbours in arrival."""
    part: list[File] = []
    size = 0
    for file in files:
        if part and size + file.bytes > _MERGE_BYTES:
            yield part
            part, size = [], 0
        part.append(file)
        size += file.bytes
    if len(part) >= _MERGE_FROM:
        yield part


def _flat(row: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in row.items() if value is not None}


def _time_of(nanos: int) -> datetime:
    return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=nanos // 1000)
