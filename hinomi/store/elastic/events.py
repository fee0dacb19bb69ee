"""Events in Elasticsearch: daily indices by event time, each event under its own id.

An append creates the events (one already there stays as it is), names them in the journal of datasets that are
followed, and writes the checkpoint last. So a replay after a crash stores nothing twice and loses nothing.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson
import polars as pl
from elasticsearch import ApiError, Elasticsearch

from hinomi import query as language
from hinomi.batch import DEAD_LETTERS, SIGNALS, Batch
from hinomi.clock import Clock, SystemClock
from hinomi.errors import Conflict, StoreError
from hinomi.identity import digest
from hinomi.store import asked
from hinomi.store.elastic import documents, dsl, schema
from hinomi.store.elastic.bulk import TOO_LARGE, Bulk, Item, Outcome
from hinomi.store.elastic.connection import patiently, said
from hinomi.store.elastic.journal import Journal
from hinomi.store.elastic.pace import Pace
from hinomi.store.elastic.records import ElasticRecords
from hinomi.store.protocols import Appended, Bucket, Checkpoint, DatasetStats, DayStats, Page, Span

_SEARCH = ("検索できませんでした", "the search failed")
_PAGE = 5_000
_VALUES = 1_000
_NAMES = 20_000
_LONGEST_LETTER = 1 << 20
_PREPARED = ("prepared", "templates")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


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
        self._follow = frozenset(follow)
        self._bulk = Bulk(client, patience, refresh)
        self._known: dict[str, dict[str, str]] = {}

    @property
    def pace(self) -> Pace:
        """How much is written at once, as it is now."""
        return self._bulk.pace

    def prepare(self, *, replicas: int = 1) -> None:
        """Make the index templates, or bring them up to date; existing indices stay as they are."""
        with said("索引のひな型を作れません", "the index templates cannot be made"):
            self._template(
                f"hinomi-records-{self._namespace}",
                schema.record_template(self._namespace, replicas=replicas),
            )
            name = f"hinomi-events-{self._namespace}"
            try:
                self._template(name, schema.template(self._namespace, replicas=replicas, line="wildcard"))
            except ApiError as error:  # a cluster without that field type (docs/limits.md)
                if error.status_code != 400:
                    raise
                self._template(name, schema.template(self._namespace, replicas=replicas))
        self._records.put(*_PREPARED, {"replicas": replicas})

    def is_prepared(self) -> bool:
        """Whether `prepare` was done for this namespace. Any part may ask: the answer is a record."""
        return self._records.get(*_PREPARED) is not None

    def health(self) -> Mapping[str, Any]:
        """What the cluster says of itself: status, nodes, shards."""
        with said(*_SEARCH):
            return dict(self._client.cluster.health().body)

    def _template(self, name: str, body: Mapping[str, Any]) -> None:
        patiently(
            lambda: self._client.indices.put_index_template(
                name=name,
                index_patterns=body["index_patterns"],
                priority=body["priority"],
                template=body["template"],
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
        """See `Events.append`. Every id is stored once, whoever chose it. What is followed (signals) goes first: an
        alert does not wait behind a mass of events."""
        urgent = [batch for batch in batches if batch.dataset in self._follow]
        outcome = self._stored(urgent)
        refused = {item.id for item, _ in outcome.refused}
        for batch in urgent:
            named = documents.places(batch, self._namespace)
            self._journal.add(batch.dataset, [item for item in named if item.id not in refused])
        rest = self._stored([batch for batch in batches if batch.dataset not in self._follow])
        if checkpoint is not None:
            self._records.put("checkpoint", checkpoint.name, {"value": checkpoint.value})
        found = (outcome, rest)
        return Appended(
            stored=sum(one.stored for one in found), duplicates=sum(one.duplicates for one in found)
        )

    def _stored(self, batches: Sequence[Batch]) -> Outcome:
        """What was stored, dead letters among it; `refused` names the events that became some."""
        outcome = self._bulk.send(
            item for batch in batches for item in documents.items(batch, self._namespace)
        )
        aside = self._put_aside(outcome.refused)
        outcome.stored += aside.stored
        outcome.duplicates += aside.duplicates
        for batch in batches:
            self._learn(batch)
        return outcome

    def _put_aside(self, refused: Sequence[tuple[Item, str]]) -> Outcome:
        """What the mapping cannot take is kept whole among the dead letters, with the reason."""
        aside = self._bulk.send(self._letter(item, reason) for item, reason in refused)
        if left := aside.refused:
            raise StoreError(
                f"受け取られないイベントが {len(left)} 件あります: {left[0][1]}",
                f"{len(left)} events are refused even as dead letters: {left[0][1]}",
            )
        return aside

    def _letter(self, item: Item, reason: str) -> Item:
        document = orjson.loads(item.body)
        kept = {
            name: document[name]
            for name in ("event.original", "event.created", "event.ingested", "hinomi.origin")
            if isinstance(document.get(name), str)
        }
        if reason == TOO_LARGE:  # what is larger than any request can only be kept in part
            kept["event.original"] = kept.get("event.original", "")[:_LONGEST_LETTER]
        came = kept.get("event.created") or kept.get("event.ingested") or self._clock.now().isoformat()
        letter = {
            **kept,
            "@timestamp": came,  # a replay keeps it, so the same letter goes to the same index
            "event.id": digest("refused", item.id),
            "event.kind": "pipeline_error",
            "event.dataset": DEAD_LETTERS,
            "error.message": f"store_refused: {reason}",
            "event.provider": str(document.get("event.dataset", "")),
        }
        day = datetime.fromisoformat(came).strftime("%Y.%m.%d")
        index = schema.index(DEAD_LETTERS, self._namespace, day)
        return Item(index, str(letter["event.id"]), orjson.dumps(letter))

    def _learn(self, batch: Batch) -> None:
        """Remember fields that this dataset had not had, for all who search: up to so many names, whatever is sent."""
        known = self._known.get(batch.dataset, {})
        if not len(batch) or not _news(batch.kinds(), known):
            return
        while True:
            held = self._records.get("field", batch.dataset)
            before = dict(held.body["kinds"]) if held else {}
            merged = before | _news(batch.kinds(), before)
            try:
                if merged != before:
                    body = {"dataset": batch.dataset, "kinds": merged}
                    self._records.put("field", batch.dataset, body, expect=held.version if held else 0)
            except Conflict:
                continue
            self._known[batch.dataset] = merged
            return

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
        """See `Events.search`."""
        order = "asc" if oldest_first else "desc"
        answer = self._search(
            datasets,
            query=_condition(query, span),
            sort=[{"@timestamp": order}, {"event.id": order}],
            size=limit,
            search_after=list(asked.behind(after)) if after is not None else None,
            track_total_hits=True,
        )
        hits = answer["hits"]["hits"]
        token = asked.token(*hits[-1]["sort"]) if limit and len(hits) == limit else None
        return Page([documents.row(hit["_source"]) for hit in hits], answer["hits"]["total"]["value"], token)

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
        order = "asc" if oldest_first else "desc"
        sort = [{"@timestamp": order}, {"event.id": order}]
        sources = self._walk(self._open(datasets), _condition(query, span), sort, size)
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
        both = {"bool": {"filter": [query, _condition("", span)]}}
        names = [] if dataset == "*" else [dataset]
        return map(
            documents.frame, self._walk(self._open(names), both, [{"_shard_doc": "asc"}], _PAGE, columns)
        )

    def _open(self, datasets: Sequence[str]) -> str:
        with said(*_SEARCH):
            return str(
                patiently(
                    lambda: self._client.open_point_in_time(
                        index=self._pattern(datasets), keep_alive="5m", ignore_unavailable=True
                    )
                )["id"]
            )

    def _walk(
        self,
        place: str,
        query: Mapping[str, Any],
        sort: list[dict[str, str]],
        size: int,
        columns: Sequence[str] | None = None,
    ) -> Iterator[list[Mapping[str, Any]]]:
        """Documents of a point in time, a page at a time; it is closed at the end."""
        after = None
        try:
            while True:
                told: dict[str, Any] = {
                    "pit": {"id": place, "keep_alive": "5m"},
                    "search_after": after,
                    "source": {"includes": list(columns)} if columns is not None else True,
                }
                with said(*_SEARCH):
                    answer = patiently(lambda told=told: self._page_of(query, sort, size, told))  # type: ignore[misc]
                hits, place = answer["hits"]["hits"], answer["pit_id"]
                if hits:
                    yield [hit["_source"] for hit in hits]
                if len(hits) < size:
                    return
                after = hits[-1]["sort"]
        finally:
            with said(*_SEARCH):
                self._client.close_point_in_time(id=place)

    def _page_of(
        self, query: Mapping[str, Any], sort: list[dict[str, str]], size: int, told: Mapping[str, Any]
    ) -> Mapping[str, Any]:
        answer = self._client.search(
            query=query,
            sort=sort,
            size=size,
            track_total_hits=False,
            allow_partial_search_results=False,
            **told,
        )
        return dict(answer.body)

    def _search(self, datasets: Sequence[str], **body: Any) -> Mapping[str, Any]:
        with said(*_SEARCH):
            return patiently(
                lambda: (
                    self._client.search(
                        index=self._pattern(datasets),
                        ignore_unavailable=True,
                        allow_no_indices=True,
                        allow_partial_search_results=False,  # some of it is no answer
                        **body,
                    ).body
                )
            )

    def _pattern(self, datasets: Sequence[str]) -> str:
        return (
            ",".join(schema.pattern(one, self._namespace) for one in datasets)
            or f"logs-*-{self._namespace}-*"
        )

    def count(self, query: str = "", *, datasets: Sequence[str] = (), span: Span | None = None) -> int:
        """See `Events.count`."""
        with said(*_SEARCH):
            found = patiently(
                lambda: self._client.count(
                    index=self._pattern(datasets), query=_condition(query, span), ignore_unavailable=True
                )
            )
        if found["_shards"]["failed"]:
            raise StoreError(
                f"{_SEARCH[0]}(応答しないシャードがあります)。", f"{_SEARCH[1]}: some shards do not answer"
            )
        return int(found["count"])

    def histogram(
        self,
        query: str = "",
        *,
        span: Span,
        interval: timedelta,
        datasets: Sequence[str] = (),
        by: str | None = None,
    ) -> list[Bucket]:
        """See `Events.histogram`. Split by a field: its thousand most frequent values."""
        starts = asked.bars(span, interval)
        width = int(interval.total_seconds() * 1000)
        start = (starts[0] - _EPOCH) // timedelta(milliseconds=1)
        bars: dict[str, Any] = {
            "date_histogram": {
                "field": "@timestamp",
                "fixed_interval": f"{width}ms",
                "offset": f"{start % width}ms",
                "min_doc_count": 1,
            }
        }
        if by is not None:
            bars["aggs"] = {"parts": {"terms": {"field": dsl.text_of(by), "size": _VALUES}}}
        answer = self._search(datasets, query=_condition(query, span), size=0, aggs={"bars": bars})
        found = {
            int(bar["key"]): bar for bar in answer.get("aggregations", {}).get("bars", {}).get("buckets", [])
        }
        return [_bar(at, found.get(start + width * n), by) for n, at in enumerate(starts)]

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
        terms = {"field": dsl.text_of(field), "size": limit, "order": [{"_count": "desc"}, {"_key": "asc"}]}
        answer = self._search(datasets, query=_condition(query, span), size=0, aggs={"top": {"terms": terms}})
        buckets = answer.get("aggregations", {}).get("top", {}).get("buckets", [])
        return [(str(bucket.get("key_as_string", bucket["key"])), bucket["doc_count"]) for bucket in buckets]

    def get(
        self, event_ids: Sequence[str], *, datasets: Sequence[str] = (), span: Span | None = None
    ) -> list[dict[str, Any]]:
        """See `Events.get`."""
        rows = []
        for start in range(0, len(event_ids), _PAGE):
            wanted = {"ids": {"values": list(event_ids[start : start + _PAGE])}}
            both = {"bool": {"filter": [wanted, _condition("", span)]}}
            answer = self._search(datasets, query=both, sort=[{"@timestamp": "asc"}], size=_PAGE)
            rows += [documents.row(hit["_source"]) for hit in answer["hits"]["hits"]]
        return rows

    def since(self, dataset: str, after: str | None) -> Iterator[tuple[str, pl.DataFrame]]:
        """See `Events.since`, for datasets in `follow`. After a crash some events may come a second time."""
        for number, places in self._journal.since(dataset, int(after or 0)):
            yield str(number), documents.frame(self._fetched(places))

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
        with said(*_SEARCH):
            self._client.indices.refresh(index=self._pattern(()))

    def _fetched(self, places: Sequence[tuple[str, str]]) -> list[Mapping[str, Any]]:
        """Documents at their places, in that order; those that retention took meanwhile are left out. Raises StoreError
        where one cannot be read now: left out it would never be asked for again."""
        found: list[Mapping[str, Any]] = []
        for start in range(0, len(places), 1_000):
            wanted = [{"_index": index, "_id": identity} for index, identity in places[start : start + 1_000]]
            with said(*_SEARCH):
                told = patiently(lambda wanted=wanted: self._client.mget(docs=wanted))["docs"]  # type: ignore[misc]
            for document in told:
                error = document.get("error", {}).get("type", "index_not_found_exception")
                if error != "index_not_found_exception":
                    raise StoreError(f"{_SEARCH[0]}({error})。", f"{_SEARCH[1]}: {error}")
            found += [document["_source"] for document in told if document.get("found")]
        return found

    def scan(
        self, dataset: str, *, span: Span | None = None, columns: Sequence[str] | None = None
    ) -> Iterator[pl.DataFrame]:
        """See `Events.scan`. What is seen is what was there when the scan began."""
        walk = self._walk(
            self._open([dataset]), _condition("", span), [{"_shard_doc": "asc"}], _PAGE, columns
        )
        return map(documents.frame, walk)

    def datasets(self) -> list[DatasetStats]:
        """See `Events.datasets`."""
        inner = {"first": {"min": {"field": "@timestamp"}}, "last": {"max": {"field": "@timestamp"}}}
        terms = {"field": "event.dataset", "size": _VALUES, "order": {"_key": "asc"}}
        answer = self._search((), size=0, aggs={"names": {"terms": terms, "aggs": inner}})
        sizes = self._sizes()
        buckets = answer.get("aggregations", {}).get("names", {}).get("buckets", [])
        return [
            DatasetStats(
                bucket["key"],
                bucket["doc_count"],
                sizes.get(schema.pattern(bucket["key"], self._namespace), 0),
                _moment(bucket["first"]),
                _moment(bucket["last"]),
            )
            for bucket in buckets
        ]

    def _sizes(self) -> dict[str, int]:
        """Bytes on disk by pattern of a dataset's indices, copies included."""
        with said(*_SEARCH):
            answer = self._client.indices.stats(index=self._pattern(()), metric="store")
        sizes: dict[str, int] = {}
        for name, stats in answer["indices"].items():
            whole = f"{name.rpartition('-')[0]}-*"
            sizes[whole] = sizes.get(whole, 0) + stats["total"]["store"]["size_in_bytes"]
        return sizes

    def fields(self, dataset: str | None = None) -> dict[str, str]:
        """See `Events.fields`."""
        if dataset is not None:
            found = self._records.get("field", dataset)
            return dict(found.body["kinds"]) if found else {}
        kinds: dict[str, str] = {}
        for record in self._records.find("field"):
            kinds |= record.body["kinds"]
        return kinds

    # -- keeping

    def days(self) -> list[DayStats]:
        """See `Events.days`. Bytes count every copy."""
        with said(*_SEARCH):
            answer = self._client.indices.stats(index=self._pattern(()), metric=["docs", "store"])
        names = {schema.pattern(held.name, self._namespace): held.name for held in self.datasets()}
        return [
            DayStats(
                names.get(f"{name.rpartition('-')[0]}-*", ""),
                schema.day_of(name),
                stats["primaries"]["docs"]["count"],
                stats["total"]["store"]["size_in_bytes"],
            )
            for name, stats in sorted(answer["indices"].items())
        ]

    def room(self) -> int:
        """See `Events.room`: what the data nodes have together, less a twentieth (the flood stage) of it."""
        with said(*_SEARCH):
            disk = self._client.cluster.stats(filter_path="nodes.fs")["nodes"]["fs"]
        return int(max(0, disk["available_in_bytes"] - disk["total_in_bytes"] // 20))

    def drop(self, dataset: str, before: datetime, *, keep: Sequence[Span] = ()) -> int:
        """See `Events.drop`: indices whose whole day is older go."""
        with said("古い索引を削除できません", "old indices cannot be deleted"):
            answer = self._client.indices.stats(index=self._pattern([dataset]), metric="docs")
            old = {
                name: stats["primaries"]["docs"]["count"]
                for name, stats in answer["indices"].items()
                if schema.day_of(name) + timedelta(days=1) <= before
                and not any(_touches(schema.day_of(name), span) for span in keep)
            }
            for name in old:
                self._client.indices.delete(index=name, ignore_unavailable=True)
        return sum(old.values())

    def compact(self) -> int:
        """See `Events.compact`: Elasticsearch merges its own files; nothing is to be done."""
        return 0

    def close(self) -> None:
        """Close connections."""
        self._client.close()


def _news(kinds: Mapping[str, str], known: Mapping[str, str]) -> dict[str, str]:
    """Of these fields those that are not known, as far as there is room, and those that turned out to be lists: a field
    that comes now as one value and now as several is a list, and no news each time."""
    room = max(_NAMES - len(known), 0)
    fresh = [(name, kind) for name, kind in kinds.items() if name not in known][:room]
    lists = [(name, kind) for name, kind in kinds.items() if name in known and kind == f"{known[name]}[]"]
    return dict(fresh + lists)


def _touches(day: datetime, span: Span) -> bool:
    starts = span.end is None or day < span.end
    return starts and (span.start is None or day + timedelta(days=1) > span.start)


def _condition(text: str, span: Span | None) -> dict[str, Any]:
    found = dsl.of(language.parse(text))
    bounds = {}
    if span is not None and span.start is not None:
        bounds["gte"] = span.start.astimezone(UTC).isoformat()
    if span is not None and span.end is not None:
        bounds["lt"] = span.end.astimezone(UTC).isoformat()
    if not bounds:
        return found
    return {"bool": {"filter": [found, {"range": {"@timestamp": bounds}}]}}


def _bar(start: datetime, bucket: Mapping[str, Any] | None, by: str | None) -> Bucket:
    if bucket is None:
        return Bucket(start, 0)
    if by is None:
        return Bucket(start, bucket["doc_count"])
    parts = {
        str(part.get("key_as_string", part["key"])): part["doc_count"] for part in bucket["parts"]["buckets"]
    }
    left = bucket["doc_count"] - sum(parts.values())
    return Bucket(start, bucket["doc_count"], parts | ({"": left} if left > 0 else {}))


def _moment(figure: Mapping[str, Any]) -> datetime | None:
    value = figure["value"]
    return None if value is None else _EPOCH + timedelta(milliseconds=value)
