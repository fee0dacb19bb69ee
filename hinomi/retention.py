"""The periods for which events are kept: what retention goes by, and what the reports prove."""

from collections.abc import Sequence
from typing import Literal

from pydantic import Field

from hinomi.config import Section

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


def period_of(dataset: str, periods: Sequence[Period]) -> Period | None:
    """The period with the longest prefix of the dataset's name."""
    fitting = [
        (len(prefix), period)
        for period in periods
        for prefix in period.datasets
        if dataset.startswith(prefix)
    ]
    return max(fitting, key=lambda pair: pair[0])[1] if fitting else None
