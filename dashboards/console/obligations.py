"""Reports that an incident may call for, each with the clock that a person started or has not decided on yet."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import quote

from dashboards.console.visit import Visit
from hinomi.incident import Incident
from hinomi.store import Record
from responders.duties.counting import days
from responders.duties.duty import Duty, duties, touched

_ORDER = {"running": 0, "proposed": 1, "": 1, "sent": 2, "not_due": 3}


@dataclass(frozen=True, slots=True)
class Obligation:
    """A duty of an incident. clock: the record of people's decisions, None while nobody brought it up."""

    duty: Duty
    clock: Record | None
    incident: Incident

    @property
    def state(self) -> str:
        """`running`, `sent`, `not_due`, `proposed`, or empty."""
        return str(self.clock.body["state"]) if self.clock else ""

    @property
    def undecided(self) -> bool:
        """Whether nobody said yet whether it is due."""
        return self.state in ("", "proposed")

    @property
    def urgent(self) -> bool:
        """Whether the night's work includes deciding on it: a playbook brought it up, or it has a number of days."""
        return self.state == "proposed" or (self.duty.rule is not None and bool(self.duty.zones))

    @property
    def due(self) -> datetime | None:
        """The last moment that follows from when the city knew; None where no number of days is laid down."""
        held = self.clock.body.get("due") if self.clock else None
        return datetime.fromisoformat(held) if held else None

    @property
    def provisional(self) -> datetime | None:
        """The same counted from when Hinomi opened the incident, while nobody decided (the safe side)."""
        rule = self.duty.rule
        return days(rule, self.incident.opened).due if rule is not None and self.undecided else None

    @property
    def body(self) -> dict[str, Any]:
        """The clock's record."""
        return dict(self.clock.body) if self.clock else {}

    @property
    def known(self) -> datetime | None:
        """From when the city knew, as decided."""
        held = self.body.get("known")
        return datetime.fromisoformat(held) if held else None

    @property
    def address(self) -> str:
        """The page of its draft."""
        return f"/incidents/{self.incident.number}/duties/{quote(self.duty.id)}"

    def what(self, visit: Visit) -> str:
        """Which report."""
        return self.duty.what.of(visit.language)

    def to(self, visit: Visit) -> str:
        """To whom."""
        return self.duty.to.of(visit.language)


def obligations(visit: Visit, incident: Incident) -> list[Obligation]:
    """What the incident's zones and grade bring up and what people brought up; running ones with the nearest end first."""
    clocks = {str(one.body["duty"]): one for one in visit.console.service.clocks.of(incident.id)}
    known = {one.id: one for one in touched(incident)} | {
        name: duties()[name] for name in clocks if name in duties()
    }
    found = [Obligation(one, clocks.get(one.id), incident) for one in known.values()]
    return sorted(found, key=_place)


def _place(one: Obligation) -> tuple[int, str, str]:
    due = one.due or one.provisional
    return (_ORDER.get(one.state, 9), due.isoformat() if due else "9999", one.duty.id)
