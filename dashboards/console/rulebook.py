"""The rules in force as the console reads them: why an event matched, and what a rule says of itself.

Loaded when first needed, and kept until they change: the compiled set comes from the cache that the workers share.
"""

import threading
import time
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from hinomi.batch import Batch
from hinomi.errors import HinomiError
from rules import watching
from rules.engine.explain import batches_of
from rules.engine.ruleset import Correlation, Rule, RuleSet
from rules.in_force import InForce

Spans = dict[str, dict[str, list[tuple[int, int]]]]
_RECORD = {"event.ingested"}
_EVERY = 5.0
"""Seconds after which it is looked whether the rules are others now."""
_KEPT = 5_000  # explanations: about 10 ms of work and 2 KB each
Why = tuple[Rule, Spans] | None


class Rulebook:
    """The rules in force, or those of some folders. Safe with several threads."""

    def __init__(self, source: InForce | Sequence[Path], cache: Path | None = None) -> None:
        self._source = source if isinstance(source, InForce) else InForce(source)
        self._cache = cache
        self._lock = threading.Lock()
        self._held: RuleSet | None = None
        self._files: dict[str, int] = {}
        self._looked, self._turn = 0.0, 0
        self._told: OrderedDict[tuple[int, str, str], Why] = OrderedDict()

    @property
    def rules(self) -> RuleSet:
        """The rule set of now; the one before where the new one cannot be loaded, which the workers tell."""
        with self._lock:
            now = time.monotonic()
            if self._held is None or now - self._looked > _EVERY:
                self._looked = now
                self._held = self._renewed(self._held)
            return self._held

    def _renewed(self, held: RuleSet | None) -> RuleSet:
        files = self._source.changed()
        if held is not None and files == self._files:
            return held
        try:
            loaded = self._source.load(self._cache)
        except HinomiError:
            if held is None:
                raise
            return held
        self._files, self._turn = files, self._turn + 1
        self._told.clear()
        return loaded

    def matched(self, rule_id: str, events: Sequence[Mapping[str, Any]]) -> list[Why]:
        """For each event the rule, or the base rule of a correlation, that holds of it, with what matched where.

        None where no such rule is in force any more, or none of them holds. An event never changes: what was found out once
        is kept by event and rule until the rules change.
        """
        _ = self.rules
        keys = [(self._turn, rule_id, str(event.get("event.id", ""))) for event in events]
        with self._lock:
            found = {place: self._told[key] for place, key in enumerate(keys) if key in self._told}
        asked = [place for place in range(len(events)) if place not in found]
        found |= zip(asked, self._explained(rule_id, [events[place] for place in asked]), strict=True)
        with self._lock:
            for key, place in ((key, place) for place, key in enumerate(keys) if key[2]):
                self._told[key] = found[place]
                self._told.move_to_end(key)
            while len(self._told) > _KEPT:
                self._told.popitem(last=False)
        return [found[place] for place in range(len(events))]

    def _explained(self, rule_id: str, events: Sequence[Mapping[str, Any]]) -> list[Why]:
        clean = ({name: value for name, value in event.items() if name not in _RECORD} for event in events)
        return [self._first_of(rule_id, batch) for batch in batches_of(list(clean))]

    def _first_of(self, rule_id: str, batch: Batch) -> Why:
        for rule in self.bases(rule_id):
            try:
                told = self.rules.explain(rule.id, batch)
            except HinomiError:
                continue
            if told.matched:
                return rule, told.spans()
        return None

    def bases(self, rule_id: str) -> list[Rule]:
        """The detection rule of this id, or those that the correlation or baseline of this id watches."""
        return watching.bases(self.rules, rule_id)

    def correlation(self, reference: str) -> Correlation | None:
        """The correlation of this id or name."""
        return watching.correlation(self.rules, reference)
