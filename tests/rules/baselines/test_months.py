"""Baselines on a short generated month with planted anomalies, over a restart, repeated, and with hostile options."""

import json
import random

import pytest

from benchmarks._messy_months import bulk_by_role_messy
from benchmarks._months import KINDS, Month, measured


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_planted_anomalies_are_found_and_little_else(kind: object) -> None:
    """Every planted one, and at most one false finding in ten (the benchmark prints the exact shares)."""
    planted, hit, findings, _ = measured(kind(random.Random(11), 32))  # type: ignore[operator]
    assert planted and hit == planted
    assert hit / findings >= 0.9


def test_a_change_of_the_fiscal_year() -> None:
    """Transfers, new staff, night shifts, busy weeks and lost days: spikes on a Saturday, a holiday, by new accounts are
    found, and hardly anything else."""
    planted, hit, findings, _ = measured(bulk_by_role_messy(random.Random(1), 30))
    assert planted > 3 and hit == planted and findings <= planted + 1


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_a_restart_and_a_repeat_change_nothing(kind: object) -> None:
    """State through JSON in the middle of the months, and the last signals a second time: the same keys."""
    month: Month = kind(random.Random(5), 32)  # type: ignore[operator]
    entries = sorted(month.entries)
    whole, broken = month.made(), month.made()
    keys = {finding.key for finding in whole.feed(entries, entries[-1].time)}
    middle = len(entries) * 2 // 3
    found = {finding.key for finding in broken.feed(entries[:middle], entries[middle - 1].time)}
    again = month.made()
    again.load(json.loads(json.dumps(broken.dump())))
    found |= {finding.key for finding in again.feed(entries[middle - 500 :], entries[-1].time)}
    assert found == keys
