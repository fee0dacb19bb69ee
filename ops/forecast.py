"""When the disk will be full: each day brings what the last week's days brought, and retention takes what is old."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from fractions import Fraction

from hinomi.retention import Period, period_of
from hinomi.store import DayStats

FURTHEST = 3_650
_WEEK = 7


@dataclass(frozen=True, slots=True)
class Forecast:
    """daily: bytes that a day brings (or shards: of so few no part is rounded away); days: until the disk is full, None where
    it will not be in ten years."""

    daily: Fraction
    days: int | None


def forecast(held: Sequence[DayStats], periods: Sequence[Period], room: int, now: datetime) -> Forecast:
    """What to expect. room: bytes that are left; the running day is no measure, it is not over."""
    today = now.replace(hour=0, minute=0, second=0, microsecond=0)
    sizes: dict[str, dict[int, int]] = defaultdict(lambda: defaultdict(int))
    for one in held:
        sizes[one.dataset][(today - one.day).days] += one.bytes
    daily = {name: _daily(by_age) for name, by_age in sizes.items()}
    every = sum(daily.values(), Fraction())
    left = Fraction(room)
    for day in range(1, FURTHEST + 1):
        for name, by_age in sizes.items():
            left -= daily[name]
            if (period := period_of(name, periods)) is not None:
                age = period.days + 1 - day  # how old is now what will be too old on that day
                left += by_age.get(age, 0) if age >= 0 else daily[name]
        if left < 0:
            return Forecast(every, day)
    return Forecast(every, None)


def _daily(by_age: dict[int, int]) -> Fraction:
    """The mean of the days of the last week since the dataset's first."""
    first = min(max(by_age, default=0), _WEEK)
    past = [by_age.get(age, 0) for age in range(1, first + 1)]
    return Fraction(sum(past), len(past)) if past else Fraction(by_age.get(0, 0))
