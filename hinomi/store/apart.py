"""The events of some organisations and no others: every question gets one more condition, whatever it asks.

A store of its own as far as its reader can tell. What would look past the condition, or write, is refused.
"""

import time
from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, NoReturn

import polars as pl

from hinomi import query as language
from hinomi.batch import Batch
from hinomi.errors import Refused
from hinomi.organization import FIELD
from hinomi.store.protocols import (
    Appended,
    Bucket,
    Checkpoint,
    Counted,
    DatasetStats,
    DayStats,
    Events,
    Flaw,
    Page,
    Span,
    Survey,
)

_NONE = "*none"
"""No organisation is called so: whoever may see none sees nothing."""
_MOST_DATASETS = 1_000
_KNOWN_FOR = 30.0  # seconds that the list of datasets counts


class EventsApart:
    """`hinomi.store.Events` of some organisations, for reading."""

    def __init__(self, events: Events, organizations: Collection[str]) -> None:
        self._events = events
        self._whose = frozenset(organizations)
        names = " or ".join(language.quoted(name) for name in sorted(self._whose) or [_NONE])
        self._term = f"{FIELD}: ({names})"
        self._held: tuple[float, list[DatasetStats]] | None = None

    def only(self, query: str) -> str:
        """The query and the condition. Raises QueryError as `hinomi.query.beside` does."""
        return language.beside(query, self._term)

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
        return self._events.search(
            self.only(query),
            datasets=datasets,
            span=span,
            limit=limit,
            after=after,
            oldest_first=oldest_first,
        )

    def pages(
        self,
        query: str = "",
        *,
        datasets: Sequence[str] = (),
        span: Span | None = None,
        size: int = 2_000,
        oldest_first: bool = False,
    ) -> Iterator[list[dict[str, Any]]]:
        """See `Events.pages`."""
        return self._events.pages(
            self.only(query), datasets=datasets, span=span, size=size, oldest_first=oldest_first
        )

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
        return self._events.histogram(
            self.only(query), span=span, interval=interval, datasets=datasets, by=by
        )

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
        return self._events.top(field, self.only(query), datasets=datasets, span=span, limit=limit)

    def count(self, query: str = "", *, datasets: Sequence[str] = (), span: Span | None = None) -> int:
        """See `Events.count`."""
        return self._events.count(self.only(query), datasets=datasets, span=span)

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
        return self._events.survey(
            self.only(query), span=span, counted=counted, datasets=datasets, limit=limit, after=after
        )

    def get(
        self, event_ids: Sequence[str], *, datasets: Sequence[str] = (), span: Span | None = None
    ) -> list[dict[str, Any]]:
        """See `Events.get`."""
        rows = self._events.get(event_ids, datasets=datasets, span=span)
        return [row for row in rows if row.get(FIELD) in self._whose]

    def scan(
        self, dataset: str, *, span: Span | None = None, columns: Sequence[str] | None = None
    ) -> Iterator[pl.DataFrame]:
        """See `Events.scan`."""
        wanted = None if columns is None else list(dict.fromkeys([*columns, FIELD]))
        for frame in self._events.scan(dataset, span=span, columns=wanted):
            if FIELD in frame.columns:
                own = frame.filter(pl.col(FIELD).is_in(self._whose))
                yield own if columns is None else own.select(n for n in columns if n in own.columns)

    def datasets(self) -> list[DatasetStats]:
        """See `Events.datasets`: of these organisations; what that takes on disk is not told apart (0)."""
        if self._held is None or time.monotonic() - self._held[0] > _KNOWN_FOR:
            found = self.top("event.dataset", limit=_MOST_DATASETS)
            self._held = time.monotonic(), [self._stats(name, n) for name, n in sorted(found)]
        return [replace(one) for one in self._held[1]]

    def _stats(self, name: str, events: int) -> DatasetStats:
        ends = [self.search(datasets=[name], limit=1, oldest_first=oldest).rows for oldest in (True, False)]
        first, last = (rows[0]["@timestamp"] if rows else None for rows in ends)
        return DatasetStats(name, events, 0, first, last)

    def fields(self, dataset: str | None = None) -> dict[str, str]:
        """See `Events.fields`: of the datasets that hold anything of theirs."""
        own = [one.name for one in self.datasets()]
        if dataset is not None:
            return self._events.fields(dataset) if dataset in own else {}
        found: dict[str, str] = {}
        for name in own:
            found |= self._events.fields(name)
        return found

    def append(
        self,
        batches: Sequence[Batch],
        *,
        checkpoint: Checkpoint | None = None,
        client_ids: frozenset[str] = frozenset(),
    ) -> Appended:
        """Refused."""
        _refuse()

    def checkpoint(self, name: str) -> str | None:
        """Refused."""
        _refuse()

    def since(self, dataset: str, after: str | None) -> Iterator[tuple[str, pl.DataFrame]]:
        """Refused."""
        _refuse()

    def drop(self, dataset: str, before: datetime, *, keep: Sequence[Span] = ()) -> int:
        """Refused."""
        _refuse()

    def days(self) -> list[DayStats]:
        """Refused."""
        _refuse()

    def flaws(self) -> list[Flaw]:
        """Refused."""
        _refuse()

    def room(self) -> int:
        """Refused."""
        _refuse()

    def compact(self) -> int:
        """Refused."""
        _refuse()

    def close(self) -> None:
        """The store is not this reader's to close."""


def _refuse() -> NoReturn:
    raise Refused(
        "この操作は、組織を限られた利用者にはできません。", "this is not for who sees some organisations only"
    )
