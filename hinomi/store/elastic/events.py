"""Events in Elasticsearch: daily indices by event time, each event under its own id.

An append creates the events (one already there stays as it is), names them in the journal of datasets that are
followed, and writes the checkpoint last (`writing`). So a replay after a crash stores nothing twice and loses nothing.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

import polars as pl
from elasticsearch import ApiError, Elasticsearch

from hinomi.batch import SIGNALS, Batch
from hinomi.clock import Clock, SystemClock
from hinomi.errors import StoreError
from hinomi.store import asked, separately
from hinomi.store.elastic import documents, schema
from hinomi.store.elastic.asking import SEARCH, Asking, condition
from hinomi.store.elastic.bulk import Bulk
from hinomi.store.elastic.connection import patiently, said
from hinomi.store.elastic.counting import Counting
from hinomi.store.elastic.holdings import Holdings, ShardRoom
from hinomi.store.elastic.journal import Journal
from hinomi.store.elastic.moments import Moments, split
from hinomi.store.elastic.names import Names
from hinomi.store.elastic.pace import Pace
from hinomi.store.elastic.records import ElasticRecords
from hinomi.store.elastic.writing import Writing
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

_PAGE = 5_000
_PREPARED = ("prepared", "templates")
_ANY_ORDER = [{"_shard_doc": "asc"}]


LEAST = (8, 13)
"""The least release: the first that has `index.mapping.total_fields.ignore_dynamic_beyond_limit`, by which no hostile log can make an
index refuse events (Elasticsearch reference 8.13, "Mapping limit settings")."""


def too_old(version: str) -> bool:
    """Whether a node of this release ("8.12.2") lacks what the templates need."""
    return tuple(int(part) for part in version.split(".")[:2]) < LEAST


class ElasticEvents:
    """`hinomi.store.Events` on a cluster. Any number of machines may append and read at once.

    follow: datasets that `since` can follow; refresh: make what is appended findable at once (for tests; otherwise
    within the index's refresh interval of a second).
    """

    def __init__(
        self,
        client: Elasticsearch,
        namespace: str = "default",
        *,
        clock: Clock | None = None,
        follow: Sequence[str] = (SIGNALS,),
        refresh: bool = False,
        patience: float = 30.0,
    ) -> None:
        self._client = client
        self._namespace = namespace
        self._clock = clock or SystemClock()
        self._records = ElasticRecords(client, namespace, clock=self._clock)
        self._journal = Journal(self._records)
        self._names = Names(self._records)
        self._writing = Writing(
            namespace,
            frozenset(follow),
            self._journal,
            self._names,
            self._clock,
            urgent=Bulk(client, patience, refresh),
            mass=Bulk(client, patience, refresh),
        )
        self._asking = Asking(client, namespace)
        self._moments = Moments(self._asking.open, self._asking.close)
        self._counting = Counting(self._asking)
        self._holdings = Holdings(self._asking)

    @property
    def pace(self) -> Pace:
        """How much is written at once, as it is now."""
        return self._writing.mass.pace

    def prepare(self, *, replicas: int = 1) -> None:
        """Make the index templates, or bring them up to date; existing indices stay as they are. Raises StoreError where a node
        is too old for them."""
        self._check_release()
        with said("索引のひな型を作れません", "the index templates cannot be made"):
            self._template(
                f"hinomi-records-{self._namespace}",
                schema.record_template(self._namespace, replicas=replicas),
            )
            try:
                made = self._components(
                    schema.components(self._namespace, replicas=replicas, line="wildcard")
                )
            except ApiError as error:  # a cluster without that field type (docs/limits.md)
                if error.status_code != 400:
                    raise
                made = self._components(schema.components(self._namespace, replicas=replicas))
            self._template(f"hinomi-events-{self._namespace}", schema.template(self._namespace, made))
        self._records.put(*_PREPARED, {"replicas": replicas, "form": schema.FORM})

    def _check_release(self) -> None:
        with said("ノードの版を確かめられません", "the nodes' release cannot be told"):
            found = self._client.nodes.info(metric="_none", filter_path="nodes.*.version")
        for version in sorted({node["version"] for node in found.get("nodes", {}).values()}):
            if too_old(version):
                least = ".".join(map(str, LEAST))
                raise StoreError(
                    f"Elasticsearch {version} のノードがあります。{least} 以降にしてから、もう一度実行してください。",
                    f"a node runs Elasticsearch {version}; {least} is the least that Hinomi works with",
                )

    def is_prepared(self) -> bool:
        """Whether `prepare` was done for this namespace. Any part may ask: the answer is a record."""
        return self._records.get(*_PREPARED) is not None

    def is_of_earlier_release(self) -> bool:
        """Whether `prepare` was last done by a release whose templates were others: until it is done anew, new indices are made
        by those."""
        held = self._records.get(*_PREPARED)
        return held is not None and int(held.body.get("form", 1)) < schema.FORM

    def health(self) -> Mapping[str, Any]:
        """What the cluster says of itself: status, nodes, shards."""
        with said(*SEARCH):
            return dict(self._client.cluster.health().body)

    def _components(self, parts: Mapping[str, Mapping[str, Any]]) -> list[str]:
        """Make component templates; their names."""
        for name, part in parts.items():
            patiently(
                lambda name=name, part=part: self._client.cluster.put_component_template(  # type: ignore[misc]
                    name=name, template=part["template"], meta=part["_meta"]
                )
            )
        return list(parts)

    def _template(self, name: str, body: Mapping[str, Any]) -> None:
        patiently(
            lambda: self._client.indices.put_index_template(
                name=name,
                index_patterns=body["index_patterns"],
                priority=body["priority"],
                template=body.get("template"),
                composed_of=body.get("composed_of"),
                ignore_missing_component_templates=body.get("ignore_missing_component_templates"),
                meta=body["_meta"],
            )
        )

    # -- writing

    def append(
        self,
        batches: Sequence[Batch],
        *,
        checkpoint: Checkpoint | None = None,
        client_ids: frozenset[str] = frozenset(),
    ) -> Appended:
        """See `Events.append`. Every id is stored once, whoever chose it. What is followed (signals) goes beside the mass of
        events: an alert does not wait behind it."""
        appended = self._writing.append(batches)
        if checkpoint is not None:
            self._records.put("checkpoint", checkpoint.name, {"value": checkpoint.value})
        return appended

    # -- reading

    def checkpoint(self, name: str) -> str | None:
        """See `Events.checkpoint`."""
        found = self._records.get("checkpoint", name)
        return str(found.body["value"]) if found else None

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
        """See `Events.search`. Pages from the second on are of one point in time (`moments`)."""
        body = {"query": condition(query, span), "sort": _by_time(oldest_first), "size": limit}
        if after is None:
            word, answer = None, self._asking.search(datasets, **body, track_total_hits=True)
        else:
            word, answer = self._next(datasets, after, body)
        hits = answer["hits"]["hits"]
        token = None
        if limit and len(hits) == limit:
            token = (f"{word}." if word else "") + asked.token(*hits[-1]["sort"][:2])
        elif word:
            self._moments.forget(word)
        return Page([documents.row(hit["_source"]) for hit in hits], answer["hits"]["total"]["value"], token)

    def _next(
        self, datasets: Sequence[str], after: str, body: Mapping[str, Any]
    ) -> tuple[str, Mapping[str, Any]]:
        """The page behind a token, as of its moment while that is there; the moment's word."""
        word, place = split(after)
        body = {**body, "search_after": list(asked.behind(place)[:2])}
        word, moment = self._moments.of(word, place, self._asking.pattern(datasets))
        if moment is not None:
            try:
                answer = self._asking.of_moment(moment.place, **body, track_total_hits=True)
            except StoreError:
                self._moments.forget(word)
            else:
                moment.place = answer["pit_id"]
                return word, answer
        return word, self._asking.search(datasets, **body, track_total_hits=True)

    def pages(
        self,
        query: str = "",
        *,
        datasets: Sequence[str] = (),
        span: Span | None = None,
        size: int = 2_000,
        oldest_first: bool = False,
    ) -> Iterator[list[dict[str, Any]]]:
        """See `Events.pages`: a point in time, so that what is written or dropped meanwhile changes nothing."""
        sources = self._asking.walk(datasets, condition(query, span), _by_time(oldest_first), size)
        return ([documents.row(source) for source in page] for page in sources)

    def matching(
        self,
        query: Mapping[str, Any],
        *,
        dataset: str,
        span: Span | None = None,
        columns: Sequence[str] | None = None,
    ) -> Iterator[pl.DataFrame]:
        """Events that match a query of Elasticsearch's own language (`rules.lucene`), as frames."""
        both = {"bool": {"filter": [query, condition("", span)]}}
        names = [] if dataset == "*" else [dataset]
        return map(documents.frame, self._asking.walk(names, both, _ANY_ORDER, _PAGE, columns))

    def count(self, query: str = "", *, datasets: Sequence[str] = (), span: Span | None = None) -> int:
        """See `Events.count`."""
        return self._asking.count(datasets, condition(query, span))

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
        return separately.survey(self, query, datasets, span, counted, limit, after)

    def get(
        self, event_ids: Sequence[str], *, datasets: Sequence[str] = (), span: Span | None = None
    ) -> list[dict[str, Any]]:
        """See `Events.get`."""
        rows = []
        for start in range(0, len(event_ids), _PAGE):
            wanted = {"ids": {"values": list(event_ids[start : start + _PAGE])}}
            both = {"bool": {"filter": [wanted, condition("", span)]}}
            answer = self._asking.search(datasets, query=both, sort=[{"@timestamp": "asc"}], size=_PAGE)
            rows += [documents.row(hit["_source"]) for hit in answer["hits"]["hits"]]
        return rows

    def since(self, dataset: str, after: str | None) -> Iterator[tuple[str, pl.DataFrame]]:
        """See `Events.since`, for datasets in `follow`. After a crash some events may come a second time."""
        for number, places in self._journal.since(dataset, int(after or 0)):
            yield str(number), documents.frame(self._asking.fetched(places))

    def arrived(self, dataset: str, events: int) -> str | None:
        """The token of `since` behind so many events from the first, none of them left out."""
        token, seen = None, 0
        for number, places in self._journal.since(dataset, 0):
            seen += len(places)
            if seen > events:
                break
            token = str(number)
        return token

    def refresh(self) -> None:
        """Make everything that was appended findable now."""
        with said(*SEARCH):
            self._client.indices.refresh(index=self._asking.pattern(()))

    def scan(
        self, dataset: str, *, span: Span | None = None, columns: Sequence[str] | None = None
    ) -> Iterator[pl.DataFrame]:
        """See `Events.scan`. What is seen is what was there when the scan began."""
        walk = self._asking.walk([dataset], condition("", span), _ANY_ORDER, _PAGE, columns)
        return map(documents.frame, walk)

    def datasets(self) -> list[DatasetStats]:
        """See `Events.datasets`."""
        return self._holdings.datasets()

    def fields(self, dataset: str | None = None) -> dict[str, str]:
        """See `Events.fields`."""
        return self._names.of(dataset)

    # -- keeping

    def days(self) -> list[DayStats]:
        """See `Events.days`. Bytes count every copy."""
        return self._holdings.days()

    def flaws(self) -> list[Flaw]:
        """See `Events.flaws`: indices of which no copy answers."""
        return self._holdings.flaws()

    def room(self) -> int:
        """See `Events.room`: what the data nodes have together up to the high watermark."""
        return self._holdings.room()

    def shards(self) -> ShardRoom:
        """How many shards there are of each day, and how many more the cluster opens: a new day's index needs some."""
        return self._holdings.shards()

    def drop(self, dataset: str, before: datetime, *, keep: Sequence[Span] = ()) -> int:
        """See `Events.drop`: indices whose whole day is older go."""
        return self._holdings.drop(dataset, before, keep)

    def compact(self) -> int:
        """See `Events.compact`: Elasticsearch merges its own files; nothing is to be done."""
        return 0

    def close(self) -> None:
        """Close connections."""
        self._client.close()


def _by_time(oldest_first: bool) -> list[dict[str, str]]:
    order = "asc" if oldest_first else "desc"
    return [{"@timestamp": order}, {"event.id": order}]
