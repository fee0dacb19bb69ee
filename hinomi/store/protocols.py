"""The two protocols of the store. One contract test suite runs against every implementation."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Protocol, TypeVar

import polars as pl
from pydantic import BaseModel, ValidationError

from hinomi.batch import Batch
from hinomi.errors import Damaged
from hinomi.text import inert
from hinomi.words import Words

Model = TypeVar("Model", bound=BaseModel)


@dataclass(frozen=True, slots=True)
class Span:
    """A range of event time: start included, end excluded; None leaves that side open."""

    start: datetime | None = None
    end: datetime | None = None


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """How far a reader has come: written with what it stored, in one commit."""

    name: str
    value: str


@dataclass(frozen=True, slots=True)
class Appended:
    """What an append did, in events."""

    stored: int
    duplicates: int


@dataclass(frozen=True, slots=True)
class Page:
    """Some results of a search, newest first unless asked otherwise.

    rows: flat dicts of dotted fields, nulls left out, times as zoned datetimes; total: how many match in
    all; after: hand it back to get the next page, None at the end.
    """

    rows: list[dict[str, Any]]
    total: int
    after: str | None = None


@dataclass(frozen=True, slots=True)
class Bucket:
    """One bar of a histogram: its start, its count, and the counts by value where asked for."""

    start: datetime
    count: int
    by: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Counted:
    """What is counted of all that a search finds, beside a page of it. interval: width of a bar; field: whose values; values_in:
    datasets whose values are told (none: no values are); most: how many values."""

    interval: timedelta
    field: str
    values_in: Sequence[str]
    most: int = 10


@dataclass(frozen=True, slots=True)
class Survey:
    """A page of a search and what is said of all that match. buckets: as of a histogram; present: how many have the field;
    top: its most frequent values with their counts."""

    page: Page
    buckets: list[Bucket]
    present: int
    top: list[tuple[str, int]]


@dataclass(frozen=True, slots=True)
class DatasetStats:
    """What is held of a dataset: events, bytes on disk, first and last event time."""

    name: str
    events: int
    bytes: int
    first: datetime | None
    last: datetime | None


@dataclass(frozen=True, slots=True)
class DayStats:
    """What is held of a dataset's day (UTC): events, bytes on disk with all copies."""

    dataset: str
    day: datetime
    events: int
    bytes: int


@dataclass(frozen=True, slots=True)
class Flaw:
    """A part of the store that questions cannot be answered from: its file or index, whose events it holds, of which day
    (UTC), how many (None: not known), and what is wrong with it, in words that follow its name."""

    place: str
    dataset: str
    day: str
    events: int | None
    said: Words


class Events(Protocol):
    """Append-only events. Any number of readers; appends are atomic and may be repeated."""

    def append(
        self,
        batches: Sequence[Batch],
        *,
        checkpoint: Checkpoint | None = None,
        client_ids: frozenset[str] = frozenset(),
    ) -> Appended:
        """Store the batches and the checkpoint in one commit: all of it or nothing.

        `client_ids`: the event ids in these batches that a sender chose (it may send them again after
        a lost answer); one already stored is counted as a duplicate and not stored twice.
        """
        ...

    def checkpoint(self, name: str) -> str | None:
        """The value last committed under the name."""
        ...

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
        """Events that match a query of `hinomi.query` (KQL-like), in all or the named datasets."""
        ...

    def pages(
        self,
        query: str = "",
        *,
        datasets: Sequence[str] = (),
        span: Span | None = None,
        size: int = 2_000,
        oldest_first: bool = False,
    ) -> Iterator[list[dict[str, Any]]]:
        """Every event that matched at the moment of the call, as pages of rows: what comes meanwhile is not among
        them. For exports; close the iterator when leaving early."""
        ...

    def histogram(
        self,
        query: str = "",
        *,
        span: Span,
        interval: timedelta,
        datasets: Sequence[str] = (),
        by: str | None = None,
    ) -> list[Bucket]:
        """Counts a bucket of event time over the span, empty buckets included; `by` splits by a field. An event with
        several values counts once under each of them, so that these may be more than the bucket's count; one with none
        counts under ''."""
        ...

    def top(
        self,
        field: str,
        query: str = "",
        *,
        datasets: Sequence[str] = (),
        span: Span | None = None,
        limit: int = 10,
    ) -> list[tuple[str, int]]:
        """The most frequent values of a field with how many events have each: one of several values counts once under
        each of them."""
        ...

    def count(self, query: str = "", *, datasets: Sequence[str] = (), span: Span | None = None) -> int:
        """How many events match."""
        ...

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
        """What `search`, `histogram`, `count` and `top` answer of one query, asked for together because together they may
        cost a store little more than one of them."""
        ...

    def get(
        self, event_ids: Sequence[str], *, datasets: Sequence[str] = (), span: Span | None = None
    ) -> list[dict[str, Any]]:
        """The events with these ids, as flat dicts; unknown ids are left out. A span makes it fast."""
        ...

    def since(self, dataset: str, after: str | None) -> Iterator[tuple[str, pl.DataFrame]]:
        """Frames of a dataset in order of arrival, each with the token to continue from. For followers."""
        ...

    def scan(
        self, dataset: str, *, span: Span | None = None, columns: Sequence[str] | None = None
    ) -> Iterator[pl.DataFrame]:
        """Every event of a dataset in the span as frames, in no order."""
        ...

    def datasets(self) -> list[DatasetStats]:
        """What is held, by dataset."""
        ...

    def fields(self, dataset: str | None = None) -> dict[str, str]:
        """Known fields with their kind (keyword, long, date …), of one dataset or all."""
        ...

    def drop(self, dataset: str, before: datetime, *, keep: Sequence[Span] = ()) -> int:
        """Delete whole days of events before the time (retention), but no day that touches a span to be kept (a legal
        hold); returns how many events went."""
        ...

    def days(self) -> list[DayStats]:
        """What is held, by dataset and day."""
        ...

    def flaws(self) -> list[Flaw]:
        """Parts that do not answer, seen without reading them."""
        ...

    def room(self) -> int:
        """Bytes that can still be stored before the disk counts as full."""
        ...

    def compact(self) -> int:
        """Merge small files; returns how many went. Readers are not disturbed."""
        ...

    def close(self) -> None:
        """Release files."""
        ...


