"""Events as Zstandard Parquet segments by dataset and day, read by DuckDB.

An append writes each segment under a name of its own, syncs it, and then names it in the manifest in one
commit with the reader's checkpoint. So a replay after a crash stores nothing twice and loses nothing.
"""

import shutil
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import polars as pl

from hinomi.batch import Batch
from hinomi.clock import Clock, SystemClock
from hinomi.durable import given_to_owner
from hinomi.errors import StoreError
from hinomi.store import separately
from hinomi.store.embedded.counting import Counting
from hinomi.store.embedded.duck import Duck
from hinomi.store.embedded.integrity import Integrity, Replaced
from hinomi.store.embedded.manifest import File, Manifest, nanoseconds
from hinomi.store.embedded.mending import Mending
from hinomi.store.embedded.pinpoint import Pinpoint
from hinomi.store.embedded.plan import Planning
from hinomi.store.embedded.reading import Reading
from hinomi.store.embedded.retyping import Retyping
from hinomi.store.embedded.searching import Searching
from hinomi.store.embedded.segments import Segments
from hinomi.store.embedded.surveying import Surveying
from hinomi.store.protocols import (
    Appended,
    Bucket,
    Checkpoint,
    Counted,
    DatasetStats,
    DayStats,
    Flaw,
    Page,
    Span,
    Survey,
)
from hinomi.store.values import within


