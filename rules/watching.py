"""What a correlation or a baseline watches: the detection rules whose signals reach it, through other correlations."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from hinomi.words import Words
from rules.engine import Correlation, Other, Rule, RuleSet


def bases(rules: RuleSet, reference: str) -> list[Rule]:
    """The detection rule of this id or name, or those that the correlation or baseline of that id or name watches."""
    if (own := rules.rule(reference)) is not None:
        return [own]
    found = (rules.rule(name) for name in _watched(rules, reference, frozenset()))
    return list({rule.id: rule for rule in found if rule is not None}.values())


def correlation(rules: RuleSet, reference: str) -> Correlation | None:
    """The correlation of this id or name."""
    for one in rules.correlations:
        if reference in (str(one.rule.id), one.rule.name):
            return one
    return None


def document(rules: RuleSet, reference: str) -> tuple[Path, Mapping[str, Any]] | None:
    """File and text of the correlation or baseline of this id or name."""
    every: list[Correlation | Other] = [*rules.correlations, *rules.others]
    for one in every:
        if reference in (str(one.document.get("id")), str(one.document.get("name"))):
            return one.path, one.document
    return None


def named(body: Mapping[str, Any]) -> list[str]:
    """The rules that a correlation's or a baseline's text names."""
    own = body.get("correlation") or body.get("baseline") or {}
    return [str(name) for name in own.get("rules") or []] if isinstance(own, Mapping) else []


def counted(rules: RuleSet) -> frozenset[str]:
    """Ids of the detection rules that a correlation or a baseline names."""
    every: list[Correlation | Other] = [*rules.correlations, *rules.others]
    found = (rules.rule(name) for one in every for name in named(one.document))
    return frozenset(rule.id for rule in found if rule is not None)


def counting(rules: RuleSet) -> frozenset[str]:
    """Ids of the correlations and baselines themselves."""
    every: list[Correlation | Other] = [*rules.correlations, *rules.others]
    return frozenset(str(one.document.get("id")) for one in every)


def titles(rules: RuleSet) -> dict[str, Words]:
    """What each detection, correlation and baseline is called, by id."""
    found = {rule.id: _title(rule.title, rule.custom) for rule in rules.rules}
    every: list[Correlation | Other] = [*rules.correlations, *rules.others]
    return found | {
        str(one.document.get("id")): _title(one.document.get("title"), one.document) for one in every
    }


def _title(title: object, held: Mapping[str, Any]) -> Words:
    return Words(str(held.get("title_ja") or title or ""), str(title or ""))


def _watched(rules: RuleSet, reference: str, above: frozenset[str]) -> list[str]:
    held = document(rules, reference)
    if held is None or reference in above:
        return []
    found: list[str] = []
    for name in named(held[1]):
        inner = document(rules, name)
        found += _watched(rules, name, above | {reference}) if inner is not None else [name]
    return found


def reached(rules: RuleSet, reference: str) -> set[str]:
    """Ids of the correlations that one watches, itself among them."""
    found: set[str] = set()
    left = [reference]
    while left:
        held = document(rules, left.pop())
        if held is not None and (identity := str(held[1].get("id"))) not in found:
            found.add(identity)
            left += named(held[1])
    return found
