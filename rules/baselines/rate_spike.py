"""Far more in a day than the same entity's days of the kind (working days, days off) held so far.

Options: count (a field to add up; without it events are counted), spreads (6 robust standard deviations), times (3: at
least so many times the median), at_least (20 in the day), warm_up_days (10 days of the kind).
"""

from dataclasses import dataclass, field
from typing import Any

from rules.baselines.baseline import Baseline, Declared, Finding, amount
from rules.baselines.days import Days, day_of, usual
from rules.baselines.recent import Recent
from rules.baselines.seen import Seen
from rules.entry import Entry

_EVIDENCE = 200


@dataclass(slots=True)
class _Known:
    """days: sums by day; latest: the newest day's entries, the first _EVIDENCE."""

    days: Days = field(default_factory=Days)
    day: str = ""
    latest: list[Entry] = field(default_factory=list)


class Type(Baseline):
    """Keeps sixty days of sums for each entity."""

    def __init__(self, declared: Declared) -> None:
        super().__init__(declared)
        self.field = declared.text("count", "")
        self.spreads, self.times = declared.number("spreads", 6), declared.number("times", 3)
        self.at_least = declared.number("at_least", 20)
        self.warm_up = int(declared.number("warm_up_days", 10, 1))
        self.known = Recent(_Known)
        self.seen = Seen()

    def look(self, entry: Entry) -> list[Finding]:
        """A finding from the entry on with which the day stands out; it grows with the day."""
        if not self.seen.is_new(f"{entry.event}|{entry.rule}"):
            return []
        who, day = self.person(entry), day_of(entry.time)
        held = self.known.of(who, self.newest)
        if day > held.day:
            held.day, held.latest = day, []
        if day == held.day and len(held.latest) < _EVIDENCE:
            held.latest.append(entry)
        total = held.days.add(day, amount(entry, self.field))
        others = held.days.others(day)
        if total < self.at_least or len(others) < self.warm_up or day != held.day:
            return []
        middle, bound = usual(others, self.spreads)
        if total <= bound or total < self.times * middle:
            return []
        return [self._finding(who, day, total, middle, len(others), held.latest)]

    def _finding(
        self, who: str, day: str, total: float, middle: float, days: int, entries: list[Entry]
    ) -> Finding:
        return Finding(
            key=f"{who}|{day}",
            entries=list(entries),
            ja=f"{day} に {total:,.0f}件(同じ種類の日 {days} 日間の中央値は {middle:,.0f}件)",
            en=f"{total:,.0f} on {day}, against a median of {middle:,.0f} over {days} days of the kind",
            fields={self.entity: who},
        )

    def take_forgotten(self) -> int:
        """Entities given up."""
        return self.known.take_lost()

    def dump(self) -> Any:
        """Entity, mark, days and the newest day's entries; and what was counted."""
        return [
            self.known.dump(lambda one: [one.days.sums, one.day, [list(entry) for entry in one.latest]]),
            self.seen.dump(),
        ]

    def load(self, state: Any) -> None:
        """See `dump`."""
        self.known.load(
            state[0], lambda body: _Known(Days(dict(body[0])), body[1], [Entry(*entry) for entry in body[2]])
        )
        self.seen.load(state[1])
