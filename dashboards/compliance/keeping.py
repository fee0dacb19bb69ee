"""How long each dataset is really kept, against the period laid down for it.

Counted are days (UTC) that hold events. What lies before more than a month without any is no proof (an old log that
somebody imported), nor is a day that only a hold keeps.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, timedelta
from enum import StrEnum
from itertools import pairwise

from dashboards.reporting.document import Ingredients
from hinomi.batch import DEAD_LETTERS, SIGNALS
from hinomi.retention import period_of
from hinomi.store import Span
from hinomi.store.apart import EventsApart
from hinomi.words import Words
from responders.incidents import holds

_YEAR = 365  # days, where no period is laid down
_APART = 31  # days without an event: what is older does not go on to today
_PAUSE = 14  # days that a dataset which pauses may have paused where its period begins
_DAY = timedelta(days=1)


class Kept(StrEnum):
    """enough: for its period; young: not yet, as the whole tower is younger; short: others are held for longer."""

    ENOUGH = "enough"
    YOUNG = "young"
    SHORT = "short"


@dataclass(frozen=True, slots=True)
class Keeping:
    """wanted: days of its period; days: held without a break, up to today; gap: most days in a row without an event within
    these, where a whole week or more."""

    dataset: str
    events: int
    wanted: int
    days: int
    gap: int
    state: Kept

    @property
    def said(self) -> Words:
        """`microsoft.windows_event 10日/365日`."""
        young = Words("、運用開始から日が浅い", ", young") if self.state is Kept.YOUNG else Words("", "")
        head = f"{self.dataset} {self.days}"
        return Words(f"{head}日/{self.wanted}日{young.ja}", f"{head}/{self.wanted} d{young.en}")

    @property
    def broken(self) -> Words:
        """`microsoft.windows_event(途切れ 9日)`."""
        return Words(f"{self.dataset}(途切れ {self.gap}日)", f"{self.dataset} (gap {self.gap} d)")


def keeping(of: Ingredients) -> list[Keeping]:
    """Each dataset that had events within its period, without our own signals and dead letters, by name."""
    today = of.clock.now().astimezone(UTC).date()
    held_back = holds.spans(of.records)
    found: list[Keeping] = []
    for dataset, days in sorted(_days(of).items()):
        period = period_of(dataset, of.periods)
        wanted = period.days if period else _YEAR
        if (today - max(days)).days <= wanted:
            found.append(_kept(dataset, days, wanted, today, held_back.get(dataset, ())))
    tower = max((one.days for one in found), default=0)
    return [_aged(one, tower) for one in found]


def _kept(
    dataset: str, days: Mapping[date, int], wanted: int, today: date, held_back: Sequence[Span]
) -> Keeping:
    newest_first = sorted((day for day in days if day <= today), reverse=True)
    unbroken = newest_first[:1]
    for later, day in pairwise(newest_first):
        if (later - day).days > _APART:
            break
        unbroken.append(day)
    while unbroken and (today - unbroken[-1]).days > 0 and _only_held(unbroken[-1], held_back):
        unbroken.pop()
    pauses = [(later - day).days - 1 for later, day in pairwise([today + _DAY, *unbroken])]
    pause = max(pauses, default=0)
    age = (today - unbroken[-1]).days if unbroken else 0
    enough = age + min(pause, _PAUSE) >= wanted
    gap = pause if pause >= 7 else 0
    state = Kept.ENOUGH if enough else Kept.SHORT
    return Keeping(dataset, sum(days.values()), wanted, age, gap, state)


def _aged(one: Keeping, tower: int) -> Keeping:
    """One that is short is young where nothing is held for as long as it is wanted."""
    if one.state is Kept.ENOUGH or tower >= one.wanted:
        return one
    return Keeping(one.dataset, one.events, one.wanted, one.days, one.gap, Kept.YOUNG)


def _only_held(day: date, held_back: Sequence[Span]) -> bool:
    """Whether a hold keeps the day, so that it says nothing of others as old."""
    return any(
        (span.start is None or span.start.astimezone(UTC).date() <= day)
        and (span.end is None or day <= span.end.astimezone(UTC).date())
        for span in held_back
    )


def _days(of: Ingredients) -> dict[str, dict[date, int]]:
    """Dataset → day → events."""
    if isinstance(of.events, EventsApart):
        return _days_apart(of)
    found: dict[str, dict[date, int]] = {}
    for one in of.events.days():
        if one.dataset not in {SIGNALS, DEAD_LETTERS} and one.events:
            found.setdefault(one.dataset, {})[one.day.date()] = one.events
    return found


def _days_apart(of: Ingredients) -> dict[str, dict[date, int]]:
    """The same of one organisation, which a store does not keep apart by day: counted."""
    found: dict[str, dict[date, int]] = {}
    for one in of.events.datasets():
        if one.name in {SIGNALS, DEAD_LETTERS} or one.first is None or one.last is None:
            continue
        midnight = one.first.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
        span = Span(midnight, one.last + _DAY)
        bars = of.events.histogram(datasets=[one.name], span=span, interval=_DAY)
        found[one.name] = {bar.start.astimezone(UTC).date(): bar.count for bar in bars if bar.count}
    return found
