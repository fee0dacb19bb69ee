"""How much arrived, and where something is missing: missing data is said in words, not drawn as zero.

An empty hour is a gap only where events were to be expected: on at least nine in ten of the days before
(three or more of the last seven) events came in that hour of the day. Without such a past, a dataset with 20
events an hour or more is expected each hour: were arrivals random, one hour in e^20 would be empty.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from dashboards import times
from dashboards.texts import Texts
from hinomi.batch import DEAD_LETTERS, SIGNALS
from hinomi.clock import JST
from hinomi.store import Bucket, Events, Span

HOUR = timedelta(hours=1)
_STEADY, _PAST, _FEWEST_DAYS, _SHARE = 20, timedelta(days=7), 3, 0.9


@dataclass(frozen=True, slots=True)
class Volume:
    """Events of one dataset. hours: those that are over; gaps: runs [start, end) of empty hours in which
    events were expected; judged: whether any hour had an expectation."""

    dataset: str
    total: int
    hours: list[Bucket]
    gaps: list[tuple[datetime, datetime]]
    judged: bool


def volumes(events: Events, start: datetime, end: datetime, now: datetime) -> list[Volume]:
    """Every dataset that the store holds (but our own signals and dead letters), largest first.

    start, end: full hours; hours that are not over at `now` are left out.
    """
    over = min(end, start + max(timedelta(), now - start) // HOUR * HOUR)
    names = [stats.name for stats in events.datasets() if stats.name not in {SIGNALS, DEAD_LETTERS}]
    found = [_volume(events, name, start, over) for name in names]
    return sorted(found, key=lambda volume: (-volume.total, volume.dataset))


def _volume(events: Events, name: str, start: datetime, over: datetime) -> Volume:
    if over <= start:
        return Volume(name, 0, [], [], judged=False)
    hours = events.histogram(span=Span(start, over), interval=HOUR, datasets=[name])
    past = events.histogram(span=Span(start - _PAST, start), interval=HOUR, datasets=[name])
    expected = expectation(hours, past)
    silent = [hour for hour in hours if not hour.count and hour.start.astimezone(JST).hour in expected]
    return Volume(name, sum(hour.count for hour in hours), hours, runs(silent), judged=bool(expected))


def expectation(hours: Sequence[Bucket], past: Sequence[Bucket]) -> set[int]:
    """Hours of the day (Japan time) in which events are expected."""
    days = {hour.start.astimezone(JST).date() for hour in past if hour.count}
    if len(days) >= _FEWEST_DAYS:
        came = [hour.start.astimezone(JST).hour for hour in past if hour.count]
        return {hour for hour in range(24) if came.count(hour) >= _SHARE * len(days)}
    mean = sum(hour.count for hour in hours) / max(1, len(hours))
    return set(range(24)) if mean >= _STEADY else set()


def runs(hours: Sequence[Bucket]) -> list[tuple[datetime, datetime]]:
    """Hours that touch joined into spans."""
    found: list[tuple[datetime, datetime]] = []
    for hour in hours:
        if found and found[-1][1] == hour.start:
            found[-1] = (found[-1][0], hour.start + HOUR)
        else:
            found.append((hour.start, hour.start + HOUR))
    return found


def in_words(volume: Volume, texts: Texts) -> str:
    """`02:00〜05:00の3時間、記録がありません`, or that nothing can be said."""
    if volume.gaps and not volume.total:
        return texts("digest.gap_all")
    if volume.gaps:
        return texts("mark.comma").join(_gap(gap, texts) for gap in volume.gaps)
    if volume.judged:
        return texts("digest.gap_none")
    return texts("digest.gap_few" if volume.total else "digest.gap_unknown")


def _gap(gap: tuple[datetime, datetime], texts: Texts) -> str:
    start, end = (moment.astimezone(JST) for moment in gap)
    length = times.duration(end - start, texts.language)
    until = "24:00" if end.hour == 0 else f"{end:%H:%M}"
    return texts("digest.gap", start=f"{start:%H:%M}", end=until, length=length)
