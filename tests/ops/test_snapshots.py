"""Snapshots on a real cluster: everything gone, brought back, counted; never into a store that is in use."""

from datetime import UTC, datetime
from pathlib import Path

import polars as pl
import pytest

from hinomi import ecs
from hinomi.batch import SIGNALS, Batch
from hinomi.clock import FixedClock
from hinomi.errors import StoreError
from hinomi.store.elastic.events import ElasticEvents
from hinomi.store.elastic.records import ElasticRecords
from ops.snapshots import Snapshots
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
    assert snapshots.names() == {name: {"linux.auth": 50, SIGNALS: 3}}
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
