"""The attack planted in the day: what a step is, and the steps in order."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from random import Random
from typing import Any

from ops.demo.city import City, hinomi
from ops.demo.clockwork import Day, Stamp, Timed, Tunnel
from ops.demo.windows import Record

WINDOWS = "windows.eventlog"
VICTIM, ADMIN, ROBOT = "t.yamada", "adm.sato", "rpa02"
ATTACKER, ACCOMPLICE = "203.0.113.66", "203.0.113.77"
VICTIM_HOME, FOOTHOLD = "192.0.2.45", "10.50.3.17"
SPRAYED = 16


@dataclass(frozen=True, slots=True)
class Step:
    """One planted step.

    source: where it shows best; start, end: JST wall clock of that source's lines; entities: `user`, `ip`,
    `host` → values; lines: source → raw lines; records: Windows events, numbered with the rest of the day.
    """

    id: str
    title_ja: str
    title_en: str
    source: str
    start: str
    end: str
    entities: dict[str, list[str]]
    lines: dict[str, list[Timed]] = field(default_factory=dict)
    records: list[Record] = field(default_factory=list)

    def counts(self) -> dict[str, int]:
        """Source → how many lines the step leaves there."""
        counts = {source: len(lines) for source, lines in self.lines.items()}
        return counts | ({WINDOWS: len(self.records)} if self.records else {})

    def describe(self, day: Day) -> dict[str, Any]:
        """The step as `planted.json` has it; start and end in UTC."""
        counts = self.counts()
        return {
            "id": self.id,
            "title_ja": self.title_ja,
            "title_en": self.title_en,
            "source": self.source,
            "start": _iso(day.at(self.start)),
            "end": _iso(day.at(self.end)),
            "entities": self.entities,
            "lines": counts[self.source],
            "lines_by_source": counts,
        }


def _iso(at: int) -> str:
    return datetime.fromtimestamp(at / 1000, UTC).isoformat().replace("+00:00", "Z")


@dataclass(frozen=True, slots=True)
class Stage:
    """What the steps are written with."""

    day: Day
    city: City
    stamp: Stamp
    rng: Random

    @classmethod
    def of(cls, day: Day, seed: int) -> "Stage":
        """A stage whose chance is its own, so that dull traffic does not move the attack."""
        return cls(day, hinomi(), Stamp(day), Random(f"story:{seed}:{day.date}"))


def sprayed(city: City) -> list[str]:
    """The accounts that the attacker tries: people who telework, the victim among them."""
    remote = [person.account for person in city.office_staff() if person.telework]
    return remote[: SPRAYED * 9 : 9]


def evening(day: Day, city: City) -> Tunnel:
    """The victim, on leave all day, signs in from home in the evening as always."""
    return Tunnel(city.person(VICTIM), VICTIM_HOME, "10.50.2.45", day.at("18:40:12"), day.at("19:31:40"))


def lines_of(steps: Iterable[Step], source: str) -> list[Timed]:
    """What the steps leave in one source."""
    return [line for step in steps for line in step.lines.get(source, [])]


def records_of(steps: Iterable[Step]) -> list[Record]:
    """The Windows events of the steps."""
    return [record for step in steps for record in step.records]
