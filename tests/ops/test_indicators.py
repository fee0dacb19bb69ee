"""Indicators at work: in the pipeline, by the command, and looked for in what was stored before they came."""

import json
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest
import yaml

from collectors.enrich import Enricher, EnrichSettings
from collectors.indicators import Held, Indicator, Kind, Matcher
from collectors.indicators.fetch import Fetched
from collectors.indicators.reading import Taken, Terms, read
from collectors.indicators.settings import Feed, IndicatorSettings
from collectors.privacy import Privacy, PrivacySettings
from collectors.sources import paloalto_panos
from hinomi.clock import FixedClock, SystemClock
from hinomi.errors import StoreError
from hinomi.ledger import Ledger
from hinomi.store.embedded import ParquetEvents, SqliteRecords
from ops.folders import packs_folder
from ops.formats import Formats
from ops.indicators import Indicators, LiveIndicators
from ops.pipeline import Pipeline
from rules import engine

LINE = b"%d.277   3387 10.30.8.%d TCP_TUNNEL/200 19131 CONNECT %s:443 t.yamada HIER_DIRECT/198.51.100.7 -"


def lines(clock: SystemClock, names: list[str]) -> pl.DataFrame:
    """Spooled proxy lines, one a name."""
    now = clock.now()
    stamp = int(now.timestamp()) - 3600
    return pl.DataFrame(
        {
            "origin": ["proxy"] * len(names),
            "peer": ["10.30.1.9"] * len(names),
            "client_id": [""] * len(names),
            "received": [now] * len(names),
            "payload": [LINE % (stamp, 20 + i, name.encode()) for i, name in enumerate(names)],
            "event.id": [f"e{i}" for i in range(len(names))],
        }
    ).with_columns(pl.col("received").cast(pl.Datetime("ns", "UTC")))


@pytest.fixture(scope="module")
def rules() -> engine.RuleSet:
    return engine.load([packs_folder() / "lan" / "indicator_hit.yml"])


def pipeline(
    place: Path,
    rules: engine.RuleSet,
    indicators: Matcher | LiveIndicators | None,
    source: str = "squid.access",
) -> Pipeline:
    clock, ledger = SystemClock(), Ledger()
    records = SqliteRecords(place / "records.sqlite")
    return Pipeline(
        events=ParquetEvents(place / "events", clock=clock),
        formats=Formats(records, clock, {"proxy": source}),
        enricher=Enricher.of(EnrichSettings()),
        privacy=Privacy(PrivacySettings(), ledger),
        rules=lambda: rules,
        ledger=ledger,
        clock=clock,
        indicators=indicators,
    )


def warned(clock: SystemClock, name: str = "bad.example.net", confidence: int = 90) -> Indicator:
    return Indicator(
        Kind.DOMAIN, name, "JPCERT/CC", confidence, clock.now(), clock.now() + timedelta(days=9), "C2"
    )


def test_a_hit_is_in_the_event_and_a_signal(tmp_path: Path, rules: engine.RuleSet) -> None:
    """A line that meets an indicator is stored with who warns of what, and leaves a signal; the others stay as they are."""
    clock = SystemClock()
    held = Held(tmp_path / "indicators")
    held.take([warned(clock)])
    one = pipeline(tmp_path, rules, LiveIndicators(held, clock))
    one.process(lines(clock, ["www.example.jp", "c2.bad.example.net"]))
    [hit] = one.events.search("threat.indicator.name: *").rows
    assert (hit["threat.indicator.name"], hit["threat.indicator.provider"]) == (
        "bad.example.net",
        "JPCERT/CC",
    )
    assert [row["rule.name"] for row in one.events.search(datasets=["hinomi.signal"]).rows] == [
        "Something that is warned of was met"
    ]
    assert one.events.count(datasets=["squid.access"]) == 2


