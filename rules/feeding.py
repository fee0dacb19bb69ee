"""Which of our sources can feed a rule, and which of its fields they never fill.

A field that no source fills matches nothing and says nothing: this module says it instead. Vendor leftovers are taken
as filled, because sources keep what a line says under the vendor's name; what ECS calls by another name is looked up in
what the source is known to fill (`rules.filled`).
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from hinomi.words import Words
from rules.engine import Rule, RuleSet, expression
from rules.engine.logsource import ANY_DATASET, Tables
from rules.engine.routes import Route
from rules.filled import Filled


@dataclass(frozen=True, slots=True)
class Fed:
    """One rule: datasets that can feed it; by dataset the fields that it never fills; why the rule cannot run."""

    rule: Rule
    unmapped: Mapping[str, tuple[str, ...]]
    reason: Words | None

    def as_json(self) -> dict[str, Any]:
        """For `hinomi rules check --json`."""
        return {
            "id": self.rule.id,
            "title": self.rule.title,
            "file": str(self.rule.path),
            "feeds": list(self.rule.feeds),
            "unmapped": {dataset: list(fields) for dataset, fields in self.unmapped.items()},
            "reason": f"{self.reason.ja} ({self.reason.en})" if self.reason else None,
        }

    def line(self) -> str:
        """One line for people."""
        if self.reason is not None:
            return f"× {self.rule.title}: {self.reason.ja} ({self.reason.en})"
        without = "; ".join(f"{dataset} {', '.join(fields)}" for dataset, fields in self.unmapped.items())
        note = f"  [ない欄 / fields never filled: {without}]" if without else ""
        return f"  {self.rule.title} ← {', '.join(self.rule.feeds)}{note}"


def feeding(rules: RuleSet) -> Iterator[Fed]:
    """Each rule of a set."""
    filled = Filled.of(rules.scans.store)
    for rule in rules.rules:
        yield Fed(rule, _unmapped(rules, rule, filled), rule.unsupported or _unfed(rule, rules.tables))
    filled.keep()


def _unfed(rule: Rule, tables: Tables) -> Words | None:
    if rule.feeds:
        return None
    source = ", ".join(f"{key}: {value}" for key, value in rule.logsource.items())
    near = tables.near(rule.logsource)
    ja, en = (f"「{'」「'.join(near)}」はあります。", f"; there is {', '.join(near)}") if near else ("", "")
    return Words(
        f"ログソース({source})を供給するソースがありません。{ja}", f"no source of ours carries {source}{en}"
    )


def _unmapped(rules: RuleSet, rule: Rule, filled: Filled) -> dict[str, tuple[str, ...]]:
    fields = sorted({test.field for test in expression.tests(rules.said(rule)) if test.field})
    found: dict[str, set[str]] = {}
    for route in rules.tables.routes(rule.logsource):
        if route.dataset != ANY_DATASET:
            known = filled.columns(route.dataset)
            never = {name for name in fields if not _fills(route, known, route.column(name))}
            found[route.dataset] = found.get(route.dataset, never) & never
    return {dataset: tuple(sorted(never)) for dataset, never in found.items() if never}


def _fills(route: Route, known: frozenset[str], column: str) -> bool:
    kept = route.otherwise.partition("{field}")[0].format(dataset=route.dataset)
    plain = [one.partition("[].")[0] for one in column.split("|")]
    return any(one in known or (kept and one.startswith(kept)) or one.endswith(".zone") for one in plain)
