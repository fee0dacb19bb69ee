"""How long events are kept, and why: each period names its reason."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Literal

from pydantic import Field

from hinomi.clock import Clock
from hinomi.config import Section
from hinomi.ledger import Ledger
from hinomi.store import Events, Span

Basis = Literal["law", "guideline", "local"]
"""What a period follows from: a law, a clause of the guideline, or a rule of the city's own."""


class Period(Section):
    """Days to keep datasets whose names begin with one of these; the longest prefix decides. basis: what the period
    follows from; reason: the clause, in words."""

    datasets: list[str]
    days: int = Field(ge=1, le=3650)
    basis: Basis = "local"
    reason_ja: str
    reason_en: str


DEFAULTS = [
    Period(
        datasets=[""],
        days=365,
        basis="guideline",
        reason_ja="総務省ガイドライン 6.1(6) ログの取得等: 一定期間の保存(1年は本ツールの提案)",
        reason_en="MIC guideline 6.1(6) keeps logs for a set period (one year is this tool's proposal)",
    ),
    Period(
        datasets=["hinomi.dead_letter"],
        days=90,
        reason_ja="解析できなかった行: 修正後の再取り込みに足りる期間(本ツールの提案)",
        reason_en="lines not understood: long enough to fix and replay (this tool's proposal)",
    ),
]


class RetentionSettings(Section):
    """`retention:` of the configuration."""

    periods: list[Period] = Field(default_factory=lambda: list(DEFAULTS))


def period_of(dataset: str, periods: Sequence[Period]) -> Period | None:
    """The period with the longest prefix of the dataset's name."""
    fitting = [
        (len(prefix), period)
        for period in periods
        for prefix in period.datasets
        if dataset.startswith(prefix)
    ]
    return max(fitting, key=lambda pair: pair[0])[1] if fitting else None


def apply(
    events: Events,
    settings: RetentionSettings,
    clock: Clock,
    ledger: Ledger,
    held_back: Mapping[str, Sequence[Span]],
) -> int:
    """Drop what is older than its period; every dropped event is counted with its reason.

    held_back: spans of each dataset that a legal hold keeps, whatever their age (`ops.holds`).
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
