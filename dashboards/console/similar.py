"""Past incidents that look like this one, with how they were judged."""

from collections import Counter
from dataclasses import dataclass, field

from dashboards.console.docket import ALIKE, Docket, Entry
from hinomi.incident import Incident, Status, is_merged

_SHOWN, _ENOUGH, _TAG = 5, 2.0, 0.5
_WEIGHT = {**ALIKE, "title": 3.0}


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
    own = Entry(0, incident)
    mine, tags = own.places, own.tags
    scored = [
        (score + _TAG * len(tags & entry.tags), entry)
        for score, entry in held.sharing({place: _WEIGHT[place[0]] for place in mine})
        if entry.incident.id != incident.id and not is_merged(entry.incident)
    ]
    found = [(score, entry) for score, entry in scored if score >= _ENOUGH]
    found.sort(
        key=lambda one: (one[1].incident.status is not Status.CLOSED, -one[0], -one[1].incident.number)
    )
    judged = (
        e.incident.verdict for _, e in found if e.incident.verdict and not own.titles.isdisjoint(e.titles)
    )
    return Precedents([_alike(*one, mine) for one in found[:_SHOWN]], Counter(one.value for one in judged))


def _alike(score: float, entry: Entry, mine: frozenset[tuple[str, str]]) -> Alike:
    """The incident with what it has in common, put into words."""
    common = sorted(mine.intersection(entry.places))
    rules = [value for kind, value in common if kind == "title"]
    return Alike(entry.incident, score, rules, [value for kind, value in common if kind != "title"])
