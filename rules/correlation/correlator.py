"""Signals to alerts: detections joined, correlations over sliding windows, baselines.

What lasted is worked out from the entries of a group, in event time, each time something comes into the group: so the
same signals give the same bursts in whatever order they come, late or twice, as long as none is later than the allowed
lateness. A burst keeps the alert id that it first had; the id is the digest of rule, group and the first event of the
first window that held, so that reading the same frames again, after a crash, makes the same ids again.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import polars as pl

from hinomi.alert import Alert, Level
from hinomi.clock import Clock
from hinomi.errors import HinomiError
from hinomi.identity import digest
from hinomi.ledger import Ledger
from rules.baselines.baseline import Baseline, Finding
from rules.correlation import ruling
from rules.correlation.burst import Burst
from rules.correlation.group import Group
from rules.correlation.rule import JOIN, SECOND, CorrelationRule
from rules.correlation.telling import alert
from rules.correlation.window import Stretch, stretches
from rules.engine import RuleSet
from rules.entry import Entry, entries
from rules.meta import Meta

FORMAT = 2
"""Of the state; one of another format is left aside and counted."""
MOST = 500_000
"""Entries kept in all; the groups that were quiet longest go beyond it, counted as `correlation_memory`."""
_SWEEPS = 20  # times in an allowed lateness that old entries are looked for


@dataclass(slots=True)
class Correlator:
    """lateness: how late a signal may come, in event time, and still count exactly."""

    rules: list[CorrelationRule]
    detections: Mapping[str, CorrelationRule]
    baselines: list[Baseline]
    clock: Clock
    lateness: timedelta = timedelta(minutes=10)
    ledger: Ledger = field(default_factory=Ledger)
    problems: list[HinomiError] = field(default_factory=list)
    _groups: dict[tuple[str, tuple[str, ...]], Group] = field(default_factory=dict)
    _newest: int = 0
    _swept: int = 0
    _kept: int = 0

    @classmethod
    def of(
        cls,
        rules: RuleSet,
        clock: Clock,
        *,
        lateness: timedelta = timedelta(minutes=10),
        ledger: Ledger | None = None,
    ) -> "Correlator":
        """A correlator for a rule set; what cannot run is in `problems`."""
        made = ruling.of(rules)
        counts = ledger if ledger is not None else Ledger()
        return cls(made.correlations, made.detections, made.baselines, clock, lateness, counts, made.problems)

    def feed(self, frame: pl.DataFrame) -> list[Alert]:
        """Take signals in; the alerts that are new or grew."""
        coming = list(entries(frame))
        self._advance(entry for _, entry in coming)
        waiting: dict[str, list[Entry]] = defaultdict(list)
        detected: dict[str, list[Entry]] = defaultdict(list)
        for role, entry in coming:
            waiting[entry.rule].append(entry)
            if role == "detection":
                detected[entry.rule].append(entry)
        alerts = [
            told
            for identity, own in detected.items()
            if (rule := self.detections.get(identity)) is not None and _is_for_people(rule.meta)
            for told in self._correlated(rule, own, waiting)
        ]
        for baseline in self.baselines:
            alerts += self._of_baseline(baseline, [entry for _, entry in coming])
        for rule in self.rules:  # ordered so that a correlation of correlations comes after what it takes
            own = [entry for taken in dict.fromkeys(rule.takes) for entry in waiting[taken]]
            found = self._correlated(rule, own, waiting)
            alerts += found if rule.speaks and _is_for_people(rule.meta) else []
        self._sweep()
        return alerts

    def _advance(self, coming: Iterable[Entry]) -> None:
        """How far event time has come. A clock that runs ahead cannot push it past now and the lateness."""
        ahead = int(self.clock.now().timestamp()) * SECOND + self._late()
        self._newest = max([self._newest, *(min(entry.time, ahead) for entry in coming)])

    def _correlated(
        self, rule: CorrelationRule, coming: Iterable[Entry], waiting: dict[str, list[Entry]]
    ) -> list[Alert]:
        touched: dict[tuple[str, ...], list[Entry]] = defaultdict(list)
        for entry in coming:
            if (key := rule.group(entry)) is not None and self._taken(rule, key, entry):
                touched[key].append(entry)
        alerts = []
        for key, fresh in touched.items():
            for burst, stretch in self._grown(rule, key, fresh):
                alerts.append(
                    alert(
                        rule.meta,
                        burst,
                        rule.alert_kind,
                        rule.figure.words(burst.n, burst.peak),
                        rule.fields(key),
                    )
                )
                if rule.feeds:
                    waiting[rule.meta.id] += self._as_entries(rule, key, burst, stretch, fresh)
        return alerts

    def _taken(self, rule: CorrelationRule, key: tuple[str, ...], entry: Entry) -> bool:
        group = self._groups.setdefault((rule.meta.id, key), Group())
        if group.settled(entry) and entry.id not in group.marks:
            self.ledger.count("dropped", dataset=rule.meta.id, reason="correlation_late")
            return False
        added = group.add(entry, self._newest)
        self._kept += added
        return added

    def _grown(
        self, rule: CorrelationRule, key: tuple[str, ...], fresh: Sequence[Entry]
    ) -> Iterator[tuple[Burst, Stretch]]:
        """Bursts of a group that fresh entries made or changed, each with the stretch that it is of."""
        group = self._groups[rule.meta.id, key]
        since = None if rule.grows else group.forgotten
        ids = {entry.id for entry in fresh}
        for stretch in stretches(group.entries, rule.timespan, rule.measure(), rule.holds, since):
            first, last = group.entries[stretch.first].time, group.entries[stretch.last].time
            near = [burst for burst in group.told if burst.near(first, last, rule.timespan)]
            known = [(burst.first, burst.last) for burst in near]
            burst = near[0] if near else self._told(rule, key, group, first, last)
            for other in near[1:]:
                burst.absorb(other)
                group.told.remove(other)
            burst.first, burst.last = min(burst.first, first), max(burst.last, last)
            new = [
                entry
                for entry in group.between(burst.first, burst.last)
                if entry.id in ids or not any(start <= entry.time <= end for start, end in known)
            ]
            if new:
                burst.take(new)
                burst.peak, burst.mark = max(burst.peak, stretch.peak), self._newest
                yield burst, stretch

    def _told(
        self, rule: CorrelationRule, key: tuple[str, ...], group: Group, first: int, last: int
    ) -> Burst:
        identity = digest(rule.meta.id, *key, str(first))
        burst = Burst(identity, first, last, self.clock.now().isoformat(), self._newest)
        group.told.append(burst)
        return burst

    def _as_entries(
        self,
        rule: CorrelationRule,
        key: tuple[str, ...],
        burst: Burst,
        stretch: Stretch,
        fresh: Sequence[Entry],
    ) -> Iterator[Entry]:
        """Windows of a burst as signals for correlations of correlations: one where each window ends."""
        group, since = self._groups[rule.meta.id, key], min(entry.time for entry in fresh)
        for end in stretch.ends:
            if (entry := group.entries[end]).time >= since:
                name = f"{rule.meta.id}|{entry.id}"
                fields = rule.fields(key)
                yield Entry(
                    entry.time, name, rule.meta.id, entry.event_id, entry.dataset, fields, burst.alert_id
                )

    def _of_baseline(self, baseline: Baseline, coming: Sequence[Entry]) -> Iterator[Alert]:
        for finding in baseline.feed(coming, self._newest):
            if _is_for_people(baseline.meta):
                yield self._of_finding(baseline.meta, finding)
        self.ledger.count(
            "dropped", baseline.take_forgotten(), dataset=baseline.meta.id, reason="baseline_memory"
        )

    def _of_finding(self, meta: Meta, finding: Finding) -> Alert:
        times = [entry.time for entry in finding.entries]
        detected = self.clock.now().isoformat()
        burst = Burst(digest(meta.id, finding.key), min(times), max(times), detected, self._newest)
        burst.take(sorted(finding.entries, key=lambda entry: entry[:2]))
        return alert(meta, burst, "baseline", (finding.ja, finding.en), finding.fields)

    def _late(self) -> int:
        return int(self.lateness.total_seconds()) * SECOND

    def _sweep(self) -> None:
        """Forget entries that came a timespan and the lateness ago: they can no longer change a window."""
        if self._newest - self._swept < self._late() // _SWEEPS and self._kept <= MOST:
            return
        self._swept = self._newest
        spans = {rule.meta.id: rule.timespan for rule in self.rules}
        for (rule, key), group in list(self._groups.items()):
            over = group.evict(self._newest - spans.get(rule, JOIN) - self._late())
            self.ledger.count("dropped", over, dataset=rule, reason="correlation_overflow")
            if not group.entries and not group.told:
                del self._groups[rule, key]
        self._shrink()

    def _shrink(self) -> None:
        """Give up the groups that were quiet longest, until what is kept is within bounds."""
        self._count()
        if self._kept <= MOST:
            return
        for rule, key in sorted(self._groups, key=lambda name: self._groups[name].newest()):
            if self._kept <= MOST:
                return
            gone = len(self._groups.pop((rule, key)).entries)
            self._kept -= gone
            self.ledger.count("dropped", gone, dataset=rule, reason="correlation_memory")

    def _count(self) -> None:
        self._kept = sum(len(group.entries) for group in self._groups.values())

    def dump(self) -> dict[str, Any]:
        """The state as JSON: groups, baselines, how far event time has come."""
        groups = [[rule, list(key), group.as_json()] for (rule, key), group in self._groups.items()]
        return {
            "format": FORMAT,
            "newest": self._newest,
            "groups": groups,
            "baselines": {baseline.meta.id: baseline.dump() for baseline in self.baselines},
        }

    def load(self, state: Mapping[str, Any]) -> None:
        """Take up a state that `dump` gave; rules that are gone since are left out."""
        if state.get("format") != FORMAT:
            self.ledger.count("dropped", reason="correlator_state_format")
            return
        known = {rule.meta.id for rule in self.rules} | set(self.detections)
        self._newest = int(state["newest"])
        self._groups = {
            (rule, tuple(key)): Group.of_json(body) for rule, key, body in state["groups"] if rule in known
        }
        self._count()
        for baseline in self.baselines:
            if (held := state["baselines"].get(baseline.meta.id)) is not None:
                baseline.load(held)


def _is_for_people(meta: Meta) -> bool:
    """Sigma: no alert for what is informational, as very many events match it."""
    return meta.level is not Level.INFORMATIONAL
