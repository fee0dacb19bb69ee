"""A value that hardly anybody has: a program that runs on one machine of a hundred, a device name of one person.

Options: field (the value's), at_most (1 entity that has it), of_at_least (20 entities known), warm_up_days (14 of records),
memory_mb (32).
"""

from typing import Any

from rules.baselines.baseline import Baseline, Declared, Finding, short
from rules.baselines.recent import Recent
from rules.entry import Entry

_DAY = 86_400 * 1_000_000_000
_ENTITIES = 50_000
_OF_NAME = 60  # bytes beside its signs


class Type(Baseline):
    """Keeps for each value the few entities that have it (one more than at_most), and who is known at all."""

    def __init__(self, declared: Declared) -> None:
        super().__init__(declared)
        self.field = declared.text("field", "process.name")
        self.at_most = int(declared.number("at_most", 1))
        self.least = int(declared.number("of_at_least", 20))
        self.warm_up = int(declared.number("warm_up_days", 14) * _DAY)
        self.values: Recent[list[str]] = Recent(list, _weight, room=self.room)
        self.entities: dict[str, None] = {}
        self.since: int | None = None
        self.full = 0

    def look(self, entry: Entry) -> list[Finding]:
        """A finding the first time that an entity has a value which hardly anybody has."""
        value = entry.who(self.field)
        if not value:
            return []
        who, value = self.person(entry), short(value.lower())
        self.since = entry.time if self.since is None else min(self.since, entry.time)
        self._know(who)
        having = self.values.of(value, self.newest)
        if who in having or len(having) > self.at_most:
            return []
        having.append(who)
        self.values.grew(value, _OF_NAME + len(who))
        settled = entry.time - self.since >= self.warm_up and len(self.entities) >= self.least
        if not settled or len(having) > self.at_most:
            return []
        n = len(self.entities)
        return [
            Finding(
                key=f"{who}|{value}",
                entries=[entry],
                ja=f"「{value}」は、{n:,} のうち {len(having)} だけにある値です",
                en=f'"{value}" is known of {len(having)} out of {n:,}',
                fields={self.entity: who, self.field: value},
            )
        ]

    def _know(self, who: str) -> None:
        if who in self.entities:
            return
        if len(self.entities) >= _ENTITIES:
            self.full += 1
        else:
            self.entities[who] = None

    def take_forgotten(self) -> int:
        """Values given up, and entities beyond those known."""
        full, self.full = self.full, 0
        return full + self.values.take_lost()

    def dump(self) -> Any:
        """Values with who has them, who is known, since when."""
        return [self.values.dump(list), list(self.entities), self.since]

    def load(self, state: Any) -> None:
        """See `dump`."""
        self.values.load(state[0], list)
        self.entities, self.since = dict.fromkeys(state[1]), state[2]


def _weight(names: list[str]) -> int:
    return sum(_OF_NAME + len(name) for name in names)
