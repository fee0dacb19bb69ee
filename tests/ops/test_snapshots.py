"""Snapshots on a real cluster: everything gone, brought back, counted; never into a store that is in use."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest

from hinomi import ecs
from hinomi.batch import SIGNALS, Batch
from hinomi.clock import FixedClock
from hinomi.errors import StoreError
from hinomi.store import Span
from hinomi.store.elastic.events import ElasticEvents
from hinomi.store.elastic.records import ElasticRecords
from ops.snapshots import KIND, Snapshots
from tests import elastic

pytestmark = list(elastic.ON_ELASTIC)
NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)


def test_a_lost_namespace_comes_back_whole(tmp_path: Path) -> None:
    """All indices are deleted by mistake; the snapshot brings events, records and the order of signals back."""
    client, namespace = elastic.client(), elastic.namespace(tmp_path)
    events, records = ElasticEvents(client, namespace), ElasticRecords(client, namespace)
    events.prepare(replicas=0)
    for dataset, n in (("linux.auth", 50), (SIGNALS, 3)):
        times = pl.Series([NOW] * n).cast(ecs.TIME)
        frame = pl.DataFrame({"@timestamp": times, "event.id": [f"{dataset}{i}" for i in range(n)]})
        events.append([Batch.of(dataset, frame, ingested=NOW)])
    records.put("incident", "i", {"title": "火災"})
    snapshots = Snapshots(client, namespace, FixedClock(NOW))
    snapshots.register(elastic.running().folder / "snapshots" / namespace)
    name = snapshots.make(events)
    assert snapshots.names() == {name: 53}
    with pytest.raises(StoreError, match="empty"):
        snapshots.restore(name, events)
    for index in client.indices.get(index=f"*-{namespace}-*"):
        client.indices.delete(index=index)
    assert events.count() == 0 and records.get("incident", "i") is None
    with pytest.raises(StoreError, match="no snapshot"):
        snapshots.restore("other", events)
    assert snapshots.restore(name, events) == {"linux.auth": 50, SIGNALS: 3}
    back = records.get("incident", "i")
    assert back is not None and back.body == {"title": "火災"}
    [(_, frame)] = events.since(SIGNALS, None)
    assert frame.height == 3
    events.close()


def test_a_new_cluster_gets_its_templates_back(tmp_path: Path) -> None:
    """On a cluster that has neither indices nor templates, or only what `store init` left, a snapshot comes back and the
    next day's index is typed as the others: its ids can be sorted by."""
    client, namespace = elastic.client(), elastic.namespace(tmp_path)
    events, snapshots = _begun(namespace)
    name = snapshots.make(events)
    for begun_anew in (False, True):
        _gone(namespace)
        if begun_anew:
            events.prepare(replicas=0)
        assert snapshots.restore(name, events, replicas=0) == {"linux.auth": 3}
        events.append([_batch("linux.auth", 2, NOW + timedelta(days=1))])
        events.refresh()
        assert events.search("", span=Span(NOW - timedelta(days=1), NOW + timedelta(days=5))).total == 5
        new = next(iter(client.indices.get_mapping(index=f"logs-*-{namespace}-2026.11.21").body.values()))
        assert new["mappings"]["properties"]["event.id"]["type"] == "keyword"
    events.close()


def test_a_living_tower_is_brought_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What comes between counting and the snapshot is in it; what retention drops meanwhile is not; both are lawful. What is
    missing of a day that the snapshot holds is not, and is named."""
    namespace = elastic.namespace(tmp_path)
    events, snapshots = _begun(namespace)
    old = NOW - timedelta(days=9)
    events.append([_batch("linux.auth", 4, old)])
    counts = Snapshots._counts

    def and_then(self: Snapshots, held: ElasticEvents) -> dict[str, int]:
        found = counts(self, held)
        events.append([_batch("squid.access", 7, NOW), _batch("linux.auth", 5, NOW)])
        events.drop("linux.auth", NOW - timedelta(days=5))
        return found

    with monkeypatch.context() as meanwhile:
        meanwhile.setattr(Snapshots, "_counts", and_then)
        name = snapshots.make(events)
    _gone(namespace)
    assert snapshots.restore(name, events, replicas=0) == {"linux.auth": 5, "squid.access": 7}
    with monkeypatch.context() as meanwhile:
        meanwhile.setattr(Snapshots, "_counts", lambda *_: {f"logs-linux.auth-{namespace}-2026.11.20": 9})
        short = Snapshots(events._client, namespace, FixedClock(NOW + timedelta(minutes=1))).make(events)
    _gone(namespace)
    with pytest.raises(StoreError, match="5 < 9"):
        snapshots.restore(short, events, replicas=0)
    events.close()


def test_many_datasets_fit_a_snapshot(tmp_path: Path) -> None:
    """The cluster's own note at a snapshot takes 1,024 bytes: the counts of sixty datasets are a record."""
    namespace = elastic.namespace(tmp_path)
    events, snapshots = _begun(namespace)
    events.append([_batch(f"a_long_vendor.its_product_{number:02d}", 1, NOW) for number in range(60)])
    records = ElasticRecords(elastic.client(), namespace)
    records.put(KIND, f"hinomi-{namespace}-20250101-000000", {"counts": {}})  # of a snapshot that is gone
    name = snapshots.make(events)
    assert snapshots.names() == {name: 63}
    assert [one.id for one in records.find(KIND)] == [name]
    events.close()


def _begun(namespace: str) -> tuple[ElasticEvents, Snapshots]:
    """A namespace with three events, and its snapshots."""
    events = ElasticEvents(elastic.client(), namespace, clock=FixedClock(NOW))
    events.prepare(replicas=0)
    events.append([_batch("linux.auth", 3, NOW)])
    snapshots = Snapshots(elastic.client(), namespace, FixedClock(NOW))
    snapshots.register(elastic.running().folder / "snapshots" / namespace)
    return events, snapshots


def _gone(namespace: str) -> None:
    """As on a new cluster: no index and no template of this namespace."""
    client = elastic.client()
    for index in client.indices.get(index=f"*-{namespace}-*"):
        client.indices.delete(index=index)
    client.indices.delete_index_template(name=f"hinomi-*-{namespace}")
    client.close()


def _batch(dataset: str, n: int, at: datetime) -> Batch:
    times = pl.Series([at] * n).cast(ecs.TIME)
    ids = [f"{dataset}{at:%d}{i}" for i in range(n)]
    return Batch.of(dataset, pl.DataFrame({"@timestamp": times, "event.id": ids}), ingested=at)
