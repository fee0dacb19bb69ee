"""The engine against pySigma's SQLite backend: every Windows rule of the public collection, every recorded event.

Not a race but a comparison, event by event; it prints what differs, rule by rule, and ends with an error where
anything does. As the backend stands, a filter over a field that an event lacks silences the rule (SQL's NULL):
those differences are counted apart, and vanish where the referee negates as Sigma does.
"""

import sys
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import polars as pl

from benchmarks import _windows_events
from hinomi.batch import Batch
from rules import engine
from rules.engine import expression, logsource
from tests import shared
from tests.oracle import sqlite_referee
from tests.oracle.provoked import Provoker

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


EXPLAINED = {
    "case": "SQLite folds the case of ASCII only; Sigma's texts are folded as Unicode says",
    "network": "the backend makes prefixes of text of a network, which also fit what is no address",
    "truth": "the backend writes a truth as SQL's, which is 1; an event writes it as a word",
    "values": "our table translates the value (Security 4688 writes an integrity level as its SID)",
}
"""Why engine and referee may differ over an event made to provoke a rule; anything else is a defect."""


@dataclass(slots=True)
class Provoked:
    """Rules made to fire: how many did, pairs compared, differences by reason, and those without one."""

    rules: int = 0
    pairs: int = 0
    fired: set[str] = field(default_factory=set)
    explained: Counter[str] = field(default_factory=Counter)
    unexplained: list[tuple[str, dict[str, str]]] = field(default_factory=list)


def provoked(rules: engine.RuleSet, chosen: Sequence[engine.Rule], size: int = 40) -> Provoked:
    """Each rule over events made out of it and out of its neighbours, by engine and referee."""
    found = Provoked(len(chosen))
    for at in range(0, len(chosen), size):
        _compare(rules, chosen[at : at + size], at, found)
    return found


def _compare(rules: engine.RuleSet, group: Sequence[engine.Rule], seed: int, found: Provoked) -> None:
    tables, ids = logsource.read(), {rule.id for rule in group}
    events = [
        Provoker(route, seed * 1000 + n * 10 + m).event(rules.said(rule))
        for n, rule in enumerate(group)
        for route in tables.routes(rule.logsource)
        if route.dataset == WINDOWS
        for m in range(4)
    ]
    columns = {name: pl.String() for event in events for name in event}
    frame = pl.DataFrame({name: [event.get(name) for event in events] for name in columns}, schema=columns)
    numbered = frame.with_columns(pl.Series("event.id", [f"e{n}" for n in range(len(events))]))
    batch = Batch.of(WINDOWS, numbered, ingested=_windows_events.NOW)
    ours, theirs, _ = compared(rules, group, [batch])
    found.pairs += len(group) * len(events)
    found.fired |= {identity for identity, _, _ in ours}
    for identity, _, row in {one for one in ours ^ theirs if one[0] in ids}:
        reason = _reason(rules, identity, events[row])
        if reason is None:
            found.unexplained.append((identity, events[row]))
        else:
            found.explained[reason] += 1


def _reason(rules: engine.RuleSet, identity: str, event: dict[str, str]) -> str | None:
    rule = rules.rule(identity)
    assert rule is not None
    if not all(value.isascii() for value in event.values()):
        return "case"
    asked = list(expression.tests(rules.said(rule)))
    if any(test.operator == "cidr" for test in asked):
        return "network"
    if any(test.operand in (["true"], ["false"]) for test in asked):
        return "truth"
    routes = rules.tables.routes(rule.logsource)
    return "values" if any(test.field in route.values for route in routes for test in asked) else None


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
    made = provoked(rules, chosen)
    print(f"made to fire {len(made.fired):,} of {made.rules:,}, rule and event compared {made.pairs:,} times")
    for reason, n in made.explained.most_common():
        print(f"  {n:5} {reason}: {EXPLAINED[reason]}")
    print(f"unexplained {len(made.unexplained)}")
    for identity, event in made.unexplained[:20]:
        print(f"  {identity} {event}")
    if ours ^ theirs or made.unexplained:
        sys.exit(1)


if __name__ == "__main__":
    main()
