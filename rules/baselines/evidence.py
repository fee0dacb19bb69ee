"""The events that a day, a night or a far end consists of: some of them, and how many there were."""

from dataclasses import dataclass, field
from typing import Any

from rules.baselines.recent import Recent
from rules.entry import Entry

MOST = 200
"""Events kept of one finding; beyond, they are counted."""


@dataclass(slots=True)
class Evidence:
    """n: all events; first, last: event time of the earliest and the latest (ns); entries: the first that came, up to MOST."""

    n: int = 0
    first: int = 0
    last: int = 0
    entries: list[Entry] = field(default_factory=list)

    def add(self, entry: Entry) -> int:
        """Count an event; returns the bytes that it takes here."""
        self.first = min(self.first, entry.time) if self.n else entry.time
        self.last = max(self.last, entry.time)
        self.n += 1
        if len(self.entries) >= MOST:
            return 0
        self.entries.append(entry)
        return entry.weight

    def weigh(self) -> int:
        """The bytes of what is kept."""
        return sum(entry.weight for entry in self.entries)

    def as_json(self) -> list[Any]:
        """For the state that outlives the process."""
        return [self.n, self.first, self.last, [list(entry) for entry in self.entries]]

    @classmethod
    def of_json(cls, body: list[Any]) -> "Evidence":
        """What `as_json` gave, or the entries alone, as states before wrote them."""
        if len(body) == 4 and isinstance(body[0], int):
            return cls(body[0], body[1], body[2], [Entry(*one) for one in body[3]])
        made = cls()
        for one in body:
            made.add(Entry(*one))
        return made


def kept(room: int) -> Recent[Evidence]:
    """Evidence by key, within that many bytes."""
    return Recent(Evidence, Evidence.weigh, room=room)
