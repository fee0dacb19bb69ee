"""Who is on call, by name and telephone, as the pages say it."""

from dataclasses import dataclass
from datetime import datetime
from itertools import islice

from dashboards.console.visit import Console, Visit
from responders.oncall import ical
from responders.oncall.rota import Rota
from responders.oncall.standins import Standins

DAYS = 14
"""How far ahead the pages look."""


@dataclass(frozen=True, slots=True)
class Shift:
    """A person's time on call."""

    person: str
    phone: str
    start: datetime
    end: datetime
    now: bool


def rota(console: Console) -> Rota:
    """The rota as it holds now, with who stands in."""
    return Rota(console.responding.oncall, Standins(console.records))


def person_name(visit: Visit, name: str) -> str:
    """A contact's name as people say it."""
    held = visit.console.responding.oncall.people.get(name)
    return visit.texts.of(held.name_ja, held.name_en) if held else name


def shifts(visit: Visit, most: int) -> list[Shift]:
    """The running shift and the next ones; the rota is read no further than they need."""
    now, people = visit.console.clock.now(), visit.console.responding.oncall.people
    return [
        Shift(
            person_name(visit, who),
            people[who].phone if who in people else "",
            start,
            end,
            start <= now < end,
        )
        for who, start, end in islice(ical.shifts(rota(visit.console), now, DAYS), most)
    ]


def on_duty(visit: Visit) -> tuple[Shift | None, Shift | None]:
    """Who is on call now and who comes next, for the incident page."""
    found = shifts(visit, 2) if visit.console.responding.oncall.people else []
    current = next((one for one in found if one.now), None)
    return current, next((one for one in found if not one.now), None)
