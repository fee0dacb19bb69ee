"""The engine against an independent implementation, pySigma's SQLite backend, on recorded Windows events.

The whole comparison is `python -m benchmarks differential`; here every sixteenth rule, and a part of those that
find something.
"""

import pytest

from benchmarks import _windows_events, differential
from rules.engine import RuleSet
from tests import shared

pytestmark = pytest.mark.corpus


def test_event_by_event_the_same(public: RuleSet) -> None:
    """A deterministic sample of the public Windows rules finds the same events as the referee, none excepted."""
    batches = _windows_events.batches(shared.corpus("evtx"))
    hitting = {rule.id for batch in batches for rule, _ in public.match(batch).hits}
    runnable = differential.windows(public)
    sample = [rule for rule in runnable if rule.id in hitting][::3] + runnable[::16]
    ours, theirs, refused = differential.compared(public, sample, batches)
    assert refused == {}
    assert ours == theirs
    assert len(ours) > 100


def test_rules_made_to_fire(public: RuleSet) -> None:
    """Rules that no recorded event meets are met by events made out of them: they fire, and nothing differs unexplained."""
    sample = differential.windows(public)[7::90]
    found = differential.provoked(public, sample)
    assert found.unexplained == []
    assert len(found.fired) > 0.9 * found.rules
