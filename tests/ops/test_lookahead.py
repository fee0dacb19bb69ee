"""Newest alerts first in line: behind a backlog the newest attack is found before the backlog is stored, and once."""

import asyncio
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from collectors.enrich import Enricher, EnrichSettings
from collectors.privacy import Privacy, PrivacySettings
from collectors.spool import Entries, Reader, Spool
from hinomi.batch import SIGNALS
from hinomi.clock import JST, FixedClock
from hinomi.ledger import Ledger
from hinomi.store import Checkpoint
from hinomi.store.elastic.events import ElasticEvents
from hinomi.store.elastic.records import ElasticRecords
from ops.arrivals import Arrivals
from ops.detection import Detection
from ops.formats import Formats
from ops.lookahead import Lookahead
from ops.pipeline import Pipeline
from ops.watch import LiveRules
from rules.in_force import InForce
from rules.stats import Tally
from tests import elastic
from tests.e2e.split import RULES

NOW = datetime(2026, 11, 20, 3, tzinfo=UTC)
BLOCKS, ROWS, ATTACKS = 40, 120, ("198.51.100.7", "203.0.113.9")


def _lines(what: str, minutes_ago: float, n: int, address: str) -> list[bytes]:
    at = (NOW - timedelta(minutes=minutes_ago)).astimezone(JST)
    head = f"<38>{at:%b %d %H:%M:%S} web01 sshd"
    return [f"{head}[{i}]: {what} password for u{i} from {address} port 4000 ssh2".encode() for i in range(n)]


async def _spooled(folder: Path) -> None:
    """Forty blocks of an outage, three hours of it, with an attack in the oldest and one in the newest."""
    spool = Spool(folder, max_bytes=256 << 20)
    for number in range(BLOCKS):
        ago = 180.0 * (1 - number / BLOCKS)
        lines = _lines("Accepted", ago, ROWS, "10.1.2.3")
        if number in {0, BLOCKS - 1}:
            lines += _lines("Failed", ago, 20, ATTACKS[number > 0])
        await spool.append(Entries("web", "192.0.2.1", int(NOW.timestamp()) * 10**9, lines))
    await spool.close()


@pytest.fixture
def pipeline(tmp_path: Path) -> Iterator[Pipeline]:
    """A worker's pipeline on a cluster."""
    (tmp_path / "rules").mkdir()
    (tmp_path / "rules" / "many.yml").write_text(RULES, encoding="utf-8")
    clock, ledger, client = FixedClock(NOW), Ledger(), elastic.client()
    events = ElasticEvents(client, elastic.namespace(tmp_path), clock=clock, refresh=True)
    records = ElasticRecords(client, elastic.namespace(tmp_path), clock=clock)
    events.prepare(replicas=0)
    yield Pipeline(
        events=events,
        formats=Formats(records, clock, {"web": "linux.auth"}),
        enricher=Enricher.of(EnrichSettings()),
        privacy=Privacy(PrivacySettings(), ledger),
        rules=LiveRules(InForce([tmp_path / "rules"]), tmp_path / "cache"),
        ledger=ledger,
        clock=clock,
        tally=Tally(records, "worker 0", clock),
        arrivals=Arrivals(records, "worker 0", clock, ledger),
    )
    events.close()


@pytest.mark.elastic
@pytest.mark.xdist_group("elasticsearch")
def test_the_newest_attack_is_told_before_the_backlog(pipeline: Pipeline, tmp_path: Path) -> None:
    """The first look finds the newest attack while no event is stored; then each line has its turn: every event and
    every signal is there once, both attacks are one alert each, and nothing was counted twice."""
    asyncio.run(_spooled(tmp_path / "spool"))
    reader = Reader(tmp_path / "spool" / "lane-0")
    assert isinstance(pipeline.events, ElasticEvents)
    records = ElasticRecords(elastic.client(), elastic.namespace(tmp_path))
    alerts: dict[str, str] = {}
    told: list[str] = []

    def give(found: object) -> None:
        for alert in found:  # type: ignore[attr-defined]
            told.extend(alert.entities["source.ip"] if alert.id not in alerts else [])
            alerts[alert.id] = alert.entities["source.ip"][0]

    detection = Detection(pipeline.events, records, pipeline.rules, pipeline.clock, timedelta(hours=2))  # type: ignore[arg-type]
    ahead = Lookahead.of(reader, pipeline, pipeline.events)
    ahead.much = reader.backlog(None) // 10
    assert ahead.look(None)
    detection.turn(give)
    assert told == [ATTACKS[1]] and pipeline.events.count(datasets=["linux.auth"]) == 0
    assert 0 < ahead.rows < BLOCKS * ROWS // 4
    after = None
    while (block := reader.read(after, max_rows=600)) is not None:
        pipeline.process(block.frame, Checkpoint("lane-0", block.after))
        after = block.after
        detection.turn(give)
        ahead.look(after)
    assert told == [ATTACKS[1], ATTACKS[0]]
    assert sorted(alerts.values()) == sorted(ATTACKS)
    total = BLOCKS * ROWS + 2 * 20
    assert pipeline.events.count(datasets=["linux.auth"]) == total
    assert pipeline.events.count(datasets=[SIGNALS]) == 2 * 20
    counts = pipeline.ledger.take()
    assert sum(n for line, n in counts.items() if line.what == "received") == total
    assert pipeline.tally is not None and pipeline.tally.events == total
    assert pipeline.arrivals is not None
    heard = pipeline.arrivals.tally.slots.values()
    assert sum(origin.n for origins in heard for origin in origins.values()) == total


@pytest.mark.elastic
@pytest.mark.xdist_group("elasticsearch")
def test_it_takes_a_quarter_of_the_time_at_most(pipeline: Pipeline, tmp_path: Path) -> None:
    """A small backlog is no reason to look ahead; after a look that took two seconds the next comes six later."""
    asyncio.run(_spooled(tmp_path / "spool"))
    ahead = Lookahead.of(Reader(tmp_path / "spool" / "lane-0"), pipeline, pipeline.events)
    assert not ahead.look(None)
    ahead.much = 20_000
    moments = iter([0.0, 0.0, 2.0, 2.0, 7.9, 8.1, 8.1, 8.1, 8.1])
    ahead.now = lambda: next(moments)
    assert ahead.look(None)
    rows = ahead.rows
    assert not ahead.look(None) and ahead.rows == rows
    ahead.look(None)


def test_the_newest_place_is_a_block(tmp_path: Path) -> None:
    """From the newest place on, whole blocks are read up to the end, about as many bytes as asked for."""
    asyncio.run(_spooled(tmp_path / "spool"))
    reader = Reader(tmp_path / "spool" / "lane-0")
    whole = reader.backlog(None)
    for part in (1, 2, 10, 1_000):
        place = reader.newest(whole // part)
        block = reader.read(place, max_rows=10**9)
        assert block is not None and block.frame["payload"].to_list()[-1].endswith(b"port 4000 ssh2")
        assert whole // part * 0.9 - 8_192 <= reader.backlog(place) <= whole // part * 1.1 + 8_192
    assert Reader(tmp_path / "nowhere").newest(10) is None
