"""Far more in a day than is usual of the entity.

What is usual is asked, in this order, of the entity's own days of the kind (working days, days off) where there are enough
of them; on a day off, of its working days, as an upper bound; of the working days of all entities, for who is new; and where
nothing is known at all, of a bound that is absolute. What the latest five days were counts as usual, too. Work that changed is
told on its first day, and then only where it goes far beyond that: a nightly batch's new account was told of three times.

Options: count (a field to add up; without it events are counted), spreads (6 robust standard deviations), times (3: at
least so many times the median), at_least (20 in the day), warm_up_days (10 days of the kind), unknown (10 × at_least: the
absolute bound), memory_mb (32).
"""

from typing import Any

from hinomi.words import Words
from rules.baselines import evidence
from rules.baselines.baseline import Baseline, Declared, Finding, amount
from rules.baselines.days import OF_DAY, Days, Level, day_of, is_off
from rules.baselines.evidence import Evidence
from rules.baselines.recent import Recent
from rules.baselines.seen import Seen
from rules.entry import Entry

_PEERS, _LEAST_PEERS, _PEER_DAYS = 2_000, 5, 20
_LATE = 64  # lines of days that are over, after which what is usual of all is asked anew
_LEVELS = 16


class Type(Baseline):
    """Keeps sixty days of sums for each entity, and the events of its latest days."""

    def __init__(self, declared: Declared) -> None:
        super().__init__(declared)
        self.field = declared.text("count", "")
        self.spreads, self.times = declared.number("spreads", 6), declared.number("times", 3)
        self.at_least = declared.number("at_least", 20)
        self.unknown = declared.number("unknown", 10 * self.at_least)
        self.warm_up = int(declared.number("warm_up_days", 10, 1))
        self.known = Recent(Days, Days.weigh, room=self.room * 3 // 4)
        self.evidence = evidence.kept(self.room // 4)
        self.seen = Seen()
        self.late = 0
        self.peers: dict[str, tuple[int, Level | None]] = {}

    def look(self, entry: Entry) -> list[Finding]:
        """A finding from the entry on with which its day stands out; it grows with the day."""
        if not self.seen.is_new(entry):
            return []
        who, day = self.person(entry), self.day(entry)
        days = self.known.of(who, self.newest)
        total = self._counted(who, days, day, amount(entry, self.field))
        key = f"{who}|{day}"
        kept = self.evidence.of(key, self.newest)
        self.evidence.grew(key, kept.add(entry))
        if total < self.at_least:
            return []
        level = self._level(days, day)
        if not level.is_exceeded(total, self.times) or not days.is_news(day, self.spreads):
            return []
        return [self._finding(who, day, total, level, kept)]

    def _counted(self, who: str, days: Days, day: str, more: float) -> float:
        held = len(days.sums)
        total = days.add(day, more)
        self.known.grew(who, OF_DAY * (len(days.sums) - held))
        self.late += day < day_of(self.newest)
        return total

    def _level(self, days: Days, day: str) -> Level:
        own = days.others(day)
        if len(own) >= self.warm_up:
            return Level.of(own, self.spreads, _of_kind(len(own))).raised(own, self.spreads)
        working = days.of_kind(day, off=False) if is_off(day) else []
        if len(working) >= self.warm_up:
            return Level.of(working, self.spreads, _of_working(len(working))).raised(working, self.spreads)
        level = self._of_peers(day) or Level.of_nothing(self.unknown)
        return level.raised(days.before(day), self.spreads)

    def _of_peers(self, day: str) -> Level | None:
        """What is usual of all on working days; None where too little is known. Asked once a day, and anew when many lines
        of days before came late."""
        held = self.peers.get(day)
        if held is not None and self.late - held[0] < _LATE:
            return held[1]
        latest = list(self.known.kept.values())[-_PEERS:]
        known = [sums for _, days, _ in latest if (sums := days.of_kind(day, off=False)[-_PEER_DAYS:])]
        sums = [one for own in known for one in own]
        enough = len(known) >= _LEAST_PEERS and len(sums) >= self.warm_up
        level = Level.of_most(sums, self.spreads, _of_all(len(known))) if enough else None
        self.peers[day] = self.late, level
        if len(self.peers) > _LEVELS:
            del self.peers[min(self.peers)]
        return level

    def _finding(self, who: str, day: str, total: float, level: Level, kept: Evidence) -> Finding:
        return Finding.of(
            f"{who}|{day}",
            kept,
            f"{day} に {total:,.0f}件({level.against.ja})",
            f"{total:,.0f} on {day}, {level.against.en}",
            {self.entity: who},
        )

    def take_forgotten(self) -> int:
        """Entities given up. Events of a day that are given up are only evidence."""
        self.evidence.take_lost()
        return self.known.take_lost()

    def dump(self) -> Any:
        """Entity, mark and days; what was counted; the events by day."""
        return [
            self.known.dump(Days.as_json),
            self.seen.dump(),
            self.evidence.dump(Evidence.as_json),
        ]

    def load(self, state: Any) -> None:
        """See `dump`."""
        self.known.load(state[0], Days.of_json)
        self.seen.load(state[1])
        self.evidence.load(state[2] if len(state) > 2 else [], Evidence.of_json)


def _of_kind(days: int) -> Words:
    return Words(f"同じ種類の日 {days} 日間", f"{days} days of the kind")


def _of_working(days: int) -> Words:
    return Words(
        f"閉庁日の記録が少ないため、開庁日 {days} 日間", f"{days} working days, as few days off are known"
    )


def _of_all(n: int) -> Words:
    return Words(
        f"本人の記録が少ないため、全体({n:,})の開庁日",
        f"the working days of all ({n:,}), as little is known of it",
    )