def test_a_firewall_that_names_threats_itself_is_looked_at(tmp_path: Path, rules: engine.RuleSet) -> None:
    """PAN-OS writes its own names of threats. A session of it with what is warned of is a hit, live and afterwards; a threat
    of its own that meets no indicator is none."""
    clock = SystemClock()
    held = Held(tmp_path / "indicators")
    cases = yaml.safe_load(
        (Path(paloalto_panos.__file__).with_suffix(".test.yml")).read_text(encoding="utf-8")
    )
    written = [
        one["raw"] for one in cases if ",TRAFFIC,end," in one["raw"] or ",THREAT,wildfire," in one["raw"]
    ]
    spooled = lines(clock, ["", ""]).with_columns(
        pl.Series("payload", [line.encode() for line in written]),
    )
    one = pipeline(tmp_path, rules, LiveIndicators(held, clock), "paloalto.panos")
    one.process(spooled)
    assert one.events.count(datasets=["hinomi.signal"]) == 0
    tower = Indicators(held, one.events, SqliteRecords(tmp_path / "r.sqlite"), clock, rules)
    address = Indicator(
        Kind.ADDRESS, "203.0.113.9", "JPCERT/CC", 90, clock.now(), clock.now() + timedelta(days=9), "C2"
    )
    assert tower.take(Taken([address])) == (1, 2)
    live = pipeline(tmp_path / "live", rules, LiveIndicators(held, clock), "paloalto.panos")
    live.process(spooled)
    assert live.events.count(datasets=["hinomi.signal"]) == 2


def test_a_new_indicator_is_looked_for_in_what_is_stored(tmp_path: Path, rules: engine.RuleSet) -> None:
    """An hour-old event becomes a signal when the indicator comes; importing it again makes no second one; an event
    older than asked for does not count."""
    clock = SystemClock()
    one = pipeline(tmp_path, rules, None)
    one.process(lines(clock, ["www.example.jp", "c2.bad.example.net", "other.example.net"]))
    assert one.events.count(datasets=["hinomi.signal"]) == 0
    tower = Indicators(Held(tmp_path / "i"), one.events, SqliteRecords(tmp_path / "r.sqlite"), clock, rules)
    assert tower.take(Taken([warned(clock)])) == (1, 1)
    assert tower.take(Taken([warned(clock)])) == (0, 0) and tower.look_back(tower.held.frame()) == 0
    [signal] = one.events.search(datasets=["hinomi.signal"]).rows
    assert json.loads(signal["hinomi.signal.fields"])["threat.indicator.name"] == "bad.example.net"
    later = FixedClock(clock.now() + timedelta(days=40))
    old = Indicators(Held(tmp_path / "j"), one.events, SqliteRecords(tmp_path / "r2.sqlite"), later, rules)
    assert old.take(Taken([warned(clock, "other.example.net")])) == (1, 0)


