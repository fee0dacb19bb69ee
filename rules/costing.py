"""What each rule costs to match, seen on a sample: one batch matched once more, rule by rule, with a clock.

What rules have in common (scans of columns, routing) is `shared`; a mask that several rules use counts for the first.
"""

import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

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