class ParquetEvents:
    """`hinomi.store.Events` in a folder. Several processes may append and read at once. may_retype: see `Retyping`."""

    def __init__(
        self,
        folder: Path,
        *,
        clock: Clock | None = None,
        memory: str = "1GB",
        may_retype: Callable[[], bool] = lambda: True,
    ) -> None:
        self._clock = clock or SystemClock()
        self._folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        folder.chmod(0o700)
        given_to_owner(folder)
        self._manifest = Manifest(folder / "manifest.sqlite")
        self.integrity = Integrity(folder, self._manifest)
        self._duck = Duck(memory, self.integrity.culprit)
        self._reading = Reading(folder / "reading.lock")
        self._segments = Segments(folder, self._manifest, self._clock, self.integrity, self._reading)
        retyping = Retyping(self._manifest, self.integrity, self._segments, may_retype)
        retyping.run()
        self.mending = Mending(self._segments, retyping)
        self._planning = Planning(folder, self._manifest)
        self._searching = Searching(self._planning, self._duck, Pinpoint(self.integrity))
        self._counting = Counting(self._planning, self._duck)
        self._surveying = Surveying(self._planning, self._duck, self._searching)

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
            with self._segments.unnamed.shared():
                appended = self._appended(batches, checkpoint, client_ids)
            if appended is not None:
                return appended

    def _appended(
        self, batches: Sequence[Batch], checkpoint: Checkpoint | None, client_ids: frozenset[str]
    ) -> Appended | None:
        """None: another took one of the ids meanwhile, and all is as it was."""
        known = self._manifest.known(client_ids) if client_ids else set()
        taken = set(known)
        fresh = [_without(batch, client_ids, taken) for batch in batches]
        total, stored = sum(map(len, batches)), sum(map(len, fresh))
        files = self._segments.write([batch for batch in fresh if len(batch)])
        today = self._clock.now().strftime("%Y-%m-%d")
        new_ids = [(identity, today) for identity in taken - known]
        done = False
        try:
            done = self._manifest.add(files, _kinds(fresh), checkpoint, new_ids)
        finally:  # what a full disk did not let be named must not fill it, try after try
            if not done:
                self._segments.discard(files)
        return Appended(stored=stored, duplicates=total - stored) if done else None

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
        return self._searching.page(query, datasets, span, limit, after, oldest_first)

    def pages(
        self,
        query: str = "",
        *,
        datasets: Sequence[str] = (),
        span: Span | None = None,
        size: int = 2_000,
        oldest_first: bool = False,
    ) -> Iterator[list[dict[str, Any]]]:
        """See `Events.pages`: the files of the moment are read, whatever is added, merged or dropped meanwhile."""
        plan = self._planning.plan(query, datasets, span)
        return (
            iter(()) if plan is None else self._reading.over(self._searching.pages(plan, size, oldest_first))
        )

    def count(self, query: str = "", *, datasets: Sequence[str] = (), span: Span | None = None) -> int:
        """See `Events.count`."""
        return self._counting.count(query, datasets, span)

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
        return self._counting.histogram(query, datasets, span, interval, by)

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
        return self._counting.top(field, query, datasets, span, limit)

    def survey(
        self,
        query: str,
        *,
        span: Span,
        counted: Counted,
        datasets: Sequence[str] = (),
        limit: int = 100,
        after: str | None = None,
    ) -> Survey:
        """See `Events.survey`."""
        found = self._surveying.survey(query, datasets, span, counted, limit, after)
        return found or separately.survey(self, query, datasets, span, counted, limit, after)

    def get(
        self, event_ids: Sequence[str], *, datasets: Sequence[str] = (), span: Span | None = None
    ) -> list[dict[str, Any]]:
        """See `Events.get`."""
        return self._searching.by_id(event_ids, datasets, span) if event_ids else []

    def since(self, dataset: str, after: str | None) -> Iterator[tuple[str, pl.DataFrame]]:
        """See `Events.since`. After a compaction some events may come a second time, never be missed. Raises PartDamaged,
        which says where to go on."""
        files = self._behind(dataset, place := int(after or 0))
        while files:
            try:
                with self.integrity.reading(files[0]) as path:
                    frame = pl.read_parquet(path)
            except Replaced:  # a slow reader: what it was merged into
                files = self._behind(dataset, place)
                continue
            place = files.pop(0).upto
            yield str(place), frame

    def _behind(self, dataset: str, place: int) -> list[File]:
        """By where each ends, so that no place is behind events that were not read: a merged file covers those of other days
        that arrived between its parts."""
        return sorted(self._manifest.files([dataset], after=place), key=lambda file: file.upto)

    def scan(
        self, dataset: str, *, span: Span | None = None, columns: Sequence[str] | None = None
    ) -> Iterator[pl.DataFrame]:
        """See `Events.scan`: of the files of the moment, as `pages`. Raises PartDamaged, Replaced."""
        files = self._manifest.files([dataset], span)
        return self._reading.over(self._parts(files, span, columns))

    def _parts(
        self, files: Sequence[File], span: Span | None, columns: Sequence[str] | None
    ) -> Iterator[pl.DataFrame]:
        for file in files:
            with self.integrity.reading(file) as path:
                frame = _part(pl.scan_parquet(path), span, columns)
            yield frame

    def files(self, dataset: str) -> list[File]:
        """The files of a dataset in order of arrival."""
        return self._manifest.files([dataset])

    def path_of(self, file: File) -> Path:
        """Where a file is."""
        return self._segments.path_of(file)

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
        held: dict[tuple[str, str], list[int]] = {}
        for file in self._manifest.files():
            for day, rows in self._by_day(file).items():
                sums = held.setdefault((file.dataset, day), [0, 0])
                sums[0] += rows
                sums[1] += file.bytes * rows // file.rows
        return [
            DayStats(dataset, datetime.fromisoformat(day).replace(tzinfo=UTC), events, size)
            for (dataset, day), (events, size) in sorted(held.items())
        ]

    def _by_day(self, file: File) -> dict[str, int]:
        """Day (UTC) → events of a file. Of a batch over many days the thin ones lie together under one day: these are counted; where
        such a file does not answer, it stands for the day that it is named after."""
        if _time_of(file.first).date() == _time_of(file.last).date():
            return {_time_of(file.first).strftime("%Y-%m-%d"): file.rows}
        try:
            with self.integrity.reading(file) as path:
                times = pl.read_parquet(path, columns=["@timestamp"])["@timestamp"]
        except StoreError:
            return {file.day: file.rows}
        return dict(times.dt.strftime("%Y-%m-%d").drop_nulls().value_counts().iter_rows())

    def flaws(self) -> list[Flaw]:
        """See `Events.flaws`."""
        return self.integrity.flaws()

    def of_earlier_release(self) -> dict[str, int]:
        """Dataset → files that could not be written anew yet (see `Retyping`): until then a question about them fails."""
        files = [file for path in self._manifest.listed() if (file := self._manifest.named(path))]
        return dict(sorted(Counter(file.dataset for file in files).items()))

    def room(self) -> int:
        """See `Events.room`: what the file system has, less a twentieth of it."""
        disk = shutil.disk_usage(self._folder)
        return max(0, disk.free - disk.total // 20)

    def drop(self, dataset: str, before: datetime, *, keep: Sequence[Span] = ()) -> int:
        """See `Events.drop`: only files whose last event is older go."""
        while True:
            old = [
                file
                for file in self._manifest.files([dataset])
                if file.last < nanoseconds(before) and not any(_touches(file, span) for span in keep)
            ]
            if not old or self._segments.replace(old, None):
                return sum(file.rows for file in old)

    def compact(self) -> int:
        """See `Events.compact`. Also deletes files replaced a while ago and forgets old client ids."""
        merged = self._segments.merge()
        self.sweep()
        self._manifest.forget_ids((self._clock.now() - timedelta(days=8)).strftime("%Y-%m-%d"))
        return merged

    def sweep(self, *, orphans: bool = False) -> int:
        """Delete replaced files that no reader can still be reading; with `orphans` (as at start) also files that no commit
        named, unless somebody is appending."""
        return self._segments.sweep(orphans=orphans)

    def close(self) -> None:
        """Close files."""
        self._manifest.close()
        self._duck.close()


def _part(frame: pl.LazyFrame, span: Span | None, columns: Sequence[str] | None) -> pl.DataFrame:
    """The rows of a span, with those of the columns that there are."""
    if span and span.start:
        frame = frame.filter(pl.col("@timestamp") >= within(span.start))
    if span and span.end:
        frame = frame.filter(pl.col("@timestamp") < within(span.end))
    if columns is not None:
        present = set(frame.collect_schema().names())
        frame = frame.select(name for name in columns if name in present)
    return frame.collect()


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


def _time_of(nanos: int) -> datetime:
    return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=nanos // 1000)
