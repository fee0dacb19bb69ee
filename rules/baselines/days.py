"""What somebody did day by day, apart by working days and days off, and what that says is usual.

Days on which nothing happened are not kept: of most people no day off is. What is usual on a day off is then what is usual
on working days, as an upper bound; of whom nothing is known yet, what is usual of the others.
"""

from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from statistics import median
from typing import Any

from hinomi.calendar import is_day_off
from hinomi.clock import JST
from hinomi.words import Words

_KEPT = 60
_LATEST, _FEW = 5, 3
_NEAR = timedelta(days=14)
"""How far back a day that was told may lie and the next one still be the same change of work."""
OF_DAY = 80
"""Bytes of a day's sum, measured."""
_MOST_SHARE = 0.95
_LATEST_DAYS = Words("直近の日々", "the latest days")
_SPREAD = 1.4826  # a standard deviation in terms of the median absolute deviation, of a normal distribution


@dataclass(slots=True)
class Days:
    """sums: day (ISO) → how much, the last _KEPT days. told: the latest working day and the latest day off that stood out, if any."""

    sums: dict[str, float] = field(default_factory=dict)
    told: list[str] = field(default_factory=list)

    def add(self, day: str, amount: float) -> float:
        """Count; returns the day's sum. A day before all that are kept is too old to count."""
        total = self.sums[day] = self.sums.get(day, 0.0) + amount
        while len(self.sums) > _KEPT:
            del self.sums[min(self.sums)]
        return total

    def others(self, day: str) -> list[float]:
        """Sums of the days before it that are of its kind (working days, or days off)."""
        return self.of_kind(day, off=is_off(day))

    def of_kind(self, day: str, *, off: bool) -> list[float]:
        """Sums of the days before it that are days off, or working days, in the order of their date."""
        return [self.sums[one] for one in sorted(self.sums) if one < day and is_off(one) is off]

    def before(self, day: str) -> list[float]:
        """Sums of all days before it, in the order of their date."""
        return [self.sums[one] for one in sorted(self.sums) if one < day]

    def is_news(self, day: str, spreads: float) -> bool:
        """Whether a day that stands out says more than the one of its kind (working days, or days off) that was told last, if that is
        among the latest few days before it and no more than a fortnight ago; then it is the one that was told."""
        latest = sorted(one for one in self.sums if one < day)[-_LATEST:]
        same = [one for one in self.told if is_off(one) is is_off(day)]
        near = [one for one in same if one in latest and _days(one, day) <= _NEAR]
        if any(self.sums[day] <= usual([self.sums[told]], spreads)[1] for told in near):
            return False
        self.told = [*(one for one in self.told if one not in same), max(day, *same, "")]
        return True

    def weigh(self) -> int:
        """The bytes that they take, reckoned."""
        return OF_DAY * len(self.sums)

    def as_json(self) -> dict[str, Any]:
        """For the state that outlives the process."""
        return {"sums": self.sums, "told": self.told} if self.told else dict(self.sums)

    @classmethod
    def of_json(cls, body: Any) -> "Days":
        """What `as_json` gave. States before kept one day that was told, and before that the newest day's events with the sums."""
        sums = body[0] if isinstance(body, list) else body
        if "told" not in sums:
            return cls(dict(sums))
        told = sums["told"]
        return cls(dict(sums["sums"]), [told] if isinstance(told, str) else [*told])


@dataclass(frozen=True, slots=True)
class Level:
    """What is usual in a day. middle: as most days are; bound: above it a day stands out; against: what was looked at."""

    middle: float
    bound: float
    against: Words

    @classmethod
    def of(cls, sums: list[float], spreads: float, against: Words) -> "Level":
        """By the median and that many robust standard deviations. against: whose days they are."""
        middle, bound = usual(sums, spreads)
        ja = f"{against.ja}の中央値は {middle:,.0f}件"
        return cls(middle, bound, Words(ja, f"against a median of {middle:,.0f} over {against.en}"))

    @classmethod
    def of_most(cls, sums: list[float], spreads: float, against: Words) -> "Level":
        """Of many people with habits of their own: what nineteen of twenty days do not go beyond takes the median's place."""
        most = sorted(sums)[int(_MOST_SHARE * (len(sums) - 1))]
        share = f"{_MOST_SHARE:.0%}"
        ja = f"{against.ja}の{share}は {most:,.0f}件以下"
        said = Words(ja, f"against {against.en}, {share} of which have no more than {most:,.0f}")
        return cls(most, max(most, usual(sums, spreads)[1]), said)

    @classmethod
    def of_nothing(cls, bound: float) -> "Level":
        """Where there is nothing to compare with: a bound that is absolute."""
        ja = f"比べる記録がまだ少ないため、目安の {bound:,.0f}件と比べました"
        return cls(0.0, bound, Words(ja, f"against a bound of {bound:,.0f}, as too little is known yet"))

    def raised(self, latest: list[float], spreads: float) -> "Level":
        """Or what the latest few days were, where that is more: work that changed, and has been told of, is usual by then."""
        if len(latest) < _FEW:
            return self
        return max(self, Level.of(latest[-_LATEST:], spreads, _LATEST_DAYS), key=lambda one: one.bound)

    def is_exceeded(self, total: float, times: float) -> bool:
        """Whether a day's sum stands out, and is at least so many times the usual."""
        return total > self.bound and total >= times * self.middle


def day_of(time: int) -> str:
    """The day in Japan (ISO) of a time in ns since 1970."""
    return _day(time // 1_000_000_000 // 3600)


@lru_cache(maxsize=4096)
def _day(hour: int) -> str:
    return datetime.fromtimestamp(hour * 3600, UTC).astimezone(JST).date().isoformat()


def _days(first: str, second: str) -> timedelta:
    return date.fromisoformat(second) - date.fromisoformat(first)


@lru_cache(maxsize=4096)
def is_off(day: str) -> bool:
    """Whether offices are closed on a day (ISO)."""
    return is_day_off(date.fromisoformat(day))


def usual(amounts: list[float], spreads: float) -> tuple[float, float]:
    """(median, bound above which an amount stands out by that many robust standard deviations)."""
    middle = median(amounts)
    deviation = _SPREAD * median(abs(amount - middle) for amount in amounts)
    return middle, middle + spreads * max(deviation, middle**0.5, 1.0)
