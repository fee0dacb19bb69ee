"""How many shards a real cluster opens: what a new day needs, and what is left."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import polars as pl

from hinomi import ecs
from hinomi.batch import Batch
from hinomi.retention import DEFAULTS
from hinomi.store import DayStats
from hinomi.store.elastic.events import ElasticEvents
from ops.forecast import forecast
from tests import elastic

pytestmark = list(elastic.ON_ELASTIC)
NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)


def test_shards_of_each_day_are_counted_with_their_copies(tmp_path: Path) -> None:
    """Two datasets over five days with one copy each are twenty shards; what is left is no more than the cluster's limit."""
    events = ElasticEvents(elastic.client(), elastic.namespace(tmp_path))
    events.prepare(replicas=1)
    for day in range(5):
        for dataset in ("linux.auth", "squid.access"):
            at = NOW - timedelta(days=day)
            times = pl.Series([at]).cast(ecs.TIME)
            frame = pl.DataFrame({"@timestamp": times, "event.id": [f"{dataset}{day}"]})
            events.append([Batch.of(dataset, frame, ingested=at)])
    events.refresh()
    found = events.shards()
    days = {(one.dataset, f"{one.day:%d}"): one.bytes for one in found.days}
    assert days == {(name, f"{day}"): 2 for name in ("linux.auth", "squid.access") for day in range(16, 21)}
    client = elastic.client()
    assert 0 < found.left <= 1_000 * int(client.cluster.health()["number_of_data_nodes"]) - 20
    assert events.room() > 0
    client.close()
    events.close()


def test_three_nodes_of_default_size_stop_before_a_year_is_full() -> None:
    """Ten datasets with a copy each are twenty shards a day: three nodes' three thousand last for 150 days."""
    days = [DayStats(f"d{name}", NOW - timedelta(days=age), 0, 2) for name in range(10) for age in range(8)]
    found = forecast(days, DEFAULTS, 3_000 - 160, NOW)
    assert (found.daily, found.days) == (20, (3_000 - 160) // 20 + 1)