@dataclass(frozen=True, slots=True)
class Record:
    """A small document with a version that grows by one at each write."""

    kind: str
    id: str
    version: int
    body: dict[str, Any]
    updated: datetime

    def read_as(self, model: type[Model]) -> Model:
        """The body as what records of this kind are. Raises Damaged, which names the record and the field; what stands
        there is not told, it may be a secret."""
        try:
            return model.model_validate(self.body)
        except ValidationError as error:
            field = inert(".".join(map(str, error.errors()[0]["loc"])), 100)
        name = f"{inert(self.kind)}「{inert(self.id, 100)}」"
        raise Damaged(
            f"記録 {name}の項目「{field}」を読めません(壊れているか、別の版の火の見が書いたものです)。"
            "写し(hinomi store snapshot)から戻すか、書いた版で開いてください。",
            f"the field {field} of the record {inert(self.kind)} {inert(self.id, 100)} cannot be read: it is damaged, or another"
            " release wrote it; restore it from a snapshot, or open it with that release",
        )


class Records(Protocol):
    """Small versioned documents with compare-and-set."""

    def get(self, kind: str, id: str) -> Record | None:  # noqa: A002  (the field's own name)
        """The record, or None."""
        ...

    def put(self, kind: str, id: str, body: Mapping[str, Any], *, expect: int | None = None) -> Record:  # noqa: A002
        """Write the record. `expect`: the version it must have now, 0 = must not exist, None = whatever.

        Raises Conflict when the version differs.
        """
        ...

    def delete(self, kind: str, id: str, *, expect: int | None = None) -> bool:  # noqa: A002
        """Remove the record; False when there was none. Raises Conflict as `put` does."""
        ...

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
        """Records whose body has these values (dotted paths; a list means any of), ordered by a dotted
        path (`-path` for descending; by id where empty).

        after: only those with a higher id: how to walk many by id, a page costing the same however far it is.
        """
        ...

    def count(self, kind: str, where: Mapping[str, Any] | None = None) -> int:
        """How many `find` would give without its limit."""
        ...

    def changed(self, kind: str, since: datetime) -> Iterator[Record]:
        """Records written at or after the moment, the oldest writing first, in pages: for readers that keep a
        summary and read only what is new. What was deleted is not told."""
        ...

    def append(self, kind: str, body: Mapping[str, Any]) -> Record:
        """Add a record under the next number of its kind (id "000000000001" …), without gaps, atomically
        with respect to other writers. For logs and journals."""
        ...

    def last(self, kind: str) -> Record | None:
        """The record with the highest id of its kind."""
        ...

    def close(self) -> None:
        """Release files."""
        ...
