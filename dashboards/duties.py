"""Whom an incident may have to be reported to, and until when: a reminder with its uncertainty said.

The duties and how their days are counted are those of the respond process (`responders.duties`); what people decided
(`duty_clock` records) goes before what is counted from the detection.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from hinomi.incident import Incident
from hinomi.store import Records
from hinomi.words import Words
from responders.duties.clocks import KIND
from responders.duties.counting import Days, days
from responders.duties.duty import Duty as Kind
from responders.duties.duty import touched

Clocks = Mapping[str, Mapping[str, Mapping[str, Any]]]
"""Incident id → duty id → the clock's record."""


@dataclass(frozen=True, slots=True)
class Duty:
    """One report that may be due. `due` is the last moment (end of a day in Japan), None where no number of days is laid
    down; `inferred`/`due_inferred`: the source does not say it in so many words; state: what people decided, empty
    while nobody did."""

    id: str
    to: Words
    what: Words
    when: Words
    inferred: bool
    due: datetime | None = None
    warn: datetime | None = None
    due_note: Words | None = None
    due_inferred: bool = False
    state: str = ""

    @property
    def open(self) -> bool:
        """Whether it still asks for somebody."""
        return self.state not in ("sent", "not_due")


def duties(incident: Incident, clocks: Clocks | None = None) -> list[Duty]:
    """What the incident's zones and grade touch. Where nobody decided from when the city knew, days are counted from
    when Hinomi opened it (the safe side)."""
    held = (clocks or {}).get(incident.id, {})
    return [_duty(kind, incident, held.get(kind.id, {})) for kind in touched(incident)]


def clocks_of(records: Records) -> Clocks:
    """Every decision about a report, by incident."""
    found: dict[str, dict[str, Mapping[str, Any]]] = {}
    for one in records.find(KIND, limit=10_000):
        found.setdefault(str(one.body["incident_id"]), {})[str(one.body["duty"])] = one.body
    return found


def _duty(kind: Kind, incident: Incident, clock: Mapping[str, Any]) -> Duty:
    counted: Days | None = None
    if kind.rule is not None:
        known = datetime.fromisoformat(clock["known"]) if clock.get("known") else incident.opened
        counted = days(kind.rule, known, wrongful=bool(clock.get("wrongful")))
    return Duty(
        id=kind.id,
        to=kind.to,
        what=kind.what,
        when=kind.when,
        inferred=kind.inferred,
        due=counted.due if counted else None,
        warn=counted.warn if counted else None,
        due_note=kind.note if counted else None,
        due_inferred=kind.due_inferred,
        state=str(clock.get("state", "")),
    )
