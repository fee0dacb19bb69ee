"""The periods of reports, in Japanese days: a week from Monday, a month, a fiscal year from April."""

from dataclasses import dataclass
from datetime import datetime, time, timedelta

from hinomi.clock import JST
from hinomi.store import Span


@dataclass(frozen=True, slots=True)
class Period:
    """start included, end excluded."""

    start: datetime
    end: datetime

    def holds(self, moment: datetime | None) -> bool:
        """Whether the moment lies in it."""
        return moment is not None and self.start <= moment < self.end

    @property
    def span(self) -> Span:
        """As the store takes it."""
        return Span(self.start, self.end)


def week(moment: datetime) -> Period:
    """The week of the moment."""
    day = moment.astimezone(JST).date()
    start = datetime.combine(day - timedelta(days=day.weekday()), time(), JST)
    return Period(start, start + timedelta(days=7))


def month(moment: datetime) -> Period:
    """The month of the moment."""
    start = moment.astimezone(JST).replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    later = start + timedelta(days=32)
    return Period(start, later.replace(day=1))


def fiscal_year(moment: datetime) -> Period:
    """1 April to 31 March (地方自治法208条)."""
    local = moment.astimezone(JST)
    first = local.year if local.month >= 4 else local.year - 1
    return Period(datetime(first, 4, 1, tzinfo=JST), datetime(first + 1, 4, 1, tzinfo=JST))
