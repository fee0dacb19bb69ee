"""What rules would have raised over stored days, on each implementation of the store."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from hinomi import ecs
from hinomi.batch import Batch
from hinomi.errors import ContentError, ManyErrors
from hinomi.store import Events, Span
from ops.folders import packs_folder
from rules import backtest
from rules.backtest import Backtest
from rules.in_force import InForce
from rules.picked import pick
from tests.contract.stores import EVENTS, each
from tests.rules.engine import rulebook

TELEWORK = packs_folder() / "telework"
SPRAY = TELEWORK / "vpn_spray.yml"
MIDNIGHT = datetime(2026, 11, 19, 15, tzinfo=UTC)  # of Japan
SPAN = Span(MIDNIGHT - timedelta(days=1), MIDNIGHT + timedelta(days=1))
LATE = timedelta(hours=2)


@pytest.fixture(params=each())
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Events]:
    """Refused sign-ins of eight people from one address around midnight, appended in the wrong order, and other lines."""
    events = EVENTS[request.param](tmp_path / "store")
    failed = [_event(n, MIDNIGHT + timedelta(minutes=4 * (n - 4)), "ssl-login-fail") for n in range(8)]
    other = [_event(n, MIDNIGHT + timedelta(minutes=n), "accept") for n in range(100, 150)]
    outside = [_event(n, MIDNIGHT - timedelta(days=3, minutes=n), "ssl-login-fail") for n in range(200, 220)]
    for part in (failed[4:], other, failed[:4], outside):
        events.append([_batch(part)])
    yield events
    events.close()


def _event(number: int, at: datetime, action: str) -> dict[str, Any]:
    return {
        "event.id": f"e{number}",
        "@timestamp": at,
        "event.action": action,
        "user.name": f"user{number}",
        "source.ip": "203.0.113.9",
        "event.original": f"line {number}",
    }


def _batch(rows: list[dict[str, Any]]) -> Batch:
    frame = pl.DataFrame(rows).with_columns(pl.col("@timestamp").cast(ecs.TIME))
    return Batch.of("fortinet.fortigate", frame, ingested=MIDNIGHT)


def tried(store: Events, *asked: str, **more: Any) -> Backtest:
    """A backtest over the two days."""
    return backtest.run(pick(InForce([TELEWORK]), asked), store, SPAN, lateness=LATE, **more)


def test_a_correlation_across_midnight(store: Events) -> None:
    """One alert, of the day on which it began; events, signals and entities are counted by day; samples are its events."""
    found = tried(store, str(SPRAY))
    assert {day: (n.events, n.signals, n.alerts, n.cut) for day, n in found.days.items()} == {
        "2026-11-19": (4, 4, 1, False),
        "2026-11-20": (54, 4, 0, False),
    }
    [alert] = found.alerts.values()
    assert (alert.rule_name, alert.event_count, alert.level) == ("vpn_spray", 8, "high")
    assert found.entities[("source.ip", "203.0.113.9")] == 1
    assert set(found.samples) <= {f"e{n}" for n in range(8)} and found.samples
    assert found.seconds > 0 and found.events == 58


def test_by_name_with_what_it_watches(store: Events) -> None:
    """The same by name; a base that raises nothing by itself says whom its signals are about."""
    assert len(tried(store, "vpn_spray").alerts) == 1
    base = tried(store, "vpn_login_failed")
    assert base.alerts == {} and sum(base.signals.values()) == 8
    assert base.entities[("source.ip", "203.0.113.9")] == 8


def test_a_flood_is_cut_and_said(store: Events) -> None:
    """Beyond the bound matches are still counted, and the day says that not all of them were correlated."""
    found = tried(store, str(SPRAY), most=3)
    assert sum(found.signals.values()) == 8
    assert any(day.cut for day in found.days.values())


def test_a_draft_beside_what_is_in_force(tmp_path: Path) -> None:
    """A correlation of one's own over a rule in force finds it; what is nowhere, or cannot be read, is said in words."""
    own = {
        "title": "Own",
        "id": "21111111-2222-4333-8444-555555555555",
        "correlation": {
            "type": "event_count",
            "rules": ["vpn_login_failed"],
            "group-by": ["source.ip"],
            "timespan": "5m",
            "condition": {"gte": 3},
        },
    }
    rulebook.rules(tmp_path / "a", own)
    picked = pick(InForce([TELEWORK]), [str(tmp_path / "a")])
    assert picked.ids == (own["id"],)
    assert [rule.name for rule in picked.rules.rules if rule.name == "vpn_login_failed"]
    with pytest.raises(ContentError, match="no-such-rule"):
        pick(InForce([TELEWORK]), ["no-such-rule"])
    (tmp_path / "b.yml").write_text("title: x\ndetection: {a: {f: x}}\n", encoding="utf-8")
    with pytest.raises((ManyErrors, ContentError)):
        pick(InForce([TELEWORK]), [str(tmp_path / "b.yml")])
