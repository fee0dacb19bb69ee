"""Far more in a day than a person of the role takes: residents looked up, files fetched.

What is usual is asked of the role (all people's days of the kind, working days or days off), and of the person's own
days: a new member of a busy section is no alarm, a person of a quiet one is. On a day off of which little is known it is
asked of the role's working days, as an upper bound; for a role of which nothing is known, of the working days of all roles;
where nothing is known at all, of a bound that is absolute. What the latest five days were counts as usual, too.

Options: count (a field to add up), role (the field that names the role), spreads (6), times (4), at_least (50), warm_up_days
(10 person-days of the role), unknown (10 × at_least: the absolute bound), memory_mb (32).
"""

from itertools import islice
from typing import Any

from hinomi.words import Words
from rules.baselines import evidence
from rules.baselines.baseline import Baseline, Declared, Finding, amount, short
from rules.baselines.days import OF_DAY, Days, Level, day_of, is_off
from rules.baselines.evidence import Evidence
from rules.baselines.recent import Recent
from rules.baselines.seen import Seen
from rules.entry import Entry

_PEOPLE, _ALL, _PEER_DAYS = 400, 2_000, 20
_LATE = 64  # lines of days that are over, after which what is usual is asked anew
_LEVELS = 200
_BETWEEN = "\x1f"


class Type(Baseline):
    """Keeps sixty days of sums for each person of each role, and the events of their latest days."""

    def __init__(self, declared: Declared) -> None:
        super().__init__(declared)
        self.field, self.role = declared.text("count", ""), declared.text("role", "user.staff.department")
        self.spreads, self.times = declared.number("spreads", 6), declared.number("times", 4)
        self.at_least = declared.number("at_least", 50)
        self.unknown = declared.number("unknown", 10 * self.at_least)
        self.warm_up = int(declared.number("warm_up_days", 10, 1))
        self.people = Recent(Days, Days.weigh, room=self.room * 3 // 4)
        self.roles: dict[str, dict[str, None]] = {}
        self.evidence = evidence.kept(self.room // 4)
        self.seen = Seen()
        self.late = 0
        self.levels: dict[tuple[str, str], tuple[int, Level]] = {}

    def look(self, entry: Entry) -> list[Finding]:
        """A finding from the entry on with which the person's day stands out among the role's."""
        if not self.seen.is_new(entry):
            return []
        role = short(entry.who(self.role) or "?")
        who, day = self.person(entry), self.day(entry)
        days, total = self._counted(f"{role}{_BETWEEN}{who}", day, amount(entry, self.field))
        key = f"{who}|{day}"
        kept = self.evidence.of(key, self.newest)
        self.evidence.grew(key, kept.add(entry))
        if total < self.at_least:
            return []
        level = self._level(role, day, days)
        if not level.is_exceeded(total, self.times):
            return []
        return [self._finding(who, role, day, total, level, kept)]

    def _counted(self, key: str, day: str, more: float) -> tuple[Days, float]:
        days = self.people.of(key, self.newest)
        self._place(key)
        held = len(days.sums)
        total = days.add(day, more)
        self.people.grew(key, OF_DAY * (len(days.sums) - held))
        self.late += day < day_of(self.newest)
        return days, total

    def _place(self, key: str) -> None:
        """Note whose role it is, the latest last. Who was given up goes when the role is asked for."""
        own = self.roles.setdefault(key.split(_BETWEEN, 1)[0], {})
        own.pop(key, None)
        own[key] = None
        if len(self.roles) > self.people.most:
            del self.roles[next(iter(self.roles))]

    def _level(self, role: str, day: str, days: Days) -> Level:
        """The role's, or the person's own where that is more."""
        held = self.levels.get((role, day))
        if held is None or self.late - held[0] >= _LATE:
            held = self.late, self._of_role(role, day)
            self.levels[role, day] = held
            if len(self.levels) > _LEVELS:
                del self.levels[min(self.levels, key=lambda one: one[1])]
        own = days.others(day)
        if len(own) < self.warm_up:
            return held[1].raised(days.before(day), self.spreads)
        level = Level.of(own, self.spreads, Words("本人の同じ種類の日", "the person's own days of the kind"))
        return max(held[1], level, key=lambda one: one.bound).raised(own, self.spreads)

    def _of_role(self, role: str, day: str) -> Level:
        people = self._people(role)
        kind = [one for days in people for one in days.others(day)]
        if len(kind) >= self.warm_up:
            return Level.of(kind, self.spreads, Words(f"「{role}」の1日", f'the days of "{role}"'))
        working = [one for days in people for one in days.of_kind(day, off=False)] if is_off(day) else []
        if len(working) >= self.warm_up:
            ja, en = f"閉庁日の記録が少ないため、「{role}」の開庁日", f'the working days of "{role}"'
            return Level.of(working, self.spreads, Words(ja, f"{en}, as few days off are known"))
        return self._of_all(day)

    def _of_all(self, day: str) -> Level:
        latest = list(self.people.kept.values())[-_ALL:]
        sums = [one for _, days, _ in latest for one in days.of_kind(day, off=False)[-_PEER_DAYS:]]
        if len(sums) < max(self.warm_up, 5 * _PEER_DAYS):
            return Level.of_nothing(self.unknown)
        ja, en = "所属の記録が少ないため、すべての所属の開庁日", "the working days of every role"
        return Level.of_most(sums, self.spreads, Words(ja, f"{en}, as little is known of this one"))

    def _people(self, role: str) -> list[Days]:
        """Those who were active last, of whom something is known."""
        own = self.roles.get(role, {})
        for gone in [key for key in own if key not in self.people.kept]:
            del own[gone]
        latest = islice(reversed(own), _PEOPLE)
        return [days for key in latest if (days := self.people.get(key)) is not None]

    def _finding(self, who: str, role: str, day: str, total: float, level: Level, kept: Evidence) -> Finding:
        return Finding.of(
            f"{who}|{day}",
            kept,
            f"{day} に {total:,.0f}件({level.against.ja})",
            f"{total:,.0f} on {day}, {level.against.en}",
            {self.entity: who, self.role: role},
        )

    def take_forgotten(self) -> int:
        """People of a role given up. Events of a day that are given up are only evidence."""
        self.evidence.take_lost()
        return self.people.take_lost()

    def dump(self) -> Any:
        """People by role, with their days; the events by day; what was counted."""
        return [
            self.people.dump(lambda days: days.sums),
            self.evidence.dump(Evidence.as_json),
            self.seen.dump(),
        ]

    def load(self, state: Any) -> None:
        """See `dump`. States before kept all people of a role together."""
        self.people.load(list(_apart(state[0])), lambda sums: Days(dict(sums)))
        self.evidence.load(state[1], Evidence.of_json)
        self.seen.load(state[2])
        self.roles, self.levels = {}, {}
        for key in self.people.kept:
            self._place(key)


def _apart(state: list[list[Any]]) -> list[list[Any]]:
    found = []
    for key, mark, body in state:
        if _BETWEEN in key:
            found.append([key, mark, body])
        else:
            found += [[f"{key}{_BETWEEN}{who}", mark, sums] for who, sums in body.items()]
    return found
