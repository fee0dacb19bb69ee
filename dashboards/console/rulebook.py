"""The rules in force as the console reads them: why an event matched, and what a rule says of itself.

Loaded when first needed, and kept: the compiled set comes from the cache that the workers share.
"""

import threading
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from hinomi.errors import HinomiError
from rules import watching
from rules.engine.ruleset import Correlation, Rule, RuleSet
from rules.in_force import InForce

Spans = dict[str, dict[str, list[tuple[int, int]]]]
_RECORD = {"event.ingested"}
_KEPT = 5_000  # explanations: about 10 ms of work and 2 KB each
Why = tuple[Rule, Spans] | None


class Rulebook:
    """The rules in force, or those of some folders. Safe with several threads."""

    def __init__(self, source: InForce | Sequence[Path], cache: Path | None = None) -> None:
        self._source = source if isinstance(source, InForce) else InForce(source)
        self._cache = cache
        self._lock = threading.Lock()
        self._held: RuleSet | None = None
        self._told: OrderedDict[tuple[str, str], Why] = OrderedDict()

    @property
    def rules(self) -> RuleSet:
        """The rule set."""
        with self._lock:
            if self._held is None:
                self._held = self._source.load(self._cache)
            return self._held

    def matched(self, rule_id: str, event: Mapping[str, Any]) -> tuple[Rule, Spans] | None:
        """The rule, or the base rule of a correlation, that holds of the event, with what matched where.

        None where no such rule is in force any more, or none of them holds. An event never changes, and the rules of this
        process do not either: what was found out once is kept by event and rule.
        """
        key = (rule_id, str(event.get("event.id", "")))
        if not key[1]:
            return self._explained(rule_id, event)
        with self._lock:
            if key in self._told:
                self._told.move_to_end(key)
                return self._told[key]
        found = self._explained(rule_id, event)
        with self._lock:
            self._told[key] = found
            while len(self._told) > _KEPT:
                self._told.popitem(last=False)
        return found

    def _explained(self, rule_id: str, event: Mapping[str, Any]) -> Why:
        clean = {name: value for name, value in event.items() if name not in _RECORD}
        for rule in self.bases(rule_id):
            try:
                told = self.rules.explain(rule.id, clean)
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
