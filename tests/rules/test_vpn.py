"""Connections by VPN: what the store is asked for is what the rules get, for every product of the table."""

from datetime import UTC, date, datetime
from pathlib import Path
from random import Random

import pytest

from collectors import catalogue
from collectors.framed import frame_of
from collectors.parse import documents
from hinomi import ecs
from hinomi.batch import Batch
from hinomi.clock import FixedClock
from hinomi.store.embedded import ParquetEvents
from ops.demo import fortigate
from ops.demo.clockwork import Day
from ops.folders import packs_folder
from rules import cases, vpn
from rules.engine import logsource

FOLDER = packs_folder() / "telework"
OTHER = {"connected": "refused", "refused": "connected"}
BEFORE = "call-detected"  # YAMAHA's record of a call, before the password is looked at


def batches(name: str) -> list[Batch]:
    """The events of a rule's cases that must hit, from their raw lines on."""
    written = cases.read(FOLDER / f"{name}.test.yml")
    hits = [case for _, case in written if case.body["match"] and "dataset" not in case.body]
    return [batch for case in hits for _, batch in cases.batches(case, "")]


@pytest.mark.parametrize(
    ("service", "rule"), [("connected", "vpn_shared_or_default_account"), ("refused", "vpn_spray")]
)
def test_the_query_finds_what_the_rule_gets(tmp_path: Path, service: str, rule: str) -> None:
    """Each product of the table has a case from the raw line on that the rule hits; the query finds all of those
    records, and neither the call before YAMAHA's connection nor anything of the other kind."""
    held = batches(rule)
    routes = logsource.read().routes({"product": "vpn", "service": service})
    assert {route.dataset for route in routes} == {one.dataset for one in held}
    actions = [action for one in held for action in _actions(one)]
    latest = max(moment for one in held for moment in one.frame["@timestamp"].to_list())
    store = ParquetEvents(tmp_path, clock=FixedClock(latest))
    store.append(held)
    assert store.count(vpn.asked(service)) == len(actions) - actions.count(BEFORE)
    assert store.count(vpn.asked(OTHER[service])) == 0
    store.close()


def test_one_session_counts_once(tmp_path: Path) -> None:
    """Of the three records that FortiClient leaves of one session (the demo's) one is the connection."""
    day = Day(date(2026, 11, 20))
    lines = [
        line for _, line in fortigate.vpn_opened(day, 0, Random(1), "t.yamada", "203.0.113.9", "10.50.3.17")
    ]
    found = documents(catalogue.find("fortinet.fortigate"), [line.decode() for line in lines])
    assert len(found) == 3
    clock = FixedClock(datetime(2026, 11, 21, tzinfo=UTC))
    rows = [{"event.id": f"s-{n}", **dict(ecs.flatten(one))} for n, one in enumerate(found)]
    frame = frame_of(rows)
    store = ParquetEvents(tmp_path, clock=clock)
    store.append([Batch.of("fortinet.fortigate", frame, ingested=clock.now())])
    assert store.count(vpn.asked("connected")) == 1
    store.close()


def _actions(batch: Batch) -> list[str | None]:
    frame = batch.frame
    return frame["event.action"].to_list() if "event.action" in frame.columns else [None] * frame.height
