"""Public Windows rules on events made out of them as Windows writes them: parser, tables and engine stand between the two."""

import os
from collections import defaultdict
from datetime import UTC, datetime

import polars as pl
import pytest
import yaml

from collectors.source import ROW
from collectors.sources.windows_eventlog import source
from hinomi.batch import Batch
from hinomi.identity import position_ids
from rules.engine import Rule, RuleSet
from tests import shared
from tests.collectors import content
from tests.oracle import written_windows
from tests.oracle.written_windows import Place

pytestmark = pytest.mark.corpus
NOW = datetime(2026, 11, 23, tzinfo=UTC)
EVERY = int(os.environ.get("HINOMI_FIRES_EVERY", "25"))
"""Of each log source one rule in so many, and the first; 1 for all."""
Made = tuple[str, bool, str]


def _chosen(public: RuleSet, places: dict[tuple[str, str], Place]) -> list[tuple[Rule, Place]]:
    groups: dict[tuple[str, str], list[Rule]] = defaultdict(list)
    for rule in public.rules:
        where = rule.logsource.get("category", ""), rule.logsource.get("service", "")
        if rule.logsource.get("product") == "windows" and rule.unsupported is None and where in places:
            groups[where].append(rule)
    return [(rule, places[where]) for where, rules in groups.items() for rule in rules[::EVERY]]


def _made(public: RuleSet) -> list[Made]:
    """Of each rule up to two events that it must find, and two that it must not: (rule id, whether, the line)."""
    made: list[Made] = []
    places = written_windows.places(shared.corpus("sigma-spec") / "sigma-appendix-taxonomy.md")
    for rule, place in _chosen(public, places):
        written = yaml.load(rule.path.read_text(encoding="utf-8"), yaml.CSafeLoader)
        for hits in (True, False):
            found = written_windows.events(public.said(rule), written, place, rule.index, hits=hits)
            pair = [event for event, _ in zip(found, range(2), strict=False)]
            made += [(rule.id, hits, written_windows.line(event, place)) for event in pair]
    return made


def test_rules_fire_on_what_windows_writes_and_on_nothing_else(public: RuleSet) -> None:
    """Every log source of Windows; where one value is another, the rule is silent."""
    made = _made(public)
    intake = content.intake(*(line for *_, line in made))
    found: set[tuple[str, int]] = set()
    for frame in source.parse(intake.with_row_index(ROW)).frames:
        rows = frame[ROW]
        whole = frame.drop(ROW).with_columns(
            position_ids("file", rows), pl.Series("event.original", [made[row][2] for row in rows])
        )
        for rule, hits in public.match(Batch.of(source.name, whole, ingested=NOW)).hits:
            found |= {(rule.id, int(row)) for row in rows.gather(hits)}
    wrong = [one for row, one in enumerate(made) if ((one[0], row) in found) != one[1]]
    assert sum(hits for _, hits, _ in made) > 200
    assert wrong == []
