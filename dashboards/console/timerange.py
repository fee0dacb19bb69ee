"""The time range of a search: a preset or two times, as asked in the address line."""

from dataclasses import dataclass
from datetime import datetime, time, timedelta

from dashboards import charts, times
from dashboards.console.visit import Visit
from hinomi.clock import JST
from hinomi.errors import QueryError
from hinomi.store import Events, Span

PRESETS = {
    "15m": timedelta(minutes=15),
    "1h": timedelta(hours=1),
    "6h": timedelta(hours=6),
    "24h": timedelta(hours=24),
    "7d": timedelta(days=7),
    "30d": timedelta(days=30),
}
_EARLIEST, _LATEST = 1971, 2200


@dataclass(frozen=True, slots=True)
class Range:
    """Start and end (excluded) of a search and how it was asked for."""

    start: datetime
    end: datetime
    preset: str

    @property
    def span(self) -> Span:
        """As the store takes it."""
        return Span(self.start, self.end)

    def shown(self, which: str) -> str:
        """Start or end for an `<input type=datetime-local>`, in Japan time."""
        return times.local_input(self.start if which == "from" else self.end)


def asked_range(visit: Visit) -> Range:
    """The range of this request. Raises QueryError for times that cannot be read."""
    preset, now = visit.asked("range", "24h"), visit.console.clock.now()
    if preset == "own":
        start, end = _time(visit.asked("from")), _time(visit.asked("to"))
        if start >= end:
            raise QueryError(
                "期間の始めは終わりより前にしてください。", "the range must start before it ends"
            )
        return Range(start, end, "own")
    if preset == "all":
        return _everything(visit.console.events, now)
    known = preset if preset in PRESETS else "24h"
    return Range(_on_a_bar(now - PRESETS[known], now), now + timedelta(seconds=1), known)


def _on_a_bar(start: datetime, end: datetime) -> datetime:
    """The start moved back to a full bar of the coarser chart, so that bars begin at round times."""
    interval = charts.interval_for(start, end, 24)
    midnight = datetime.combine(start.astimezone(JST).date(), time(), JST)
    return midnight + (start - midnight) // interval * interval


def _everything(events: Events, now: datetime) -> Range:
    held = events.datasets()
    first = min((stats.first for stats in held if stats.first), default=now - timedelta(days=1))
    last = max((stats.last for stats in held if stats.last), default=now) + timedelta(seconds=1)
    return Range(_on_a_bar(first, last), last, "all")


def _time(text: str) -> datetime:
    moment = times.given(text)
    if moment is None:
        raise QueryError(
            f"日時「{text[:40]}」を読めません(例 2026-11-20T03:14)。",
            f'"{text[:40]}" is no time (such as 2026-11-20T03:14)',
        )
    if not _EARLIEST <= moment.year <= _LATEST:
        raise QueryError(f"{moment.year} 年は使えません。", f"the year {moment.year} cannot be used")
    return moment
