"""Rules that run inside Elasticsearch: a hunt over past months, and rules that ask for a schedule.

    hinomi: {schedule: {every_minutes: 15, hours: 24}}      # in the rule: how often, how far back

The cluster is asked for the rule's own text; what it finds is confirmed by the rule in force, so that exceptions hold. What is
found becomes signals under the same ids that live detection gives them, so what was told before is not told
again. The leading detect process runs what is due, beside live detection; how far each rule has looked is a record, and
what it could not look at (the cluster was away) it looks at the next time.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np

from hinomi.batch import Batch
from hinomi.clock import Clock
from hinomi.errors import ContentError, InputError, Where
from hinomi.store import Record, Records, Span
from hinomi.store.elastic.events import ElasticEvents
from ops.journal import log
from rules import lucene
from rules.engine import RuleSet, logsource
from rules.engine.ruleset import Matches, Rule

_STATE = "state"
_FURTHEST = timedelta(days=7)
"""How far back a rule looks for what it missed: one that was switched off for months asks for no months, and calls nobody for them."""


@dataclass(frozen=True, slots=True)
class Inside:
    """Runs single rules of a rule set in the cluster."""

    events: ElasticEvents
    rules: RuleSet
    clock: Clock

    def hunt(self, rule: Rule, span: Span) -> Iterator[Batch]:
        """The events that the rule matches, as batches. Raises ContentError with what Lucene cannot say."""
        text, tables = rule.path.read_text(encoding="utf-8"), logsource.read()
        try:
            queries = list(lucene.queries(lucene.read(text, rule.id), tables))
        except ContentError as error:
            raise ContentError(error.ja, error.en, where=Where(rule.path)) from error
        for query in queries:
            for frame in self.events.matching(query.body, dataset=query.dataset, span=span):
                for (dataset,), part in frame.group_by(["event.dataset"], maintain_order=True):
                    batch = confirmed(
                        self.rules, rule, Batch.of(str(dataset), part, ingested=self.clock.now())
                    )
                    if len(batch):
                        yield batch

    def tell(self, rule: Rule, batch: Batch) -> int:
        """Store the signals of these events, where they are not stored yet; how many were new."""
        every = np.arange(len(batch), dtype=np.int64)
        signals = self.rules.signals(batch, Matches([(rule, every)]))
        found = Batch.of("hinomi.signal", signals, origin="scheduled", ingested=self.clock.now())
        return self.events.append([found]).stored

    def run_due(self, records: Records, stop: Callable[[], bool] = lambda: False) -> int:
        """Run the rules whose time has come; how many signals were new. A rule that cannot run is said, and stops neither
        the others nor live detection. stop: asked between rules and pages. Raises StoreError where the cluster does not
        answer."""
        new = 0
        for rule in self.rules.rules:
            if stop():
                return new
            try:
                due = _schedule(rule)
                new += self._scheduled(records, rule, due, stop) if due else 0
            except InputError as error:  # also what the cluster says of the rule's query
                log.error("scheduled_rule_failed", rule=rule.title, reason=str(error))
        return new

    def _scheduled(
        self, records: Records, rule: Rule, due: Mapping[str, int], stop: Callable[[], bool]
    ) -> int:
        now, identity = self.clock.now(), f"scheduled|{rule.id}"
        held = records.get(_STATE, identity)
        tried, done = (_moment(held, "at"), _moment(held, "done")) if held else (None, None)
        if tried is not None and now < tried + timedelta(minutes=due["every_minutes"]):
            return 0
        looked = min(now, done or tried or now)
        told = {"at": now.isoformat(), "done": looked.isoformat()}
        begun = records.put(_STATE, identity, told, expect=held.version if held else 0)
        start = max(looked, now - _FURTHEST) - timedelta(hours=due["hours"])
        if looked < now - _FURTHEST:
            log.error("scheduled_rule_looks_no_further_back", rule=rule.title, looked=looked.isoformat())
        new = 0
        for batch in self.hunt(rule, Span(start, now + timedelta(days=1))):
            if stop():
                return new
            new += self.tell(rule, batch)
        records.put(_STATE, identity, {**told, "done": now.isoformat()}, expect=begun.version)
        log.info("scheduled_rule_ran", rule=rule.title, new_signals=new)
        return new


def confirmed(rules: RuleSet, rule: Rule, batch: Batch) -> Batch:
    """The events that the rule in force matches: the query is of its text alone, without the exceptions that apply."""
    found = next((rows for held, rows in rules.match(batch).hits if held.index == rule.index), None)
    return Batch(batch.dataset, batch.frame[[] if found is None else found], batch.origin)


def _moment(record: Record, name: str) -> datetime | None:
    """`at`: when the rule was last begun; `done`: up to when it has looked."""
    text = record.body.get(name)
    return datetime.fromisoformat(text) if isinstance(text, str) else None


def _schedule(rule: Rule) -> Mapping[str, int] | None:
    own = rule.custom.get("hinomi")
    asked = own.get("schedule") if isinstance(own, Mapping) else None
    if not isinstance(asked, Mapping):
        return None
    found = {"every_minutes": asked.get("every_minutes", 60), "hours": asked.get("hours", 24)}
    for name, value in found.items():
        if not isinstance(value, int) or not 1 <= value <= 100_000:
            raise ContentError(
                f"schedule の {name} は1以上の整数です(いまは {value!r})。",
                f"{name} of a schedule is a whole number from 1, not {value!r}",
                where=Where(rule.path, None, f"hinomi.schedule.{name}"),
            )
    return found


def rule_in(rules: RuleSet, path: Path) -> Rule:
    """The one detection rule of a file. Raises ContentError."""
    found = [rule for rule in rules.rules if rule.path == path]
    if len(found) != 1:
        raise ContentError(
            "検知ルールを1つだけ書いたファイルを指定してください。",
            "name a file with exactly one detection rule",
            where=Where(path),
        )
    return found[0]
