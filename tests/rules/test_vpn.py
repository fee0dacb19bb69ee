"""Connections by VPN: what the store is asked for is what the rules get, for every product of the table."""

from pathlib import Path

import pytest

from hinomi.batch import Batch
from hinomi.clock import FixedClock
from hinomi.store.embedded import ParquetEvents
from ops.settings import packs_folder
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


def _actions(batch: Batch) -> list[str | None]:
    frame = batch.frame
    return frame["event.action"].to_list() if "event.action" in frame.columns else [None] * frame.height
