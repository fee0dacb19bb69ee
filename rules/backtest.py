"""What rules would have raised over stored days: matched by the real engine, correlated in the order of event time.

Nothing is stored. A correlation knows nothing of the time before the span, and a baseline learns within it.
"""

import time
from collections import Counter, defaultdict
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import polars as pl

from hinomi import signal
from hinomi.alert import Alert
from hinomi.batch import DEAD_LETTERS, SIGNALS, Batch
from hinomi.clock import JST, FixedClock
from hinomi.store import Events, Span
from rules.correlation import Correlator
from rules.engine.logsource import ANY_DATASET
from rules.picked import Picked

_SLICE = 5_000  # signals that the correlator takes at once
MOST_SIGNALS = 500_000
"""Signals of one day that are correlated; beyond it matches are counted and the day is marked as cut."""
_ENTITIES = ("user.name", "host.name", "source.ip", "destination.ip", "user.target.name", "url.domain")


@dataclass(slots=True)
class Day:
    """One day (JST): events looked at, signals, alerts that began on it; cut: not all signals were correlated."""

    events: int = 0
    signals: int = 0
    alerts: int = 0
    cut: bool = False


@dataclass(slots=True)
class Backtest:
    """days: by date; signals: by rule id; alerts: by their id; entities: (field, value) → alerts, or signals where a
    rule raises no alerts of its own; samples: ids of events; seconds: of processor time that matching took."""

    start: datetime
    end: datetime
    days: dict[str, Day] = field(default_factory=lambda: defaultdict(Day))
    signals: Counter[str] = field(default_factory=Counter)
    alerts: dict[str, Alert] = field(default_factory=dict)
    seen: Counter[tuple[str, str]] = field(default_factory=Counter)
    samples: list[str] = field(default_factory=list)
    seconds: float = 0.0

    @property
    def events(self) -> int:
        """Events looked at."""
        return sum(day.events for day in self.days.values())

    @property
    def entities(self) -> Counter[tuple[str, str]]:
        """Whom the alerts are about; without alerts, whom the signals are about."""
        about = Counter(
            (name, value)
            for one in self.alerts.values()
            for name, values in one.entities.items()
            if name in _ENTITIES
            for value in values
        )
        return about or self.seen

    @property
    def per_million(self) -> float:
        """Seconds of processor time a million events."""
        return self.seconds / self.events * 1e6 if self.events else 0.0


def run(
    picked: Picked,
    events: Events,
    span: Span,
    *,
    lateness: timedelta,
    samples: int = 5,
    most: int = MOST_SIGNALS,
) -> Backtest:
    """Go over the days of a span (both ends given), oldest first. samples: how many event ids are kept."""
    assert span.start is not None and span.end is not None
    found = Backtest(span.start, span.end)
    correlator = Correlator.of(picked.rules, clock := FixedClock(span.start), lateness=lateness)
    feeds = {name for rule in picked.rules.rules for name in rule.feeds}
    for day in _days(span):
        for part in _signals(picked, events, day, feeds, found, most).iter_slices(_SLICE):
            newest = part["@timestamp"].max()
            clock.time = newest if isinstance(newest, datetime) else clock.time
            for alert in correlator.feed(part):
                if alert.rule_id in picked.ids:
                    found.alerts[alert.id] = alert
    for alert in found.alerts.values():
        found.days[_date(alert.first)].alerts += 1
    told = [identity for alert in found.alerts.values() for identity in alert.event_ids[:1]]
    found.samples = list(dict.fromkeys([*told, *found.samples]))[:samples]
    return found


def _days(span: Span) -> Iterator[Span]:
    start, end = span.start, span.end
    assert start is not None and end is not None
    while start < end:
        midnight = (start.astimezone(JST) + timedelta(days=1)).replace(
            hour=0, minute=0, second=0, microsecond=0
        )
        yield Span(start, min(midnight, end))
        start = midnight


def _signals(
    picked: Picked, events: Events, span: Span, feeds: Collection[str], found: Backtest, most: int
) -> pl.DataFrame:
    """The signals of a day in the order of event time; what they are is counted into `found`."""
    assert span.start is not None
    parts, held, day = [signal.empty()], 0, found.days[_date(span.start)]
    for name in (one.name for one in events.datasets() if one.name not in {SIGNALS, DEAD_LETTERS}):
        if ANY_DATASET not in feeds and name not in feeds:
            continue
        for frame in events.scan(name, span=span):
            batch = Batch(name, frame)
            began = time.process_time()
            matches = picked.rules.match(batch)
            found.seconds += time.process_time() - began
            day.events, day.signals = day.events + len(batch), day.signals + len(matches)
            found.signals.update({rule.id: len(rows) for rule, rows in matches.hits})
            _see(picked, batch, matches.hits, found)
            if held + len(matches) > most:
                day.cut = True
            elif len(matches):
                parts.append(picked.rules.signals(batch, matches))
                held += len(matches)
    return pl.concat(parts).sort("@timestamp", "event.id")


def _see(picked: Picked, batch: Batch, hits: Any, found: Backtest) -> None:
    """Whom the events of the rules asked for are about, and some of their ids."""
    for rule, rows in hits:
        if rule.id not in picked.ids:
            continue
        frame = batch.frame[rows]
        found.samples += frame["event.id"].head(max(0, 20 - len(found.samples))).to_list()
        for name in set(_ENTITIES) & set(frame.columns):
            counts = frame.get_column(name).cast(pl.String).drop_nulls().value_counts(name="n")
            found.seen.update({(name, value): n for value, n in counts.iter_rows()})


def _date(moment: datetime) -> str:
    return f"{moment.astimezone(JST):%Y-%m-%d}"
