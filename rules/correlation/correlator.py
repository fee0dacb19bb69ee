"""Signals to alerts: detections joined, correlations over sliding windows, baselines.

What lasted is worked out from the entries of a group, in event time, each time something comes into the group: so the
same signals give the same bursts in whatever order they come, late or twice, as long as none is later than the allowed
lateness. A burst keeps the alert id that it first had; the id is the digest of rule, group and the first event of the
first window that held, so that reading the same frames again, after a crash, makes the same ids again.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import polars as pl

from hinomi.alert import Alert, Level
from hinomi.clock import Clock
from hinomi.collecting import no_collection
from hinomi.errors import HinomiError
from hinomi.identity import digest
from hinomi.ledger import Ledger
from hinomi.organization import FIELD
from rules.baselines.apart import Apart
from rules.baselines.baseline import Baseline, Finding
from rules.correlation import ruling
from rules.correlation.burst import Burst
from rules.correlation.group import Group
from rules.correlation.groups import Groups, Key, size
from rules.correlation.rule import JOIN, SECOND, CorrelationRule
from rules.correlation.telling import alert, memory_alert, overflow_alert
from rules.correlation.window import Stretch, Tail, stretches
from rules.costing import Fed
from rules.engine import RuleSet
from rules.entry import MOST_VALUES, Entry, entries
from rules.meta import Meta

FORMAT = 3
"""Of the state; one of another format is left aside and counted."""
_SWEEPS = 20  # times in an allowed lateness that old entries are looked for
_ABSENT = 60 * 86_400 * SECOND
"""How long, in event time, what a baseline learnt is kept while its rule is not there: a file under repair, a switch, an import."""
_TAILS = 4  # entries of a group from which its last window is kept ready

Waiting = dict[str, list[Entry]]


@dataclass(frozen=True, slots=True)
class Absent:
    """What a baseline knew whose rule is not there now. mark: how far event time had come; meaning: what it is about
    (`Baseline.meaning`; empty in states of releases that did not say)."""

    state: Any
    mark: int
    meaning: str = ""


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
    groups: Groups = field(default_factory=Groups)
    costs: Fed = field(default_factory=Fed)
    _newest: int = 0
    _swept: int = 0
    _fed: set[str] = field(default_factory=set)
    _spans: dict[str, int] = field(default_factory=dict)
    _absent: dict[str, Absent] = field(default_factory=dict)

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
        return cls.ready(ruling.of(rules), clock, lateness=lateness, ledger=ledger)

    @classmethod
    def ready(
        cls,
        made: ruling.Ruling,
        clock: Clock,
        *,
        lateness: timedelta = timedelta(minutes=10),
        ledger: Ledger | None = None,
    ) -> "Correlator":
        """A correlator for what was made ready of a rule set."""
        counts = ledger if ledger is not None else Ledger()
        parted: list[Baseline] = [Apart(one) for one in made.baselines]
        return cls(made.correlations, made.detections, parted, clock, lateness, counts, made.problems)

    def live(self) -> int:
        """How many groups are live."""
        return self.groups.live()

    def feed(self, frame: pl.DataFrame) -> list[Alert]:
        """Take signals in; the alerts that are new or grew."""
        if not frame.height:
            return []
        with no_collection():  # what is kept holds no cycles, and each pass would look at all of it
            return self._fed_in(frame)

    def _fed_in(self, frame: pl.DataFrame) -> list[Alert]:
        self._advance(frame["@timestamp"])
        self.costs.events += frame.height
        waiting: Waiting = defaultdict(list)
        detected: Waiting = defaultdict(list)
        for role, entry in entries(frame, self._newest):
            waiting[entry.rule].append(entry)
            if role == "detection":
                detected[entry.rule].append(entry)
        alerts = self._detections(detected, waiting)
        for baseline in self.baselines:
            own = [entry for rule in baseline.declared.takes for entry in waiting.get(rule, ())]
            if own:
                with self.costs.timed(baseline.meta.id):
                    alerts += self._of_baseline(baseline, own)
        for rule in self.rules:  # ordered so that a correlation of correlations comes after what it takes
            own = [entry for taken in rule.takes_once for entry in waiting.get(taken, ())]
            if own:
                with self.costs.timed(rule.meta.id):
                    alerts += self._correlated(rule, own, waiting)
        return alerts + self._sweep()

    def _advance(self, times: pl.Series) -> None:
        """How far event time has come. A clock that runs ahead cannot push it past now and the lateness."""
        ahead = int(self.clock.now().timestamp()) * SECOND + self._late()
        newest = times.dt.epoch("ns").clip(upper_bound=ahead).max()
        self._newest = max(self._newest, int(newest)) if isinstance(newest, int) else self._newest

    def _detections(self, detected: Waiting, waiting: Waiting) -> list[Alert]:
        return [
            told
            for identity, own in detected.items()
            if (rule := self.detections.get(identity)) is not None and _tells(rule)
            for told in self._correlated(rule, own, waiting)
        ]

    def _correlated(self, rule: CorrelationRule, coming: Iterable[Entry], waiting: Waiting) -> list[Alert]:
        """The alerts that these entries made or changed, of a rule that tells; what it found is waiting for those it feeds."""
        touched: dict[Key, list[Entry]] = defaultdict(list)
        for entry in coming:
            keys = rule.groups(entry)
            if len(keys) > MOST_VALUES:
                self.ledger.count("dropped", dataset=rule.meta.id, reason="correlation_groups")
                keys = keys[:MOST_VALUES]
            one = entry if len(keys) < 2 else entry._replace(share=len(keys))
            for key in keys:
                touched[key].append(one)
        alerts, tells = [], _tells(rule)
        for key, brought in touched.items():
            group = self.groups.of(rule.meta.id, key)
            if not (fresh := [entry for entry in brought if self._is_new(rule, group, entry)]):
                continue
            for burst, stretch in self._grown(rule, key, group, fresh):
                if tells:
                    words = rule.figure.words(burst.n, burst.peak)
                    alerts.append(alert(rule.meta, burst, rule.alert_kind, words, rule.fields(key)))
                if rule.feeds:
                    waiting[rule.meta.id] += _as_entries(
                        rule, key, group, burst, stretch, fresh, self._newest
                    )
            self.groups.keep(rule.meta.id, key, group, sum(map(size, fresh)))
        return alerts

    def _is_new(self, rule: CorrelationRule, group: Group, entry: Entry) -> bool:
        if group.told and group.settled(entry) and not group.has(entry):
            self.ledger.count("dropped", dataset=rule.meta.id, reason="correlation_late")
            return False
        return group.add(entry)

    def _grown(
        self, rule: CorrelationRule, key: Key, group: Group, fresh: Sequence[Entry]
    ) -> Iterator[tuple[Burst, Stretch]]:
        """Bursts of a group that fresh entries made or changed, each with the stretch that it is of."""
        since = None if rule.grows else group.forgotten
        for stretch in stretches(
            group.entries, rule.timespan, self._tail(rule, group, fresh), rule.holds, since
        ):
            first, last = group.entries[stretch.first].time, group.entries[stretch.last].time
            near = [burst for burst in group.told if burst.near(first, last, rule.timespan)]
            known = [(burst.first, burst.last) for burst in near]
            burst = near[0] if near else self._told(rule, key, group, first, last)
            for other in near[1:]:
                burst.absorb(other)
                group.told.remove(other)
            burst.first, burst.last = min(burst.first, first), max(burst.last, last)
            new = {
                entry[:3]: entry
                for entry in fresh
                if any(starts <= entry.time <= ends for starts, ends in known)
            }
            new |= {entry[:3]: entry for entry in group.gaps(burst.first, burst.last, known)}
            if new:
                burst.take(new[identity] for identity in sorted(new))
                burst.peak, burst.mark = max(burst.peak, stretch.peak), self._newest
                yield burst, stretch

    def _tail(self, rule: CorrelationRule, group: Group, fresh: Sequence[Entry]) -> Tail:
        """The window from which on to look: the kept one where all that is fresh came behind it."""
        if group.tail is None:
            if len(group.entries) == len(fresh):  # nothing was there before
                tail = Tail(rule.measure(), 0, 0)
            else:
                moment = min(entry.time for entry in fresh)
                tail = Tail.before(group.entries, moment, rule.timespan, rule.measure())
            group.tail = tail if len(group.entries) >= _TAILS else None
            return tail
        return group.tail

    def _told(self, rule: CorrelationRule, key: Key, group: Group, first: int, last: int) -> Burst:
        identity = digest(rule.meta.id, *key, str(first))
        burst = Burst(identity, first, last, self.clock.now().isoformat(), self._newest)
        group.told.append(burst)
        return burst

    def _of_baseline(self, baseline: Baseline, coming: Sequence[Entry]) -> list[Alert]:
        self._fed.add(baseline.meta.id)
        found = baseline.feed(coming, self._newest)
        forgotten = baseline.take_forgotten()
        self.ledger.count("dropped", forgotten, dataset=baseline.meta.id, reason="baseline_memory")
        return [self._of_finding(baseline.meta, one) for one in found if _is_for_people(baseline.meta)]

    def _of_finding(self, meta: Meta, finding: Finding) -> Alert:
        first, last = finding.span()
        detected = self.clock.now().isoformat()
        whose = (
            [finding.fields[FIELD]] if FIELD in finding.fields else []
        )  # a part of its own: no name can forge it
        burst = Burst(digest(meta.id, finding.key, *whose), first, last, detected, self._newest)
        burst.take(sorted(finding.entries, key=lambda entry: entry[:3]))
        burst.n = max(burst.n, finding.n)
        return alert(meta, burst, "baseline", (finding.ja, finding.en), finding.fields)

    def _late(self) -> int:
        return int(self.lateness.total_seconds()) * SECOND

    def _sweep(self) -> list[Alert]:
        """Forget entries that came a timespan and the lateness ago: they can no longer change a window. Where there is
        still too much, groups are given up, which people are told: a threshold may have been missed."""
        crowded = self.groups.taken > self.groups.memory
        if self._newest - self._swept < self._late() // _SWEEPS and not crowded:
            return []
        self._swept = self._newest
        spans = self._timespans()
        metas = {rule.meta.id: rule.meta for rule in self.rules}
        full = []
        swept = self.groups.sweep(
            lambda one: self._newest - spans.get(one, JOIN) - self._late(), self._common()
        )
        for rule, over in swept:
            self.ledger.count("dropped", over, dataset=rule, reason="correlation_overflow")
            full += [(metas[rule], over)] if rule in metas else []
        alerts = [overflow_alert(full, self._newest, self.clock.now())] if full else []
        lost = self.groups.shrink()
        for one in lost:
            self.ledger.count("dropped", one.entries, dataset=one.rule, reason="correlation_memory")
        names = self._known() if lost else {}
        told = [(names[one.rule].meta, one.groups) for one in lost if one.rule in names]
        return [*alerts, memory_alert(told, self._newest, self.clock.now())] if told else alerts

    def _common(self) -> frozenset[str]:
        """Rules whose signals several correlations take, which have them together."""
        takers = Counter(taken for rule in self.rules for taken in rule.takes_once)
        return frozenset(taken for taken, n in takers.items() if n > 1)

    def dump(self) -> dict[str, Any]:
        """The whole state as JSON: groups, baselines, how far event time has come."""
        return {
            "format": FORMAT,
            "newest": self._newest,
            **self._with_spans(self.groups.dump()),
            "baselines": {identity: gone.state for identity, gone in self._absent.items()}
            | {baseline.meta.id: baseline.dump() for baseline in self.baselines},
            "meanings": self._meanings(),
        }

    def _meanings(self) -> dict[str, str]:
        """What each baseline's state is about."""
        gone = {identity: gone.meaning for identity, gone in self._absent.items()}
        return gone | {one.meta.id: one.meaning for one in self.baselines}

    def changes(self) -> dict[str, Any]:
        """The parts of the state that changed since the last asking, each as JSON that `load` takes."""
        head = {"format": FORMAT, "newest": self._newest}
        parts = {
            f"groups-{n:02}": {**head, **self._with_spans(groups)}
            for n, groups in self.groups.dump_changed().items()
        }
        known = {identity: gone.state for identity, gone in self._absent.items() if identity in self._fed}
        known |= {one.meta.id: one.dump() for one in self.baselines if one.meta.id in self._fed}
        about = self._meanings()
        parts |= {
            f"baseline-{identity}": {
                **head,
                "baselines": {identity: state},
                "meanings": {identity: about[identity]},
            }
            for identity, state in known.items()
        }
        self._fed.clear()
        return parts

    def _timespans(self) -> dict[str, int]:
        """By rule id, in nanoseconds: of the rules that are here, and of those that were."""
        return self._spans | {rule.meta.id: rule.timespan for rule in self.rules}

    def _with_spans(self, groups: list[list[Any]]) -> dict[str, Any]:
        """Groups as they are saved, with the timespans of their rules: for a start at which a rule is not there."""
        spans, own = self._timespans(), {rule for rule, _, _ in groups}
        return {"groups": groups, "spans": {rule: spans[rule] for rule in sorted(own & spans.keys())}}

    def take_over(self, other: "Correlator") -> None:
        """Go on where another correlator, of rules as they were, leaves off. What is of rules that are not there now is
        kept as long as it could matter: a rule may be back with the next reload."""
        self._newest, self._fed = other._newest, set(other._fed)
        self.costs = other.costs
        self.groups.take_over(other.groups)
        self._spans = other._timespans()
        self._absent = dict(other._absent)
        held = {baseline.meta.id: baseline for baseline in other.baselines}
        for baseline in self.baselines:
            if (before := held.pop(baseline.meta.id, None)) is not None:
                self._taken_up(baseline, Absent(before.dump(), self._newest, before.meaning))
            elif (gone := self._absent.get(baseline.meta.id)) is not None:
                self._taken_up(baseline, gone)
        self._absent |= {
            identity: Absent(before.dump(), self._newest, before.meaning) for identity, before in held.items()
        }
        self._forget_absent()

    def _taken_up(self, baseline: Baseline, gone: Absent) -> None:
        """Go on with what was learnt, unless it is about something else now: that is counted, and learning begins anew."""
        if gone.meaning not in ("", baseline.meaning):
            self.ledger.count("dropped", dataset=baseline.meta.id, reason="baseline_options")
            return
        try:
            baseline.load(gone.state)
        except (
            LookupError,
            TypeError,
            ValueError,
            AttributeError,
        ):  # of another kind of baseline under the same id
            self.ledger.count("dropped", dataset=baseline.meta.id, reason="correlator_state_format")

    def _forget_absent(self) -> None:
        here = {baseline.meta.id for baseline in self.baselines}
        self._absent = {
            identity: gone
            for identity, gone in self._absent.items()
            if identity not in here and gone.mark >= self._newest - _ABSENT
        }

    def load(self, state: Mapping[str, Any]) -> None:
        """Take up a state, or a part of one; what is of rules that are not there now is kept as `take_over` keeps it.

        Parts may be of different ages: the longest timespan that any gives a rule counts. States before `spans` give none.
        """
        if state.get("format") != FORMAT:
            self.ledger.count("dropped", reason="correlator_state_format")
            return
        mark = int(state["newest"])
        self._newest = max(self._newest, mark)
        self.groups.load(state.get("groups", ()))
        for identity, span in state.get("spans", {}).items():
            self._spans[identity] = max(int(span), self._spans.get(identity, 0))
        here = {baseline.meta.id: baseline for baseline in self.baselines}
        about = state.get("meanings", {})
        for identity, held in state.get("baselines", {}).items():
            gone = Absent(held, mark, about.get(identity, ""))
            if identity in here:
                self._taken_up(here[identity], gone)
            else:
                self._absent[identity] = gone
        self._forget_absent()

    def _known(self) -> dict[str, CorrelationRule]:
        return {rule.meta.id: rule for rule in self.rules} | dict(self.detections)


def _as_entries(
    rule: CorrelationRule,
    key: Key,
    group: Group,
    burst: Burst,
    stretch: Stretch,
    fresh: Sequence[Entry],
    mark: int,
) -> Iterator[Entry]:
    """Windows of a burst as signals for correlations of correlations: one where each window ends."""
    since, fields = min(entry.time for entry in fresh), rule.fields(key)
    for end in stretch.ends:
        if (entry := group.entries[end]).time >= since:
            made = Entry.made(entry.time, entry.event, rule.meta.id, entry.dataset, fields, burst.alert_id)
            yield made._replace(mark=mark)


def _tells(rule: CorrelationRule) -> bool:
    return rule.speaks and _is_for_people(rule.meta)


def _is_for_people(meta: Meta) -> bool:
    """Sigma: no alert for what is informational, as very many events match it."""
    return meta.level is not Level.INFORMATIONAL
