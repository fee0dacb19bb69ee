"""Rules of a rule set made ready for the correlator: detections, correlations in order, baselines."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from hinomi.errors import HinomiError
from rules import baselines
from rules.baselines.baseline import Baseline
from rules.correlation.rule import CorrelationRule, compiled, joining
from rules.engine import Correlation, Rule, RuleSet
from rules.meta import Meta
from rules.unforeseen import unforeseen


@dataclass(frozen=True, slots=True)
class Ruling:
    """detections: by rule id; correlations: what others take comes first; problems: what cannot run, and why."""

    correlations: list[CorrelationRule]
    detections: dict[str, CorrelationRule]
    baselines: list[Baseline]
    problems: list[HinomiError]

    def afresh(self, rules: RuleSet) -> "Ruling":
        """The same for another correlator: baselines hold a state, so each correlator has its own."""
        return replace(self, baselines=baselines.of(rules.others, _ids(rules))[0])


def of(rules: RuleSet) -> Ruling:
    """Everything of a rule set that the correlator runs. Raises for nothing that a rule holds: that is in `problems`."""
    problems: list[HinomiError] = []
    metas = {rule.id: meta for rule in rules.rules if (meta := _meta(rule, problems)) is not None}
    ids = _ids(rules)
    titles = {identity: (meta.title_ja, meta.title_en) for identity, meta in metas.items()}
    titles |= {str(one.document["id"]): _titles(one) for one in rules.correlations}
    made, wrong = ready(rules.correlations, ids, titles)
    own, more = baselines.of(rules.others, ids)
    detections = {identity: joining(meta) for identity, meta in metas.items()}
    return Ruling(made, detections, own, [*problems, *wrong, *more])


def _meta(rule: Rule, problems: list[HinomiError]) -> Meta | None:
    try:
        return Meta.of(rule.id, rule.title, rule.level, rule.tags, rule.custom, rule.name or "")
    except Exception as error:  # whatever the rule holds
        problems.append(unforeseen(rule.path, error))
        return None


def _titles(one: Correlation) -> tuple[str, str]:
    title = str(one.document.get("title") or "")
    return str(one.document.get("title_ja") or title), title


def _ids(rules: RuleSet) -> dict[str, str]:
    """Name or id of every rule → its id."""
    ids = {rule.name: rule.id for rule in rules.rules if rule.name} | {
        rule.id: rule.id for rule in rules.rules
    }
    for one in rules.correlations:
        identity = str(one.document["id"])
        ids |= {identity: identity, str(one.document.get("name") or identity): identity}
    return ids


def ready(
    correlations: Sequence[Correlation], ids: Mapping[str, str], titles: Mapping[str, tuple[str, str]]
) -> tuple[list[CorrelationRule], list[HinomiError]]:
    """Correlations as they run, and what is wrong with the rest. ids, titles: see `rule.compiled`."""
    made, problems = [], []
    for correlation in correlations:
        try:
            made.append(compiled(correlation, ids, titles))
        except HinomiError as error:
            problems.append(error)
        except Exception as error:  # whatever the document holds
            problems.append(unforeseen(correlation.path, error))
    return _ordered(_linked(made, correlations, ids)), problems


def _linked(
    made: Sequence[CorrelationRule], correlations: Sequence[Correlation], ids: Mapping[str, str]
) -> list[CorrelationRule]:
    """Which correlations feed others, and which of those speak for themselves (`generate: true` somewhere)."""
    generates: dict[str, list[bool]] = {}
    for correlation in correlations:
        for reference in correlation.rule.rules or []:
            generates.setdefault(ids.get(reference.reference, ""), []).append(bool(correlation.rule.generate))
    return [
        replace(rule, feeds=True, speaks=any(generates[rule.meta.id])) if rule.meta.id in generates else rule
        for rule in made
    ]


def _ordered(rules: Sequence[CorrelationRule]) -> list[CorrelationRule]:
    """What others take comes first; a circle keeps its written order."""
    ordered: list[CorrelationRule] = []
    left = list(rules)
    while left:
        ids = {rule.meta.id for rule in left}
        ready = [rule for rule in left if not ids & set(rule.takes)] or left[:1]
        ordered += ready
        left = [rule for rule in left if rule not in ready]
    return ordered
