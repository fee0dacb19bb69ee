"""Signals to alerts: detections joined, correlations over sliding windows, baselines.

The same signals give the same alerts in whatever order they come, late or twice, as long as they are not later than
the allowed lateness: entries are kept for a timespan and the lateness, windows are worked out again for each group
that something came into, and a burst keeps the alert id that it first had.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import polars as pl

from hinomi.alert import Alert
from hinomi.clock import Clock
from hinomi.errors import HinomiError
from hinomi.identity import digest
from hinomi.ledger import Ledger
from rules import baselines
from rules.baselines.baseline import Baseline, Finding
from rules.correlation.entry import Entry, entries
from rules.correlation.group import Burst, Group
from rules.correlation.rule import SECOND, CorrelationRule, compiled
from rules.correlation.window import EventCount, bursts
from rules.engine import RuleSet
from rules.meta import Meta

JOIN = 3600 * SECOND
"""Detections of one rule about the same entity within an hour are one alert."""
_EVIDENCE = 200
_VALUES = 40
_OUTSIDE = {"external"}
_ENTITIES = (
    "user.name",
    "user.email",
    "user.target.name",
    "host.name",
    "source.ip",
    "client.ip",
    "destination.ip",
    "file.name",
    "url.domain",
    "dns.question.name",
    "group.name",
)
_ZONES = ("source.zone", "destination.zone", "host.zone", "client.zone")


@dataclass(slots=True)
class Correlator:
    """lateness: how late a signal may come, in event time, and still count exactly."""

    rules: list[CorrelationRule]
    detections: dict[str, Meta]
    baselines: list[Baseline]
    clock: Clock
    lateness: timedelta = timedelta(minutes=10)
    ledger: Ledger = field(default_factory=Ledger)
    problems: list[HinomiError] = field(default_factory=list)
    _groups: dict[tuple[str, tuple[str, ...]], Group] = field(default_factory=dict)
    _newest: int = 0

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
        ids = {rule.name: rule.id for rule in rules.rules if rule.name} | {
            rule.id: rule.id for rule in rules.rules
        }
        for one in rules.correlations:
            identity = str(one.document["id"])
            ids |= {identity: identity, str(one.document.get("name") or identity): identity}
        made, problems = [], []
        for correlation in rules.correlations:
            try:
                made.append(compiled(correlation, ids))
            except HinomiError as error:
                problems.append(error)
        own, wrong = baselines.of(rules.others, ids)
        detections = {
            rule.id: Meta.of(rule.id, rule.title, rule.level, rule.tags, rule.custom, rule.name or "")
            for rule in rules.rules
        }
        counts = ledger if ledger is not None else Ledger()
        return cls(_ordered(made), detections, own, clock, lateness, counts, [*problems, *wrong])

    def feed(self, frame: pl.DataFrame) -> list[Alert]:
        """Take signals in; the alerts that are new or grew."""
        coming = list(entries(frame))
        for _, entry in coming:
            self._newest = max(self._newest, min(entry.time, self._now() + 86_400 * SECOND))
        alerts = list(self._detected([entry for role, entry in coming if role == "detection"]))
        fresh = [entry for _, entry in coming]
        for baseline in self.baselines:
            alerts += [self._of_finding(baseline.meta, finding) for finding in baseline.feed(fresh)]
        waiting = fresh
        for rule in self.rules:  # ordered so that a correlation of correlations comes after what it takes
            found = self._correlated(rule, waiting)
            alerts += found
            waiting = waiting + [_as_entry(alert) for alert in found]
        self._evict()
        return alerts

    def _detected(self, found: Sequence[Entry]) -> Iterator[Alert]:
        by_rule: dict[str, list[Entry]] = {}
        for entry in found:
            by_rule.setdefault(entry.rule, []).append(entry)
        for rule, own in by_rule.items():
            meta = self.detections.get(rule)
            if meta is not None:
                yield from self._correlated(_joining(meta), own)

    def _correlated(self, rule: CorrelationRule, coming: Iterable[Entry]) -> list[Alert]:
        touched: dict[tuple[str, ...], Group] = {}
        for entry in coming:
            if entry.rule not in rule.takes:
                continue
            key = rule.group(entry)
            if key is None:
                continue
            group = self._groups.setdefault((rule.meta.id, key), Group())
            if group.add(entry):
                touched[key] = group
        return [alert for key, group in touched.items() for alert in self._tell(rule, key, group)]

    def _tell(self, rule: CorrelationRule, key: tuple[str, ...], group: Group) -> Iterator[Alert]:
        for first, last, peak in bursts(group.entries, rule.timespan, rule.measure(), rule.holds):
            part = group.entries[first : last + 1]
            burst, grew = self._burst(rule, key, group, part)
            if grew:
                ja, en = rule.words(len(part), peak)
                yield _alert(rule.meta, burst, part, rule.kind, ja, en, rule.fields(key))

    def _burst(
        self, rule: CorrelationRule, key: tuple[str, ...], group: Group, part: Sequence[Entry]
    ) -> tuple[Burst, bool]:
        """The told burst that this one continues, or a new one; whether there is anything to tell."""
        first, last = part[0].time, part[-1].time
        for burst in group.told:
            if burst.first <= last + rule.timespan and first <= burst.last + rule.timespan:
                grew = first < burst.first or last > burst.last
                inner = any(entry.time <= burst.last for entry in part) and not grew
                burst.first, burst.last = min(first, burst.first), max(last, burst.last)
                return burst, grew or inner
        identity = digest(rule.meta.id, *key, str(first))
        burst = Burst(identity, first, last, self.clock.now().isoformat())
        group.told.append(burst)
        return burst, True

    def _of_finding(self, meta: Meta, finding: Finding) -> Alert:
        part = sorted(finding.entries, key=lambda entry: entry[:2])
        identity = digest(meta.id, finding.key)
        burst = Burst(identity, part[0].time, part[-1].time, self.clock.now().isoformat())
        return _alert(meta, burst, part, "baseline", finding.ja, finding.en, finding.fields)

    def _now(self) -> int:
        return int(self.clock.now().timestamp()) * SECOND

    def _evict(self) -> None:
        """Entries older than timespan and lateness before the newest event can no longer change a window."""
        spans = {rule.meta.id: rule.timespan for rule in self.rules}
        late = int(self.lateness.total_seconds()) * SECOND
        for (rule, key), group in list(self._groups.items()):
            before = self._newest - spans.get(rule, JOIN) - late
            over = group.evict(before)
            self.ledger.count("dropped", over, dataset=rule, reason="correlation_overflow")
            if not group.entries:
                del self._groups[rule, key]

    def dump(self) -> dict[str, Any]:
        """The state as JSON: groups, baselines, the newest time."""
        groups = [[rule, list(key), group.as_json()] for (rule, key), group in self._groups.items()]
        return {
            "newest": self._newest,
            "groups": groups,
            "baselines": {baseline.meta.id: baseline.dump() for baseline in self.baselines},
        }

    def load(self, state: dict[str, Any]) -> None:
        """Take up a state that `dump` gave; rules that are gone since are left out."""
        known = {rule.meta.id for rule in self.rules} | set(self.detections)
        self._newest = int(state["newest"])
        self._groups = {
            (rule, tuple(key)): Group.of_json(body) for rule, key, body in state["groups"] if rule in known
        }
        for baseline in self.baselines:
            if (held := state["baselines"].get(baseline.meta.id)) is not None:
                baseline.load(held)


def _joining(meta: Meta) -> CorrelationRule:
    """A plain detection as a correlation: one event is enough, an hour joins those about the same entity."""
    return CorrelationRule(
        meta=meta,
        kind="detection",
        takes=(meta.id,),
        timespan=JOIN,
        group_by=(),
        aliases={},
        measure=EventCount,
        holds=lambda n: n >= 1,
    ).about(meta.main)


def _ordered(rules: list[CorrelationRule]) -> list[CorrelationRule]:
    """What others take comes first; a circle keeps its written order."""
    ordered: list[CorrelationRule] = []
    left = list(rules)
    while left:
        ids = {rule.meta.id for rule in left}
        ready = [rule for rule in left if not ids & set(rule.takes)] or left[:1]
        ordered += ready
        left = [rule for rule in left if rule not in ready]
    return ordered


def _as_entry(alert: Alert) -> Entry:
    """An alert as a signal for correlations that take it."""
    fields: dict[str, Any] = {name: values[0] for name, values in alert.entities.items() if len(values) == 1}
    fields |= {name: value for name, value in alert.fields.items() if value is not None}
    time = int(alert.last.timestamp()) * SECOND
    return Entry(time, f"{alert.id}@{time}", alert.rule_id, (alert.event_ids or [""])[0], "", fields)


def _alert(
    meta: Meta, burst: Burst, part: Sequence[Entry], kind: str, ja: str, en: str, fields: dict[str, Any]
) -> Alert:
    return Alert(
        id=burst.alert_id,
        rule_id=meta.id,
        rule_name=meta.name,
        title_ja=meta.title_ja,
        title_en=meta.title_en,
        level=meta.level,
        kind=kind if kind in {"detection", "baseline"} else "correlation",
        first=_time(part[0].time),
        last=_time(part[-1].time),
        detected=datetime.fromisoformat(burst.detected),
        entities={name: values for name in _ENTITIES if (values := _values(part, name))},
        zones=sorted({zone for name in _ZONES for zone in _values(part, name)} - _OUTSIDE),
        datasets=sorted({entry.dataset for entry in part if entry.dataset}),
        event_ids=[entry.event_id for entry in part if entry.event_id][:_EVIDENCE],
        event_count=len(part),
        fields=fields,
        reason_ja=ja,
        reason_en=en,
        what_to_do_ja=meta.what_to_do_ja,
        what_to_do_en=meta.what_to_do_en,
        tags=list(meta.tags),
        guideline=list(meta.guideline),
        playbook=meta.playbook,
    )


def _values(part: Sequence[Entry], name: str) -> list[str]:
    found: dict[str, None] = {}
    for entry in part:
        if (value := entry.value(name)) not in (None, "", "-"):
            found[str(value)] = None
            if len(found) >= _VALUES:
                break
    return list(found)


def _time(nanos: int) -> datetime:
    return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=nanos // 1000)
