"""What a cluster holds of each dataset and day, how much room it has, and what goes when it is old."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from hinomi.store.elastic import schema
from hinomi.store.elastic.asking import SEARCH, Asking
from hinomi.store.elastic.connection import said
from hinomi.store.protocols import DatasetStats, DayStats, Flaw, Span
from hinomi.words import Words

_VALUES = 1_000
_HEADROOM = 150 << 30
_MOST_SHARDS = "max_shards_per_node"
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_RED = Words("応答しません(すべての写しが失われています)", "does not answer: no copy of it is there")


@dataclass(frozen=True, slots=True)
class ShardRoom:
    """days: as `Events.days`, with shards and all their copies in place of bytes; left: how many more may be opened."""

    days: Sequence[DayStats]
    left: int


@dataclass(frozen=True, slots=True)
class Holdings:
    """The daily indices of a namespace."""

    asking: Asking

    def datasets(self) -> list[DatasetStats]:
        """See `Events.datasets`."""
        inner = {"first": {"min": {"field": "@timestamp"}}, "last": {"max": {"field": "@timestamp"}}}
        buckets, sizes = self._buckets(inner), self._sizes()
        return [
            DatasetStats(
                bucket["key"],
                bucket["doc_count"],
                sizes.get(schema.pattern(bucket["key"], self.asking.namespace), 0),
                _moment(bucket["first"]),
                _moment(bucket["last"]),
            )
            for bucket in buckets
        ]

    def _buckets(self, inner: dict[str, Any]) -> list[dict[str, Any]]:
        """Datasets by name, with what is asked of each."""
        terms = {"field": "event.dataset", "size": _VALUES, "order": {"_key": "asc"}}
        answer = self.asking.search((), size=0, aggs={"names": {"terms": terms, "aggs": inner}})
        buckets: list[dict[str, Any]] = answer.get("aggregations", {}).get("names", {}).get("buckets", [])
        return buckets

    def _sizes(self) -> dict[str, int]:
        """Bytes on disk by pattern of a dataset's indices, copies included."""
        sizes: dict[str, int] = {}
        for name, stats in self.asking.stats((), "store").items():
            sizes[_whole(name)] = sizes.get(_whole(name), 0) + stats["total"]["store"]["size_in_bytes"]
        return sizes

    def days(self) -> list[DayStats]:
        """See `Events.days`. Bytes count every copy."""
        found, names = self.asking.stats((), "docs", "store"), self._names()
        return [
            DayStats(
                names.get(_whole(name), ""),
                schema.day_of(name),
                stats["primaries"]["docs"]["count"],
                stats["total"]["store"]["size_in_bytes"],
            )
            for name, stats in sorted(found.items())
        ]

    def _names(self) -> dict[str, str]:
        """Datasets by the pattern of their indices."""
        return {schema.pattern(one["key"], self.asking.namespace): one["key"] for one in self._buckets({})}

    def flaws(self) -> list[Flaw]:
        """See `Events.flaws`: indices with a shard of which no copy answers. Their events cannot be counted, nor asked for
        their dataset."""
        with said(*SEARCH):
            found = self.asking.client.indices.shard_stores(
                index=self.asking.pattern(()), status="red", ignore_unavailable=True, allow_no_indices=True
            )["indices"]
        return [
            Flaw(name, _dataset(name, self.asking.namespace), f"{schema.day_of(name):%Y-%m-%d}", None, _RED)
            for name in sorted(found)
        ]

    def room(self) -> int:
        """See `Events.room`: what the nodes have together up to the high watermark, beyond which no shard of a new index, and
        ours are new each day, is given a place: a tenth of a disk, 150 GB at most (Elasticsearch reference, "Cluster-level
        shard allocation": disk.watermark.high and its max_headroom)."""
        with said(*SEARCH):
            told = self.asking.client.nodes.stats(
                metric="fs", filter_path="nodes.*.host,nodes.*.roles,nodes.*.fs.total"
            )
        disks = {  # nodes of one machine share its disk; one that holds no data has none for us
            (node["host"], node["fs"]["total"]["total_in_bytes"]): node["fs"]["total"]["available_in_bytes"]
            for node in told.get("nodes", {}).values()
            if any(role.startswith("data") for role in node["roles"])
        }
        return sum(max(0, free - min(total // 10, _HEADROOM)) for (_, total), free in disks.items())

    def shards(self) -> ShardRoom:
        """The shards of each day with their copies, and how many more the cluster opens (`cluster.max_shards_per_node`)."""
        client, names = self.asking.client, self._names()
        with said(*SEARCH):
            own = client.cluster.health(index=self.asking.pattern(()), level="indices").get("indices", {})
            whole = client.cluster.health()
            told = client.cluster.get_settings(include_defaults=True, filter_path=f"*.cluster.{_MOST_SHARDS}")
        most = next(
            int(told[kind]["cluster"][_MOST_SHARDS])
            for kind in ("transient", "persistent", "defaults")
            if kind in told
        )
        opened = sum(int(whole[f"{state}_shards"]) for state in ("active", "initializing", "unassigned"))
        days = [
            DayStats(
                names.get(_whole(name), ""),
                schema.day_of(name),
                0,
                one["number_of_shards"] * (1 + one["number_of_replicas"]),
            )
            for name, one in sorted(own.items())
        ]
        return ShardRoom(days, max(0, most * int(whole["number_of_data_nodes"]) - opened))

    def drop(self, dataset: str, before: datetime, keep: Sequence[Span]) -> int:
        """See `Events.drop`: indices whose whole day is older go."""
        indices = self.asking.client.indices
        with said("古い索引を削除できません", "old indices cannot be deleted"):
            answer = indices.stats(index=self.asking.pattern([dataset]), metric="docs")
            old = {
                name: stats["primaries"]["docs"]["count"]
                for name, stats in answer["indices"].items()
                if schema.day_of(name) + timedelta(days=1) <= before
                and not any(_touches(schema.day_of(name), span) for span in keep)
            }
            for name in old:
                indices.delete(index=name, ignore_unavailable=True)
        return sum(old.values())


def _dataset(name: str, namespace: str) -> str:
    """What the name of an index says of its dataset."""
    return name.removeprefix("logs-").rpartition(f"-{namespace}-")[0]


def _whole(name: str) -> str:
    """The pattern of all indices of the dataset that this one is of."""
    return f"{name.rpartition('-')[0]}-*"


def _touches(day: datetime, span: Span) -> bool:
    starts = span.end is None or day < span.end
    return starts and (span.start is None or day + timedelta(days=1) > span.start)


def _moment(figure: Mapping[str, Any]) -> datetime | None:
    value = figure["value"]
    return None if value is None else EPOCH + timedelta(milliseconds=value)
