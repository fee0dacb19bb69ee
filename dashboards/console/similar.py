"""Past incidents that look like this one, with how they were judged."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from hinomi.incident import Incident, Status

_SHOWN, _ENOUGH = 5, 2.0
_WEIGHTS = {"user.name": 2.0, "host.name": 1.5, "source.ip": 1.5, "client.ip": 1.0, "file.name": 0.5}


@dataclass(frozen=True, slots=True)
class Alike:
    """A past incident and what it has in common: rules and entities."""

    incident: Incident
    score: float
    rules: list[str]
    entities: list[str]


@dataclass(frozen=True, slots=True)
class Precedents:
    """The most alike, and how all that share a finding were judged."""

    shown: list[Alike]
    verdicts: Counter[str]


def rules_of(incident: Incident) -> frozenset[str]:
    """Names of the incident's findings, from its timeline (they stay when alerts are dropped)."""
    return frozenset(line.ja for line in incident.timeline if line.kind == "alert")


def precedents(incident: Incident, others: Sequence[Incident]) -> Precedents:
    """Compare with every other incident that was not merged away."""
    found = [
        alike
        for other in others
        if other.id != incident.id and not other.fields.get("merged_into")
        if (alike := _compare(incident, other)).score >= _ENOUGH
    ]
    found.sort(key=lambda alike: (-alike.score, -alike.incident.number))
    judged = (a.incident.verdict.value for a in found if a.incident.verdict and a.rules)
    closed_first = sorted(found, key=lambda alike: alike.incident.status is not Status.CLOSED)
    return Precedents(closed_first[:_SHOWN], Counter(judged))


def _compare(incident: Incident, other: Incident) -> Alike:
    rules = sorted(_titles(incident) & _titles(other))
    entities, score = [], 3.0 * len(rules)
    for field, weight in _WEIGHTS.items():
        shared = set(incident.entities.get(field, ())) & set(other.entities.get(field, ()))
        score += weight * len(shared)
        entities += sorted(shared)
    score += 0.5 * len(set(incident.tags) & set(other.tags))
    return Alike(other, score, rules, entities)


def _titles(incident: Incident) -> frozenset[str]:
    """A finding's title without the figures that follow it."""
    return frozenset(words.partition("。")[0] for words in rules_of(incident))
