"""Past incidents that look like this one, with how they were judged."""

from collections import Counter
from dataclasses import dataclass, field

from dashboards.console.docket import ALIKE, Docket, Entry
from hinomi.incident import Incident, Status

_SHOWN, _ENOUGH, _TITLE = 5, 2.0, 3.0


@dataclass(slots=True)
class Alike:
    """A past incident and what it has in common: rules and entities."""

    incident: Incident
    score: float = 0.0
    rules: list[str] = field(default_factory=list)
    entities: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Precedents:
    """The most alike, and how all that share a finding were judged."""

    shown: list[Alike]
    verdicts: Counter[str]


def precedents(incident: Incident, held: Docket) -> Precedents:
    """Compare with the others that share a finding (the newest of them) or an entity and were not merged away."""
    mine, tags = Entry(0, incident).places, set(incident.tags)
    alikes = (
        _alike(entry, mine.intersection(entry.places), tags)
        for entry in held.sharing(mine)
        if entry.incident.id != incident.id and not entry.incident.fields.get("merged_into")
    )
    found = [alike for alike in alikes if alike.score >= _ENOUGH]
    found.sort(key=lambda alike: (-alike.score, -alike.incident.number))
    judged = (a.incident.verdict.value for a in found if a.incident.verdict and a.rules)
    closed_first = sorted(found, key=lambda alike: alike.incident.status is not Status.CLOSED)
    return Precedents(closed_first[:_SHOWN], Counter(judged))


def _alike(entry: Entry, common: frozenset[tuple[str, str]], tags: set[str]) -> Alike:
    rules = sorted(value for kind, value in common if kind == "title")
    entities = sorted((kind, value) for kind, value in common if kind != "title")
    score = _TITLE * len(rules) + sum(ALIKE[kind] for kind, _ in entities)
    score += 0.5 * len(tags.intersection(entry.incident.tags))
    return Alike(entry.incident, score, rules, [value for _, value in entities])
