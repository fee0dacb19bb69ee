"""What needs a person first, and why, in words."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import islice, zip_longest

from dashboards import times
from dashboards.console import targets
from dashboards.console.targets import Clock
from dashboards.duties import Clocks, Obligation, obligations, of_incident
from dashboards.settings import TargetSettings
from dashboards.texts import Texts
from hinomi.clock import JST
from hinomi.incident import Incident, Status
from responders.incidents.casefile import needs_a_person, waits_since

_SHOWN = 3
_FIRST = ("user.name", "host.name", "source.ip", "user.target.name", "destination.ip")
_NEXT = {
    Status.NEW: "next.acknowledge",
    Status.ACKNOWLEDGED: "next.investigate",
    Status.IN_PROGRESS: "next.contain",
    Status.CONTAINED: "next.close",
    Status.CLOSED: "next.none",
}


@dataclass(frozen=True, slots=True)
class Ranked:
    """An incident of the queue with its place explained and the next step named."""

    incident: Incident
    why: str
    next_step: str
    waits_for_approval: bool
    clock: Clock | None = None
    duty: Obligation | None = None

    @property
    def entities(self) -> list[tuple[str, str]]:
        """The first of who and where, as the queue shows them: one of each kind first."""
        held = self.incident.entities
        fields = sorted(held, key=lambda field: (_FIRST.index(field) if field in _FIRST else 99, field))
        turns = zip_longest(*([(field, value) for value in held[field]] for field in fields))
        return list(islice((pair for turn in turns for pair in turn if pair is not None), _SHOWN))

    @property
    def more_entities(self) -> int:
        """How many the queue leaves to the incident's page."""
        return max(0, sum(map(len, self.incident.entities.values())) - _SHOWN)


@dataclass(frozen=True, slots=True)
class Desk:
    """What ranking looks at beside the incidents. waiting: ids with an approval that nobody has given yet; clocks: what
    people decided about reports."""

    waiting: frozenset[str]
    targets: TargetSettings
    now: datetime
    texts: Texts
    clocks: Clocks = field(default_factory=dict)
    _late: dict[str, bool] = field(default_factory=dict)

    def is_late(self, incident: Incident) -> bool:
        """Whether the clock that runs is past its target; found out once, as a queue counts by it and orders by it."""
        found = self._late.get(incident.id)
        if found is None:
            found = self._late[incident.id] = targets.is_late(incident, self.targets, self.now)
        return found


def order(incidents: Sequence[Incident], desk: Desk) -> list[Incident]:
    """The queue in order: closed last; then what nobody has taken, past its target, waiting for approval, graver,
    older."""

    def key(incident: Incident) -> tuple[bool, int, bool, bool, datetime]:
        closed = incident.status is Status.CLOSED
        urgency = incident.grade + (2 if needs_a_person(incident) else 0)
        return (
            closed,
            -urgency,
            not desk.is_late(incident),
            incident.id not in desk.waiting,
            incident.opened,
        )

    return sorted(incidents, key=key)


def rank(incidents: Sequence[Incident], desk: Desk) -> list[Ranked]:
    """The incidents in order, each with its place in words."""
    return told(order(incidents, desk), desk)


def told(ordered: Sequence[Incident], desk: Desk) -> list[Ranked]:
    """Those of a page of the queue, each with its place in words."""
    return [_ranked(incident, desk) for incident in ordered]


def _ranked(incident: Incident, desk: Desk) -> Ranked:
    waits, closed = incident.id in desk.waiting, incident.status is Status.CLOSED
    clock = targets.running(incident, desk.targets, desk.now, desk.texts)
    duty = None if closed else _next_duty(incident, desk.clocks)
    step = "next.approve" if waits and not closed else _NEXT[incident.status]
    why = _why(incident, waits, clock, duty, desk)
    return Ranked(incident, why, desk.texts(step), waits, clock, duty)


def _next_duty(incident: Incident, clocks: Clocks) -> Obligation | None:
    """The statutory report whose term ends first, where the incident's zones may call for one."""
    found = [one for one in obligations(incident, of_incident(clocks, incident)) if one.open]
    dated = [(duty.due, number, duty) for number, duty in enumerate(found) if duty.due is not None]
    return min(dated)[2] if dated else None


def _why(incident: Incident, waits: bool, clock: Clock | None, duty: Obligation | None, desk: Desk) -> str:
    """`誰も対応していません(2時間14分)・重大・マイナンバー利用事務系に及ぶ`."""
    texts = desk.texts
    if incident.status is Status.CLOSED:
        return texts("why.closed")
    parts = [_age(incident, desk)]
    if clock is not None and clock.state == "over":
        parts.append(texts("why.late"))
    if waits:
        parts.append(texts("why.approval"))
    parts.append(texts("why.grade", grade=texts(f"grade.g{incident.grade}")))
    reached = [zone for zone in ("mynumber", "lgwan") if zone in incident.zones]
    if reached:
        names = texts("mark.comma").join(texts.get("zone", zone) for zone in reached)
        parts.append(texts("why.zone", zones=names))
    if duty is not None and duty.due is not None:
        parts.append(
            texts(
                "why.duty",
                to=duty.duty.to.of(texts.language),
                due=times.clock_time(duty.due, seconds=False, year=desk.now.astimezone(JST).year),
            )
        )
    return texts("mark.dot").join(parts)


def _age(incident: Incident, desk: Desk) -> str:
    since = waits_since(incident) if needs_a_person(incident) else incident.opened
    if desk.now - since < timedelta(minutes=1):
        return desk.texts("why.just_now")
    key = "why.new" if needs_a_person(incident) else "why.open"
    if needs_a_person(incident) and incident.acknowledged_by:
        key = "why.graver"
    return desk.texts(key, age=times.duration(desk.now - since, desk.texts.language))
