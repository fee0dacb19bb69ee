"""Generated months as they are: a change of the fiscal year, transfers, new staff, night shifts, batch accounts, days of which
nothing came, and spikes planted where an attacker works: on days off, by new accounts, by accounts long unused.
"""

import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from benchmarks._months import Month, at
from hinomi.calendar import is_day_off

FIRST, DAYS, NEW_YEAR = date(2027, 2, 8), 75, date(2027, 4, 1)
_BUSY = (date(2027, 3, 25), date(2027, 4, 9))
_SILENT = {date(2027, 3, 3), date(2027, 3, 4)}  # the collector was down, and its lines are lost
_ROLES = {"市民課": 45, "税務課": 18, "企画課": 3, "福祉課": 9}


@dataclass(slots=True)
class _Person:
    """before, after: the section until and from the change of the fiscal year; since: the first day; nights: a shift."""

    name: str
    before: str
    after: str
    since: date = FIRST
    nights: bool = False

    def role(self, day: date) -> str:
        """The section of that day."""
        return self.before if day < NEW_YEAR else self.after


def _people(chance: random.Random, people: int) -> Iterator[_Person]:
    for who in range(people):
        role = chance.choice(list(_ROLES))
        moved = chance.choice(list(_ROLES)) if who % 6 == 1 else role
        since = NEW_YEAR if who % 9 == 2 else FIRST
        yield _Person(f"user{who:03}", role, moved, since, nights=who % 12 == 5)


def _days(since: date = FIRST) -> Iterator[date]:
    yield from (
        day for n in range(DAYS) if (day := FIRST + timedelta(days=n)) >= since and day not in _SILENT
    )


def _amount(chance: random.Random, one: _Person, day: date) -> int:
    if is_day_off(day) and not one.nights and chance.random() > 0.04:
        return 0
    usual = _ROLES[one.role(day)] * (0.3 if is_day_off(day) else 1.0)
    usual *= 2.0 if _BUSY[0] <= day <= _BUSY[1] else 1.5 if day.day > 27 else 1.0
    return max(0, round(chance.gauss(usual, usual**0.5 + usual * 0.2)))


def _moment(chance: random.Random, one: _Person, day: date) -> datetime:
    return at(chance, day, 0, 5) if one.nights else at(chance, day)


def _planted(who: int, one: _Person) -> date | None:
    """Where a spike is planted: a Saturday, a holiday, a new account's second day, an ordinary day."""
    days = {3: date(2027, 3, 20), 14: date(2027, 3, 22), 25: date(2027, 3, 16)}
    if one.since == NEW_YEAR and who % 2:
        return NEW_YEAR + timedelta(days=1)
    return days.get(who % 30)


def _spike(one: _Person, day: date, times: float = 8) -> int:
    return int(max(150, times * _ROLES[one.role(day)] * (2 if day >= _BUSY[0] else 1)))


def rate_spike_messy(chance: random.Random, people: int) -> Month:
    """Files fetched a day, with three batch accounts of two thousand a night, one of them new in March."""
    month = Month({"type": "rate_spike", "at_least": 40, "times": 4})
    for who, one in enumerate(_people(chance, people)):
        plant = _planted(who, one)
        for day in _days(one.since):
            n = _amount(chance, one, day) + (_spike(one, day) if day == plant else 0)
            for _ in range(n):
                month.add(_moment(chance, one, day), user__name=one.name)
        if plant:
            month.planted.add(f"{one.name}|{plant.isoformat()}")
    for batch, since in (("batch1", FIRST), ("batch2", FIRST), ("batch3", date(2027, 3, 15))):
        for day in _days(since):
            for _ in range(chance.randrange(900, 1_100)):
                month.add(at(chance, day, 1, 3), user__name=batch)
    return month


def bulk_by_role_messy(chance: random.Random, people: int) -> Month:
    """Residents looked up, ten a look, by people of four sections."""
    month = Month(
        {"type": "bulk_by_role", "count": "records", "role": "user.staff.department", "at_least": 80}
    )
    for who, one in enumerate(_people(chance, people)):
        plant = _planted(who, one)
        for day in _days(one.since):
            total = _amount(chance, one, day) + (_spike(one, day) if day == plant else 0)
            for start in range(0, total, 10):
                records = str(min(10, total - start))
                role = one.role(day)
                month.add(
                    _moment(chance, one, day),
                    user__name=one.name,
                    records=records,
                    user__staff__department=role,
                )
        if plant:
            month.planted.add(f"{one.name}|{plant.isoformat()}")
    return month


MESSY = (rate_spike_messy, bulk_by_role_messy)
