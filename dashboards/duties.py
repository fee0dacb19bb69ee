"""Reports that an incident may call for, to whom and until when: a reminder with its uncertainty said.

The duties and how their days are counted are those of the respond process (`responders.duties`); what people decided
(`duty_clock` records) goes before what is counted from the detection. The queue, the page for those in charge, the
incident page and the incident report all read this list.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import quote

from hinomi.incident import Incident
from hinomi.store import Record, Records
from responders.duties.clocks import KIND, one_each
from responders.duties.counting import days
from responders.duties.duty import Duty, duties, touched
from responders.incidents import casefile

Clocks = Mapping[str, Sequence[Record]]
"""Incident id → the clocks of its reports."""

_ORDER = {"running": 0, "proposed": 1, "": 1, "sent": 2, "not_due": 3}


@dataclass(frozen=True, slots=True)
class Obligation:
    """A duty of an incident. clock: the record of people's decisions, None while nobody brought it up."""

    duty: Duty
    incident: Incident
    clock: Record | None = None

    @property
    def body(self) -> Mapping[str, Any]:
        """The clock's record."""
        return self.clock.body if self.clock else {}

    @property
    def state(self) -> str:
        """`running`, `sent`, `not_due`, `proposed`, or empty."""
        return str(self.body.get("state", ""))

    @property
    def open(self) -> bool:
        """Whether it still asks for somebody."""
        return self.state not in ("sent", "not_due")

    @property
    def undecided(self) -> bool:
        """Whether nobody said yet whether it is due."""
        return self.state in ("", "proposed")

    @property
    def urgent(self) -> bool:
        """Whether the night's work includes deciding on it: a playbook brought it up, or it has a number of days."""
        return self.state == "proposed" or (self.duty.rule is not None and bool(self.duty.zones))

    @property
    def known(self) -> datetime | None:
        """From when the city knew, as decided."""
        return _moment(self.body.get("known"))

    @property
    def due(self) -> datetime | None:
        """The last moment (end of a day in Japan); None where no number of days is laid down. While nobody decided from
        when the city knew, it is counted from when Hinomi opened the incident, or from when whoever opened it by hand said that it
        was known, where that is earlier (the safe side)."""
        if self.undecided and self.duty.rule is not None:
            opened = self.incident.opened
            return days(self.duty.rule, min(known_at(self.incident) or opened, opened)).due
        return _moment(self.body.get("due"))

    @property
    def provisional(self) -> bool:
        """Whether `due` is counted from the detection, as nobody decided yet."""
        return self.undecided and self.due is not None

    @property
    def address(self) -> str:
        """The page of its draft."""
        return f"/incidents/{self.incident.number}/duties/{quote(self.duty.id)}"


def known_at(incident: Incident) -> datetime | None:
    """When it became known, as said by whoever opened it, or one that it took in, by hand; None where only logs told."""
    return _moment(incident.fields.get("known_at"))


def obligations(incident: Incident, clocks: Iterable[Record]) -> list[Obligation]:
    """What the incident's zones and grade bring up and what its clocks count, which a person or a playbook may have started
    for any duty; running ones first, the nearest end before later ones."""
    held = {str(one.body["duty"]): one for one in one_each(clocks)}
    kinds = {one.id: one for one in touched(incident)}
    kinds |= {name: duties()[name] for name in held if name in duties()}
    found = [Obligation(kind, incident, held.get(kind.id)) for kind in kinds.values()]
    return sorted(found, key=_place)


def clocks_of(records: Records) -> Clocks:
    """The clocks of all incidents."""
    found: defaultdict[str, list[Record]] = defaultdict(list)
    for one in records.find(KIND, limit=10_000):
        found[str(one.body["incident_id"])].append(one)
    return found


def of_incident(clocks: Clocks, incident: Incident) -> list[Record]:
    """The clocks of an incident and of those that it took in."""
    return [one for identity in casefile.family(incident) for one in clocks.get(identity, ())]


def _moment(held: object) -> datetime | None:
    return datetime.fromisoformat(str(held)) if held else None


def _place(one: Obligation) -> tuple[int, str, str]:
    return (_ORDER.get(one.state, 9), one.due.isoformat() if one.due else "9999", one.duty.id)
