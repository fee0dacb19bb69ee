"""The public collection and its own events: everything loads, everything that must be found is found."""

import json
from collections import defaultdict
from pathlib import Path
from typing import Any

import pytest
import yaml

from benchmarks import _windows_events
from hinomi.batch import Batch
from rules.engine import RuleSet, load, logsource
from rules.engine.routes import Route
from tests import shared
from tests.oracle import sigma_oracle

pytestmark = pytest.mark.corpus
WINDOWS = "windows.eventlog"


def test_every_public_rule_loads(public: RuleSet) -> None:
    """3,780 of 3,780; only rules with unfilled placeholders cannot run, and each says so."""
    assert public.problems == []
    assert len(public.rules) == 3780
    assert all("placeholder" in rule.unsupported.en for rule in public.unsupported if rule.unsupported)
    assert len(public.unsupported) < 30
    assert sum("windows.eventlog" in rule.feeds for rule in public.rules) > 2800


def test_regression_events(public: RuleSet) -> None:
    """Each of SigmaHQ's 100 regression cases: every named rule is found in its file."""
    folder = shared.corpus("sigma-regression")
    found: dict[str, set[str]] = defaultdict(set)
    for batch in _windows_events.batches(folder):
        for rule, rows in public.match(batch).hits:
            for name in batch.frame.get_column("log.file.path").gather(rows).unique():
                found[name].add(rule.id)
    cases = json.loads((folder / "cases.json").read_text(encoding="utf-8"))
    missed = [case["file"] for case in cases if not set(case["rule_ids"]) <= found[case["file"]]]
    assert len(cases) >= 100 and not missed, missed


def test_one_event_at_a_time_is_the_same(public: RuleSet) -> None:
    """A batch of many and batches of one give the same signals, and signals name each event once a rule."""
    folder = shared.corpus("evtx", "Credential_Access")
    for batch in _windows_events.batches(folder)[:12]:
        whole = {(rule.id, int(row)) for rule, rows in public.match(batch).hits for row in rows}
        single = {
            (rule.id, row)
            for row in range(min(len(batch), 20))
            for rule, _ in public.match(type(batch)(batch.dataset, batch.frame[row : row + 1])).hits
        }
        assert single == {(identity, row) for identity, row in whole if row < 20}
        signals = public.signals(batch, public.match(batch))
        assert signals.get_column("event.id").n_unique() == signals.height == len(whole)


def test_warm_start_is_the_same(public: RuleSet, tmp_path: Path) -> None:
    """From the cache the rules are the same and match the same."""
    rules = [shared.corpus("sigma", "rules", "windows", "builtin")]
    cold, warm = load(rules, cache=tmp_path), load(rules, cache=tmp_path)
    assert warm.rules == cold.rules
    assert warm.compiled == cold.compiled


def test_windows_rules_against_the_oracle(public: RuleSet) -> None:
    """Every Windows rule on a sample of the recorded events, pair by pair as the slow evaluator says."""
    tables = logsource.read()
    rules = [r for r in public.rules if WINDOWS in r.feeds and r.unsupported is None]
    written = {
        rule.id: yaml.load(rule.path.read_text(encoding="utf-8"), yaml.CSafeLoader) for rule in rules[::3]
    }
    pairs = 0
    for batch in _windows_events.batches(shared.corpus("evtx")):
        sample = Batch(batch.dataset, batch.frame.gather_every(max(1, len(batch) // 4)))
        engine = {(rule.id, int(row)) for rule, rows in public.match(sample).hits for row in rows}
        events = sample.frame.to_dicts()
        for rule in rules[::3]:
            for route in tables.routes(rule.logsource):
                if route.dataset == WINDOWS:
                    pairs += len(events)
                    _same(written[rule.id], rule.id, route, events, engine)
    assert pairs > 200_000


def _same(
    written: dict[str, Any],
    identity: str,
    route: Route,
    events: list[dict[str, Any]],
    engine: set[tuple[str, int]],
) -> None:
    for row, event in enumerate(events):
        if all((event.get(column) or "").lower() in values for column, values in route.where):
            seen = sigma_oracle.holds(written, sigma_oracle.Renamed(event, route.column))
            assert ((identity, row) in engine) or not seen, (identity, event)
            assert seen or (identity, row) not in engine, (identity, event)
