"""Far more in a day than a person of the role takes: residents looked up, files fetched.

What is usual is asked of the role (all people's days of the kind, working days or days off), and of the person's own
days where there are enough of them: a new member of a busy section is no alarm, a person of a quiet one is.

Options: count (a field to add up), role (the field that names the role), spreads (6), times (4), at_least (50), warm_up_days
(10 person-days of the role).
"""

from typing import Any

from rules.baselines.baseline import Baseline, Declared, Finding, amount
from rules.baselines.days import Days, day_of, usual
from rules.baselines.recent import Recent
from rules.baselines.seen import Seen
from rules.entry import Entry

_EVIDENCE, _PEOPLE = 200, 400


class Type(Baseline):
    """Keeps sixty days of sums for each person of each role."""

    def __init__(self, declared: Declared) -> None:
        super().__init__(declared)
        self.field, self.role = declared.text("count", ""), declared.text("role", "user.staff.department")
        self.spreads, self.times = declared.number("spreads", 6), declared.number("times", 4)
        self.at_least = declared.number("at_least", 50)
        self.warm_up = int(declared.number("warm_up_days", 10, 1))
        self.roles: Recent[dict[str, Days]] = Recent(dict)
        self.entries: Recent[list[Entry]] = Recent(list)
        self.seen = Seen()
        self.full = 0

    def look(self, entry: Entry) -> list[Finding]:
        """A finding from the entry on with which the person's day stands out among the role's."""
        role = entry.who(self.role) or "?"
        if not self.seen.is_new(f"{entry.event}|{entry.rule}"):
            return []
        who, day = self.person(entry), day_of(entry.time)
        people = self.roles.of(role, self.newest)
        if who not in people and len(people) >= _PEOPLE:
            self.full += 1
            return []
        total = people.setdefault(who, Days()).add(day, amount(entry, self.field))
        kept = self.entries.of(f"{who}|{day}", self.newest)
        if len(kept) < _EVIDENCE:
            kept.append(entry)
        if total < self.at_least:
            return []
        others = [sum_ for days in people.values() for sum_ in days.others(day)]
        if len(others) < self.warm_up:
            return []
        middle, bound = self._usual(others, people[who].others(day))
        if total <= bound or total < self.times * middle:
            return []
        return [self._finding(who, role, day, total, middle, kept)]

    def _usual(self, role: list[float], own: list[float]) -> tuple[float, float]:
        """The role's usual amount, or the person's own where that is more."""
        found = [usual(role, self.spreads)]
        if len(own) >= self.warm_up:
            found.append(usual(own, self.spreads))
        return max(found, key=lambda pair: pair[1])

    def _finding(
        self, who: str, role: str, day: str, total: float, middle: float, entries: list[Entry]
    ) -> Finding:
        return Finding(
            key=f"{who}|{day}",
            entries=list(entries),
            ja=f"{day} に {total:,.0f}件(「{role}」の1日の中央値は {middle:,.0f}件)",
            en=f'{total:,.0f} on {day}; the median of "{role}" is {middle:,.0f} a day',
            fields={self.entity: who, self.role: role},
        )

    def take_forgotten(self) -> int:
        """Roles and days given up, and people beyond those kept of a role."""
        full, self.full = self.full, 0
        self.entries.take_lost()  # only evidence
        return full + self.roles.take_lost()

    def dump(self) -> Any:
        """Roles, evidence, what was counted."""
        return [
            self.roles.dump(lambda people: {who: days.sums for who, days in people.items()}),
            self.entries.dump(lambda kept: [list(entry) for entry in kept]),
            self.seen.dump(),
        ]

    def load(self, state: Any) -> None:
        """See `dump`."""
        self.roles.load(state[0], lambda body: {who: Days(dict(sums)) for who, sums in body.items()})
        self.entries.load(state[1], lambda body: [Entry(*entry) for entry in body])
        self.seen.load(state[2])
