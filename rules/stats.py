"""Signals and cost by rule and hour, kept as records: one a process and hour, written by that process alone.

Workers count detections and time samples of them; whoever correlates times each correlation and baseline in full.

`figures` is what others read (`hinomi rules stats`, hygiene, the console).
"""

import threading
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from hinomi.batch import Batch
from hinomi.clock import JST, Clock
from hinomi.store import Record, Records
from rules.costing import Fed, cost
from rules.engine import Matches, RuleSet

KIND = "rule_stat"
KEPT_DAYS = 35
_SAVE_EVERY = 10.0
_SHARE = 0.005  # of the time at most goes into samples
_SAMPLE = 2_000  # events of one
_MOST = 100_000


@dataclass(slots=True)
class Figures:
    """A rule over a span: signals (correlations and baselines give none), by day (JST) too; last: the last hour with one;
    seconds: of processor time, of detections reckoned from samples; share: of all the time that matching took, 0 to 1."""

    signals: int = 0
    days: Counter[str] = field(default_factory=Counter)
    last: datetime | None = None
    seconds: float = 0.0
    share: float = 0.0

    def as_json(self) -> dict[str, Any]:
        """Plain JSON values."""
        return {
            "signals": self.signals,
            "days": dict(sorted(self.days.items())),
            "last_hour": self.last.isoformat() if self.last else None,
            "cpu_seconds": round(self.seconds, 3),
            "share": round(self.share, 4),
        }


def figures(records: Records, since: datetime, until: datetime | None = None) -> dict[str, Figures]:
    """By rule id: signals and reckoned cost of each rule that had any in the hours from `since` to `until` (zoned).

    A rule that is not in it had no signal and was never dear enough to be seen in a sample.
    """
    start = _hour(since)
    held = _hours(records.find(KIND, limit=_MOST))
    return _summed([one for one in held if start <= one[0] and (until is None or one[0] < until)])


def hourly(records: Records, hour: datetime) -> dict[str, Figures]:
    """`figures` of the one hour that holds this time (UTC, as `Clock` says it); only its records are read."""
    return _summed(_hours(records.find(KIND, {"hour": _hour(hour).isoformat()}, limit=_MOST)))


def _summed(hours: Iterable[tuple[datetime, Mapping[str, Any]]]) -> dict[str, Figures]:
    found: dict[str, Figures] = {}
    whole = 0.0
    for hour, body in hours:
        for rule, n in body["signals"].items():
            one = found.setdefault(rule, Figures())
            one.signals += n
            one.days[f"{hour.astimezone(JST):%Y-%m-%d}"] += n
            one.last = max(one.last or hour, hour)
        times = body["events"] / body["sampled"] if body["sampled"] else 0.0
        whole += (sum(body["seconds"].values()) + body["shared"]) * times
        for rule, seconds in body["seconds"].items():
            found.setdefault(rule, Figures()).seconds += seconds * times
    for one in found.values():
        one.share = one.seconds / whole if whole else 0.0
    return found


def _hours(records: Iterable[Record]) -> Iterator[tuple[datetime, Mapping[str, Any]]]:
    for one in records:
        yield datetime.fromisoformat(one.body["hour"]), one.body


def _hour(moment: datetime) -> datetime:
    return moment.replace(minute=0, second=0, microsecond=0)


@dataclass(slots=True)
class Tally:
    """One process's counts; what is not saved yet is in memory. Safe with a thread that matches and one that saves."""

    records: Records
    process: str
    clock: Clock
    signals: Counter[str] = field(default_factory=Counter)
    seconds: Counter[str] = field(default_factory=Counter)
    shared: float = 0.0
    sampled: int = 0
    events: int = 0
    _next: float = 0.0
    _saved: float = 0.0
    _pruned: str = ""
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def saw(self, rules: RuleSet, batch: Batch, matches: Matches) -> None:
        """Count a batch that was matched; now and then time its rules one by one."""
        with self._lock:
            self.events += len(batch)
            for rule, rows in matches.hits:
                self.signals[rule.id] += len(rows)
            began = time.monotonic()
            if began < self._next or not len(batch):
                return
            seen = cost(rules, Batch(batch.dataset, batch.frame.head(_SAMPLE), batch.origin))
            self.seconds.update(seen.rules)
            self.shared += seen.shared
            self.sampled += seen.events
            now = time.monotonic()
            self._next = now + (now - began) / _SHARE

    def fed(self, costs: Fed) -> None:
        """Count what correlations and baselines took: all of it, and no sample."""
        with self._lock:
            self.seconds.update(costs.rules)
            self.events += costs.events
            self.sampled += costs.events

    def save(self, *, at_once: bool = False) -> None:
        """Add what was counted to the record of this hour. Raises StoreError; then it stays counted."""
        if time.monotonic() - self._saved < _SAVE_EVERY and not at_once:
            return
        with self._lock:
            if not self.events:
                return
            hour = _hour(self.clock.now())
            identity = f"{self.process}|{hour:%Y%m%dT%H}"
            held = self.records.get(KIND, identity)
            self.records.put(KIND, identity, self._body(hour, held))
            self.signals, self.seconds = Counter(), Counter()
            self.shared, self.sampled, self.events = 0.0, 0, 0
            self._saved = time.monotonic()
        self._prune(hour)

    def _body(self, hour: datetime, held: Record | None) -> dict[str, Any]:
        before: Mapping[str, Any] = held.body if held else {}
        return {
            "process": self.process,
            "hour": hour.isoformat(),
            "signals": _sum(before.get("signals", {}), self.signals),
            "seconds": _sum(before.get("seconds", {}), self.seconds),
            "shared": before.get("shared", 0.0) + self.shared,
            "sampled": before.get("sampled", 0) + self.sampled,
            "events": before.get("events", 0) + self.events,
        }

    def _prune(self, hour: datetime) -> None:
        """Once a day, what is older than KEPT_DAYS goes."""
        if self._pruned == (day := f"{hour:%Y%m%d}"):
            return
        self._pruned = day
        for one in self.records.find(KIND, {"process": self.process}, limit=_MOST):
            if datetime.fromisoformat(one.body["hour"]) < hour - timedelta(days=KEPT_DAYS):
                self.records.delete(KIND, one.id)


def _sum(one: Mapping[str, Any], other: Mapping[str, Any]) -> dict[str, Any]:
    return {name: one.get(name, 0) + other.get(name, 0) for name in {*one, *other}}
