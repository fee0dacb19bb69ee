"""How long events are kept, and why: each period names its reason."""

from collections.abc import Mapping, Sequence
from datetime import timedelta

from pydantic import Field

from hinomi.clock import Clock
from hinomi.config import Section
from hinomi.ledger import Ledger
from hinomi.retention import DEFAULTS, Period, period_of
from hinomi.store import Events, Span


class RetentionSettings(Section):
    """`retention:` of the configuration."""

    periods: list[Period] = Field(default_factory=lambda: list(DEFAULTS))


def apply(
    events: Events,
    settings: RetentionSettings,
    clock: Clock,
    ledger: Ledger,
    held_back: Mapping[str, Sequence[Span]],
) -> int:
    """Drop what is older than its period; every dropped event is counted with its reason.

    held_back: spans of each dataset that a legal hold keeps, whatever their age (`responders.incidents.holds`).
    """
    dropped = 0
    for held in events.datasets():
        period = period_of(held.name, settings.periods)
        if period is None:
            continue
        before = clock.now() - timedelta(days=period.days)
        n = events.drop(held.name, before, keep=held_back.get(held.name, ()))
        ledger.count("dropped", n, dataset=held.name, reason=f"retention_{period.days}d")
        dropped += n
    return dropped
