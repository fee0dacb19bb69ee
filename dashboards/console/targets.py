"""Targets of the office itself: how soon somebody takes an incident, and how soon it is settled.

These are the city's own targets (`console.targets`), not statutory clocks: those are `dashboards.duties`.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from dashboards import times
from dashboards.settings import TargetSettings
from dashboards.texts import Texts
from hinomi.incident import Incident, Status
from responders.incidents.casefile import needs_a_person, waits_since

_SOON = 0.25


@dataclass(frozen=True, slots=True)
class Clock:
    """The target that runs now. state: ok, soon (a quarter or less is left) or over; words: for people."""

    kind: str
    due: datetime
    state: str
    words: str


def running(incident: Incident, settings: TargetSettings, now: datetime, texts: Texts) -> Clock | None:
    """The clock of an open incident; None for a closed one and for a grade without a target."""
    found = _target(incident, settings)
    return _clock(*found, now, texts) if found else None


def is_late(incident: Incident, settings: TargetSettings, now: datetime) -> bool:
    """Whether the clock that runs is past its target; said without words, for whole queues."""
    found = _target(incident, settings)
    return found is not None and now > found[1] + found[2]


def _target(incident: Incident, settings: TargetSettings) -> tuple[str, datetime, timedelta] | None:
    """(kind, since when, how long) of the target that runs."""
    if incident.status is Status.CLOSED:
        return None
    waiting = needs_a_person(incident)
    kind = "take" if waiting else "settle"
    start = waits_since(incident) if waiting else incident.opened
    length = settings.take(incident.grade) if waiting else settings.settle(incident.grade)
    return None if length is None else (kind, start, length)


def _clock(kind: str, start: datetime, length: timedelta, now: datetime, texts: Texts) -> Clock:
    due = start + length
    if now > due:
        late = times.duration(now - due, texts.language)
        return Clock(kind, due, "over", texts(f"target.{kind}_over", late=late))
    left = times.duration(due - now, texts.language)
    state = "soon" if due - now <= length * _SOON else "ok"
    return Clock(kind, due, state, texts(f"target.{kind}_left", left=left))