def test_looking_back_that_fails_is_made_up_for(
    tmp_path: Path, rules: engine.RuleSet, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The store is away when an indicator comes: it is in force at once, and looked for with the next turn, also by another
    process after a restart; told once."""
    clock = SystemClock()
    one = pipeline(tmp_path, rules, None)
    one.process(lines(clock, ["c2.bad.example.net"]))
    records = SqliteRecords(tmp_path / "r.sqlite")
    tower = Indicators(Held(tmp_path / "i"), one.events, records, clock, rules)
    with monkeypatch.context() as away:
        away.setattr(ParquetEvents, "get", lambda *_, **__: (_ for _ in ()).throw(StoreError("停止", "away")))
        with pytest.raises(StoreError):
            tower.take(Taken([warned(clock)]))
    assert tower.held.frame().height == 1 and one.events.count(datasets=["hinomi.signal"]) == 0
    again = Indicators(Held(tmp_path / "i"), one.events, records, clock, rules)
    assert again.pull(IndicatorSettings()) == {} and one.events.count(datasets=["hinomi.signal"]) == 1
    assert again.catch_up() == 0 and again.take(Taken([warned(clock)])) == (0, 0)


def stix(name: str, **more: object) -> bytes:
    """A bundle of one indicator."""
    one = {
        "type": "indicator",
        "id": "indicator--8e2e2d2b-17d4-4cbf-938f-98ee46b3cd3f",
        "modified": "2026-11-19T00:00:00.000Z",
        "pattern": f"[domain-name:value = '{name}']",
        "pattern_type": "stix",
        "valid_from": "2026-11-19T00:00:00Z",
        **more,
    }
    return json.dumps({"type": "bundle", "objects": [one]}).encode()


def test_a_newer_version_says_what_holds(tmp_path: Path) -> None:
    """STIX: a version with another value, an end that is over, or `revoked` takes the older one's values out, of that list
    alone; an older version that comes again says nothing."""
    now = datetime(2026, 11, 20, tzinfo=UTC)
    held = Held(tmp_path)

    def came(name: str, feed: str = "jpcert", **more: object) -> list[str]:
        taken = read(stix(name, **more), Terms(feed, now=now))
        held.take(taken.taken, feed, taken.stated)
        return sorted(held.frame()["value"].to_list())

    first, second = "2026-11-19T01:00:00.000Z", "2026-11-19T02:00:00.000Z"
    assert came("a.example.net") == ["a.example.net"]
    assert came("a.example.net", "other") == ["a.example.net", "a.example.net"]
    assert came("b.example.net", modified=first) == ["a.example.net", "b.example.net"]
    assert came("a.example.net") == ["a.example.net", "b.example.net"]
    assert came("b.example.net", modified=second, revoked=True) == ["a.example.net"]
    assert came("b.example.net", modified=first) == ["a.example.net"]
    assert came("c.example.net", "other", modified=first, valid_until="2026-11-19T23:00:00Z") == []
    assert came("c.example.net", "other", modified=second, valid_until="2026-11-21T00:00:00Z") == [
        "c.example.net"
    ]
    assert held.pending()["value"].to_list() == ["c.example.net"]


def test_feeds_are_asked_when_they_are_due(tmp_path: Path, rules: engine.RuleSet) -> None:
    """A feed that cannot be reached is noted with its reason and asked again after its hours, not before."""
    clock = FixedClock(SystemClock().now())
    feeds = IndicatorSettings.model_validate(
        {"feeds": {"x": {"kind": "document", "url": "http://127.0.0.1:1/list"}}}
    )
    events, records = ParquetEvents(tmp_path / "events"), SqliteRecords(tmp_path / "r.sqlite")
    tower = Indicators(Held(tmp_path / "i"), events, records, clock, rules)
    assert tower.pull(feeds) == {"x": 0} and tower.pull(feeds) == {}
    noted = records.get("indicator_feed", "x")
    assert noted is not None and "http://127.0.0.1:1/list" in noted.body["error"]
    clock.time += timedelta(hours=7)
    assert tower.pull(feeds) == {"x": 0}


def test_whatever_a_list_raises_the_others_go_on(
    tmp_path: Path, rules: engine.RuleSet, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What nobody foresaw is noted at its own list (it had stopped every list for good)."""
    clock = FixedClock(SystemClock().now())

    def fetched(feed: Feed, terms: Terms, *_: object, **__: object) -> Fetched:
        if feed.url.endswith("/bad"):
            raise OverflowError("date value out of range")
        return Fetched(read(b"bad.example.net\n", terms))

    monkeypatch.setattr("ops.indicators.fetch", fetched)
    feeds = IndicatorSettings.model_validate(
        {
            "feeds": {
                name: {"kind": "document", "url": f"http://127.0.0.1:1/{name}"} for name in ("bad", "good")
            }
        }
    )
    events, records = ParquetEvents(tmp_path / "events"), SqliteRecords(tmp_path / "r.sqlite")
    tower = Indicators(Held(tmp_path / "i"), events, records, clock, rules)
    assert tower.pull(feeds) == {"bad": 0, "good": 1}
    noted = records.get("indicator_feed", "bad")
    assert noted is not None and "OverflowError" in noted.body["error"]


def test_the_command(tmp_path: Path) -> None:
    """Import, list and expire, each in words, with the audit log written."""
    data = tmp_path / "data"
    SqliteRecords(data / "records.sqlite").close()
    listed = tmp_path / "list.csv"
    listed.write_text("value,confidence\nbad.example.net,90\n10.0.0.1,90\n", encoding="utf-8")

    def run(*arguments: str) -> str:
        command = [str(Path(sys.executable).parent / "hinomi"), "indicators", *arguments, "--data", str(data)]
        done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    said = run("import", str(listed), "--source", "JPCERT/CC")
    assert "1 件" in said and "own_network 1" in said
    assert "bad.example.net" in run("list") and json.loads(run("list", "--jsonl"))["confidence"] == 90
    assert "1 件" in run("expire", "--source", "JPCERT/CC") and "0 件" in run("list")
