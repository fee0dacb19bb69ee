"""Past incidents that look like this one, with how they were judged."""

from collections import Counter
from dataclasses import dataclass, field

from dashboards.console.docket import ALIKE, Docket, Entry, places
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
    """Compare with every other incident that shares a finding or an entity and was not merged away."""
    mine = Entry(0, incident)
    alikes: dict[str, Alike] = {}
    for (kind, value), entry in held.sharing(sorted(places(mine))):
        other = entry.incident
        if other.id == incident.id or other.fields.get("merged_into"):
            continue
        alike = alikes.setdefault(other.id, Alike(other))
        (alike.rules if kind == "title" else alike.entities).append(value)
        alike.score += _TITLE if kind == "title" else ALIKE[kind]
    tags = set(incident.tags)
    for alike in alikes.values():
        alike.score += 0.5 * len(tags.intersection(alike.incident.tags))
    found = [alike for alike in alikes.values() if alike.score >= _ENOUGH]
    found.sort(key=lambda alike: (-alike.score, -alike.incident.number))
    judged = (a.incident.verdict.value for a in found if a.incident.verdict and a.rules)
    closed_first = sorted(found, key=lambda alike: alike.incident.status is not Status.CLOSED)
    return Precedents(closed_first[:_SHOWN], Counter(judged))
