"""Moving from the embedded store to a real Elasticsearch: cut off, gone on with, counted and compared on both sides."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest
import yaml

from hinomi import ecs
from hinomi.batch import SIGNALS, Batch
from hinomi.errors import StoreError
from hinomi.store import Checkpoint
from hinomi.store.elastic.events import ElasticEvents
from hinomi.store.elastic.records import ElasticRecords
from hinomi.store.embedded import ParquetEvents, SqliteRecords
from ops import shared
from ops.migrating import migrate
from ops.migration import Migration
from ops.roles.start import machine_name
from tests import elastic

pytestmark = list(elastic.ON_ELASTIC)
NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)


def _batch(dataset: str, n: int, first: int = 0) -> Batch:
    rows = range(first, first + n)
    frame = pl.DataFrame(
        {
            "@timestamp": pl.Series([NOW + timedelta(minutes=17 * i, microseconds=i) for i in rows]).cast(
                ecs.TIME
            ),
            "event.id": [f"{dataset}-{i}" for i in rows],
            "event.original": [f"line {i} 火の見" for i in rows],
            "event.category": [["network", "session"] if i % 2 else None for i in rows],
            "source.ip": [f"10.0.{i % 7}.1" for i in rows],
            "destination.port": [i if i % 3 else None for i in rows],
            "vendor.text": [str(i) for i in rows],
        }
    )
    return Batch.of(dataset, frame, ingested=NOW + timedelta(days=3))


@dataclass
class Old:
    """A data folder with an embedded store of some days and kinds."""

    data: Path
    events: ParquetEvents
    records: SqliteRecords

    def close(self) -> None:
        self.events.close()
        self.records.close()


@pytest.fixture
def old(tmp_path: Path) -> Iterator[Old]:
    data = tmp_path / "data"
    data.mkdir()
    made = Old(data, ParquetEvents(data / "events"), SqliteRecords(data / "records.sqlite"))
    for first in (0, 300, 600):
        made.events.append(
            [_batch("linux.auth", 300, first), _batch(SIGNALS, 40, first)],
            checkpoint=Checkpoint("lane-0", f"p{first}"),
        )
    made.events.append([_batch("squid.access", 250)])
    for n in range(30):
        made.records.put("incident", f"i{n}", {"number": n, "title": "火災"})
    made.records.put("incident", "i3", {"number": 3, "title": "鎮火"})
    made.records.append("audit", {"hash": "a"})
    seen = [token for token, _ in made.events.since(SIGNALS, None)][1]
    made.records.put("state", "correlator", {"after": seen, "parts": []})
    yield made
    made.close()


def _new(folder: Path) -> tuple[ElasticEvents, ElasticRecords]:
    namespace = elastic.namespace(folder)
    events = ElasticEvents(elastic.client(), namespace)
    events.prepare(replicas=0)
    return events, ElasticRecords(elastic.client(), namespace)


def test_a_migration_that_was_cut_off_goes_on_and_both_sides_are_the_same(old: Old, tmp_path: Path) -> None:
    """Stopped in the middle of a file it goes on behind the last portion; nothing is twice, nothing is missing."""
    events, records = _new(tmp_path)
    reached: dict[str, int] = {}

    def stop(name: str, done: int, total: int) -> None:
        reached[name] = done
        if sum(reached.values()) > 500:
            raise KeyboardInterrupt

    move = Migration(old.events, old.records, events, records, "m", stop, portion=100)
    with pytest.raises(KeyboardInterrupt):
        move.run()
    move.say = lambda *_: None
    total = sum(held.events for held in old.events.datasets())
    assert total == 900 + 120 + 250
    assert move.run() == total - sum(reached.values())
    found = list(move.compare())
    assert [(one.dataset, one.before, one.after) for one in found] == [
        (SIGNALS, 120, 120),
        ("linux.auth", 900, 900),
        ("squid.access", 250, 250),
    ]
    assert all(one.good for one in found), found
    assert move.compare_records() == {}
    assert move.run() == 0
    moved = records.get("incident", "i3")
    assert moved is not None and (moved.version, moved.body["title"]) == (2, "鎮火")
    assert events.checkpoint("m/lane-0") == "p600"
    state = records.get("state", "correlator")
    assert state is not None
    left = pl.concat([frame for _, frame in events.since(SIGNALS, state.body["after"])])
    assert left["event.id"].to_list() == [f"{SIGNALS}-{n}" for n in range(600, 640)]
    events.close()
    records.close()


def test_what_differs_is_told(old: Old, tmp_path: Path) -> None:
    """An event that is missing in the new store, or one more, is found by the comparison."""
    events, records = _new(tmp_path)
    move = Migration(old.events, old.records, events, records, "m")
    move.run()
    events.append([_batch("squid.access", 1, 9_000)])
    old.events.append([_batch("linux.auth", 1, 9_000)])
    assert {one.dataset: one.good for one in move.compare()} == {
        SIGNALS: True,
        "linux.auth": False,
        "squid.access": False,
    }
    events.close()
    records.close()


def test_the_command_moves_a_stopped_tower_and_refuses_a_store_in_use(
    old: Old, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """`hinomi store migrate` says counts of both sides; it will not mix two histories."""
    old.close()
    for name in (
        "rules/choice.yml",
        "rules/exceptions/a.yml",
        "indicators/indicators.parquet",
        "spool/lane-0/1.seg",
    ):
        (old.data / name).parent.mkdir(parents=True, exist_ok=True)
        (old.data / name).write_bytes(b"disable: []")
    reached = elastic.running().reached(tmp_path)
    store = {**reached, "namespace": elastic.namespace(tmp_path), "replicas": 0}
    config = tmp_path / "hinomi.yaml"
    config.write_text(yaml.safe_dump({"store": {"kind": "elasticsearch", "elasticsearch": store}}))
    migrate(old.data, config)
    said = capsys.readouterr().out
    assert "copied: 1,270 events" in said and "✓ linux.auth" in said and "✗" not in said
    assert "decisions on rules: 2 files" in said and "indicators: 1 files" in said
    assert (
        "spool/ (まだ保存していない行 / lines not stored yet): 1 files, 11 bytes" in said and "--data" in said
    )
    records = ElasticRecords(elastic.client(), elastic.namespace(tmp_path))
    assert shared.Copy.of(shared.rules(tmp_path / "new"), records, tmp_path / "new").renew()
    assert (tmp_path / "new/rules/exceptions/a.yml").read_bytes() == b"disable: []"
    machine = machine_name(old.data)
    assert records.get("checkpoint", f"{machine}/lane-0") is not None
    assert records.get("key", "links") is not None
    records.close()
    (old.data / "machine").write_text("another-0000")
    with pytest.raises(StoreError, match="empty namespace"):
        migrate(old.data, config)
