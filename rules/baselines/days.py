"""What somebody did day by day, apart by working days and days off, and how far one day stands out from the others."""

from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from functools import lru_cache
from statistics import median

from hinomi.calendar import is_day_off
from hinomi.clock import JST

_KEPT = 60
_SPREAD = 1.4826  # a standard deviation in terms of the median absolute deviation, of a normal distribution


@dataclass(slots=True)
class Days:
    """sums: day (ISO) → how much, the last _KEPT days."""

    sums: dict[str, float] = field(default_factory=dict)

    def add(self, day: str, amount: float) -> float:
        """Count; returns the day's sum. A day before all that are kept is too old to count."""
        total = self.sums[day] = self.sums.get(day, 0.0) + amount
        while len(self.sums) > _KEPT:
            del self.sums[min(self.sums)]
        return total

    def others(self, day: str) -> list[float]:
        """Sums of the days before it that are of its kind (working days, or days off)."""
        off = _is_off(day)
        return [amount for other, amount in self.sums.items() if other < day and _is_off(other) is off]


def day_of(time: int) -> str:
    """The day in Japan (ISO) of a time in ns since 1970."""
    return _day(time // 1_000_000_000 // 3600)


@lru_cache(maxsize=4096)
def _day(hour: int) -> str:
    return datetime.fromtimestamp(hour * 3600, UTC).astimezone(JST).date().isoformat()


@lru_cache(maxsize=4096)
def _is_off(day: str) -> bool:
    return is_day_off(date.fromisoformat(day))


def usual(amounts: list[float], spreads: float) -> tuple[float, float]:
    """(median, bound above which an amount stands out by that many robust standard deviations)."""
    middle = median(amounts)
    deviation = _SPREAD * median(abs(amount - middle) for amount in amounts)
    return middle, middle + spreads * max(deviation, middle**0.5, 1.0)
