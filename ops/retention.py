"""How long events are kept, and why: each period names its reason."""

from collections.abc import Sequence
from datetime import timedelta

from pydantic import Field

from hinomi.clock import Clock
from hinomi.config import Section
from hinomi.ledger import Ledger
from hinomi.store import Events


class Period(Section):
    """Days to keep datasets whose names begin with one of these; the longest prefix decides."""

    datasets: list[str]
    days: int = Field(ge=1, le=3650)
    reason_ja: str
    reason_en: str


DEFAULTS = [
    Period(
        datasets=[""],
        days=365,
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


def apply(events: Events, settings: RetentionSettings, clock: Clock, ledger: Ledger) -> int:
    """Drop what is older than its period; every dropped event is counted with its reason."""
    dropped = 0
    for held in events.datasets():
        period = period_of(held.name, settings.periods)
        if period is None:
            continue
        n = events.drop(held.name, clock.now() - timedelta(days=period.days))
        ledger.count("dropped", n, dataset=held.name, reason=f"retention_{period.days}d")
        dropped += n
    return dropped
