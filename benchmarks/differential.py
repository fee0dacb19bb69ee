"""The engine against pySigma's SQLite backend: every Windows rule of the public collection, every recorded event.

Not a race but a comparison, event by event; it prints what differs, rule by rule, and ends with an error where
anything does. As the backend stands, a filter over a field that an event lacks silences the rule (SQL's NULL):
those differences are counted apart, and vanish where the referee negates as Sigma does.
"""

import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from benchmarks import _windows_events
from hinomi.batch import Batch
from rules import engine
from rules.engine import logsource
from tests import shared
from tests.oracle import sqlite_referee

WINDOWS = "windows.eventlog"
Hits = set[tuple[str, int, int]]


class AsItStands(sqlite_referee.Referee):
    """The backend with its own, three-valued negation."""

    two_valued = False


def compared(
    rules: engine.RuleSet,
    chosen: Sequence[engine.Rule],
    batches: Sequence[Batch],
    referee: type[sqlite_referee.Referee] = sqlite_referee.Referee,
) -> tuple[Hits, Hits, dict[str, str]]:
    """What the engine and the referee find of these rules, and the rules that the referee cannot convert."""
    paths = list(dict.fromkeys(rule.path for rule in chosen))
    asked = sqlite_referee.ask(paths, logsource.read(), WINDOWS, referee)
    comparable = {question.rule for question in asked.questions} - asked.refused.keys()
    ours = {
        (rule.id, number, int(row))
        for number, batch in enumerate(batches)
        for rule, rows in rules.match(batch).hits
        if rule.id in comparable
        for row in rows
    }
    return ours, sqlite_referee.found(asked, batches), asked.refused


def windows(rules: engine.RuleSet) -> list[engine.Rule]:
    """The rules that Windows event logs can feed and that can run."""
    return [rule for rule in rules.rules if WINDOWS in rule.feeds and rule.unsupported is None]


def main() -> None:
    """Print the comparison; exit 1 on any difference."""
    rules = engine.load([shared.corpus("sigma")], cache=Path(".cache/differential"))
    batches = _windows_events.batches(shared.corpus("evtx"))
    chosen = windows(rules)
    ours, theirs, refused = compared(rules, chosen, batches)
    _, as_it_stands, _ = compared(rules, chosen, batches, AsItStands)
    print(f"rules {len(chosen):,}  events {sum(map(len, batches)):,}  not convertible {len(refused)}")
    print(f"found by the engine {len(ours):,}, by the referee {len(theirs):,}")
    print(f"lost to SQL's NULL by the backend as it stands {len(theirs - as_it_stands):,}")
    print(f"differences {len(ours ^ theirs)}")
    for identity, n in Counter(identity for identity, _, _ in ours ^ theirs).most_common():
        print(f"  {n:5} {identity}")
    if ours ^ theirs:
        sys.exit(1)
