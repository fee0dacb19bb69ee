"""Who must decide on an act: the office by its reach, more people by grade and zone. Content: `authority.yaml`."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, time
from functools import cache
from pathlib import Path
from typing import Any

from hinomi import yamlfile
from hinomi.calendar import is_day_off
from hinomi.clock import JST
from responders.connectors.actions import ACTIONS, Reach
from responders.playbooks.step import Step, higher
from responders.roles import RANKS

FILE = Path(__file__).with_name("authority.yaml")


@dataclass(frozen=True, slots=True)
class Office:
    """Who, and how many different people."""

    who: str
    people: int = 1

    def above(self, who: str, people: int) -> bool:
        """Whether this asks for more than that."""
        return RANKS.index(self.who) > RANKS.index(who) or self.people > people

    def joined(self, other: "Office") -> "Office":
        """What satisfies both."""
        return Office(higher(self.who, other.who), max(self.people, other.people))


LOWEST = Office(RANKS[0])


@cache
def _content() -> dict[str, Any]:
    content: dict[str, Any] = yamlfile.read(FILE).value
    return content


def inferred() -> bool:
    """Whether the table is a proposal rather than the guideline's words."""
    return bool(_content()["confidence"] == "inferred")


def first_reaches() -> list[str]:
    """What may be done first and approved later, by reach."""
    return [str(one) for one in _content()["act_first"]["reach"]]


def first_most_hours() -> int:
    """How long it may stand unconfirmed, at most."""
    return int(_content()["act_first"]["most_hours"])


def permit_days() -> int:
    """How long somebody may be permitted to act first, at most."""
    return int(_content()["act_first"]["permit_days"])


def at_the_office(now: datetime) -> bool:
    """Whether it is a time at which approvers are at their desks: then they decide before anything is done."""
    local = now.astimezone(JST)
    begins, ends = (time.fromisoformat(text) for text in _content()["act_first"]["office_hours"])
    return not is_day_off(local.date()) and begins <= local.time() < ends


def office(acts: Iterable[Step]) -> Office:
    """The least that acts of such reach need, whatever the incident."""
    return of_reaches({ACTIONS[step.act].reach for step in acts})


def of_reaches(reaches: Iterable[Reach], grade: int = 0, zones: Iterable[str] = ()) -> Office:
    """The office for acts of such reach, in an incident of this grade that touches these zones."""
    content, needed, touched = _content(), LOWEST, set(zones)
    for reach in reaches:
        needed = needed.joined(Office(**content["reach"][reach.value]))
        eyes = content["four_eyes"]
        grave = grade >= eyes["grade"] or bool(touched & set(eyes["zones"]))
        if reach.value in eyes["reach"] and grave:
            needed = needed.joined(Office(LOWEST.who, eyes["people"]))
    return needed
