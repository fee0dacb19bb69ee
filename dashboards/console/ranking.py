"""What needs a person first, and why, in words."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import zip_longest

from dashboards import times
from dashboards.texts import Texts
from hinomi.incident import Incident, Status

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

    @property
    def entities(self) -> list[tuple[str, str]]:
        """The first of who and where, as the queue shows them."""
        return self._all()[:_SHOWN]

    @property
    def more_entities(self) -> int:
        """How many the queue leaves to the incident's page."""
        return max(0, len(self._all()) - _SHOWN)

    def _all(self) -> list[tuple[str, str]]:
        held = self.incident.entities
        fields = sorted(held, key=lambda field: (_FIRST.index(field) if field in _FIRST else 99, field))
        turns = zip_longest(*([(field, value) for value in held[field]] for field in fields))
        return [pair for turn in turns for pair in turn if pair is not None]  # one of each kind first


def rank(incidents: list[Incident], waiting: frozenset[str], now: datetime, texts: Texts) -> list[Ranked]:
    """The queue in order: closed last; then unacknowledged, waiting for approval, grade, age.

    waiting: ids of incidents with an approval that nobody has given or refused yet.
    """
    ordered = sorted(incidents, key=lambda incident: _key(incident, incident.id in waiting))
    return [_ranked(incident, incident.id in waiting, now, texts) for incident in ordered]


def _key(incident: Incident, waits: bool) -> tuple[bool, int, bool, datetime]:
    closed = incident.status is Status.CLOSED
    unacknowledged = incident.status is Status.NEW
    urgency = incident.grade + (2 if unacknowledged else 0)
    return (closed, -urgency, not waits, incident.opened)


def _ranked(incident: Incident, waits: bool, now: datetime, texts: Texts) -> Ranked:
    step = "next.approve" if waits and incident.status is not Status.CLOSED else _NEXT[incident.status]
    return Ranked(incident, _why(incident, waits, now, texts), texts(step), waits)


def _why(incident: Incident, waits: bool, now: datetime, texts: Texts) -> str:
    """`誰も対応していません(2時間14分)・重大・マイナンバー利用事務系に及ぶ`."""
    if incident.status is Status.CLOSED:
        return texts("why.closed")
    age = times.duration(max(now - incident.opened, timedelta()), texts.language)
    parts = [texts("why.new" if incident.status is Status.NEW else "why.open", age=age)]
    if now - incident.opened < timedelta(minutes=1):
        parts = [texts("why.just_now")]
    if waits:
        parts.append(texts("why.approval"))
    parts.append(texts("why.grade", grade=texts(f"grade.g{incident.grade}")))
    reached = [zone for zone in ("mynumber", "lgwan") if zone in incident.zones]
    if reached:
        names = texts("mark.comma").join(texts.get("zone", zone) for zone in reached)
        parts.append(texts("why.zone", zones=names))
    return texts("mark.dot").join(parts)
