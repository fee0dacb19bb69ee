"""What each rule costs: detections on a sample, one batch matched once more, rule by rule, with a clock; correlations and
baselines at every feeding.

What rules have in common (scans of columns, routing) is `shared`; a mask that several rules use counts for the first.
"""

import time
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field

from hinomi.batch import Batch
from rules.engine import RuleSet


@dataclass(frozen=True, slots=True)
class Cost:
    """rules: seconds by rule id; shared: seconds of what they have in common; events: how many were looked at."""

    rules: Mapping[str, float]
    shared: float
    events: int


def cost(rules: RuleSet, batch: Batch) -> Cost:
    """Match a batch and tell what each rule took."""
    spent: Counter[str] = Counter()
    began = time.perf_counter()
    run, plan = rules.matcher.begin(batch)
    for number, rows in run.candidates(plan):
        start = time.perf_counter()
        run.holds(plan.left[number].program, rows)
        spent[rules.rules[plan.left[number].rule].id] += time.perf_counter() - start  # type: ignore[assignment]
    return Cost(dict(spent), time.perf_counter() - began - sum(spent.values()), len(batch))


@dataclass(slots=True)
class Fed:
    """What correlations and baselines took since the last `take`. rules: seconds of this thread's processor time by rule
    id; events: signals that were fed."""

    rules: Counter[str] = field(default_factory=Counter)
    events: int = 0

    @contextmanager
    def timed(self, rule: str) -> Iterator[None]:
        """The time in the block is the rule's."""
        began = time.thread_time()
        try:
            yield
        finally:
            self.rules[rule] += time.thread_time() - began  # type: ignore[assignment]

    def take(self) -> "Fed":
        """What was counted; counting begins anew."""
        taken = Fed(self.rules, self.events)
        self.rules, self.events = Counter(), 0
        return taken
