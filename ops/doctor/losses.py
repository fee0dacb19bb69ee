"""What detection let go or could not do: each such count of the last week, and what to do about it."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import NamedTuple

from hinomi.clock import SystemClock
from hinomi.text import inert
from hinomi.words import Words
from ops.counts import KIND, total_of
from ops.doctor.finding import Check, Part, Patient
from ops.folders import cache_folder

_RECENT = timedelta(days=7)
_SHOWN = 5


class Loss(NamedTuple):
    """What a reason of the ledger means, and what to do. blind: detection did not do its work."""

    what: Words
    remedy: Words
    blind: bool = False


_MEMORY = Words(
    "大量に出している送信元を調べ、ルールの条件を絞るか、応答プロセスのメモリを増やしてください。",
    "find what sends so many, narrow the rule, or give the respond process more memory",
)
LOSSES = {
    "not_matched_engine_error": Loss(
        Words(
            "検知の誤りでルールを当てられなかったイベント(保管はされています)",
            "events no rule was tried on, for an error of the engine (they are stored)",
        ),
        Words(
            "ワーカーのログの match_failed を見て、直したあと hinomi rules backtest でその期間を調べてください。",
            "see match_failed in the worker's log; once mended, look over that time with hinomi rules backtest",
        ),
        blind=True,
    ),
    "correlation_late": Loss(
        Words(
            "遅れて届き、相関で数えなかったイベント",
            "events too late to be counted in a correlation, and not counted",
        ),
        Words(
            "送り元の遅れを直すか、rules.lateness_minutes を長くしてください。",
            "mend the delay of the sender, or raise rules.lateness_minutes",
        ),
    ),
    "correlation_overflow": Loss(
        Words(
            "一つのまとまりがあふれて手放した相関の記憶",
            "entries let go as one group of a correlation overflowed",
        ),
        _MEMORY,
    ),
    "correlation_memory": Loss(
        Words("記憶が足りずに手放した相関の記憶", "entries of correlations let go for want of memory"),
        _MEMORY,
    ),
    "correlation_groups": Loss(
        Words(
            "値の並びが長すぎ、一部のまとまりでしか数えなかったイベント",
            "events with so long a list that they were counted in some of its groups only",
        ),
        Words(
            "その欄に何が入っているかを確かめ、group-by の欄を変えてください。",
            "see what stands in the field, and group by another",
        ),
    ),
    "baseline_memory": Loss(
        Words("記憶の上限で忘れた平常値", "what baselines forgot at their bound of memory"),
        Words(
            "平常値が数える土台のルールを絞るか、種類の少ない欄を使ってください。",
            "narrow the rules that the baseline takes, or use a field of fewer values",
        ),
    ),
    "baseline_options": Loss(
        Words(
            "設定が変わり、覚え直している平常値",
            "baselines that learn anew, as they were changed to look at something else",
        ),
        Words(
            "warm_up_days の間は知らせません。意図した変更か確かめてください。",
            "they are silent for warm_up_days; make sure that the change was meant",
        ),
    ),
    "correlator_state_format": Loss(
        Words(
            "別の版の形で読めなかった相関・平常値の記憶",
            "states of correlations or baselines of another release that could not be read",
        ),
        Words("更新の直後だけなら、そのままで構いません。", "right after an update nothing needs doing"),
    ),
}


def losses(patient: Patient) -> Iterator[Check]:
    """What was let go within the week, by reason, with the rules or datasets that lost most."""
    part, since = Part("検知の取りこぼし", "losses of detection"), SystemClock().now() - _RECENT
    recent = [one for one in patient.records.find(KIND, limit=100_000) if one.updated >= since]
    found: dict[str, Counter[str]] = defaultdict(Counter)
    for line, n in total_of(recent).items():
        if line.what == "dropped" and line.reason in LOSSES:
            found[line.reason][line.dataset] += n
    if not found:
        yield part.good("この7日間はありません。", "none within seven days")
        return
    titles = _titles(patient)
    for reason in (one for one in LOSSES if one in found):
        yield _told(part, LOSSES[reason], reason, found[reason], titles)


def _told(part: Part, loss: Loss, reason: str, lost: Counter[str], titles: Mapping[str, str]) -> Check:
    worst = ", ".join(
        f"{inert(titles.get(name, name))} {n:,}" for name, n in lost.most_common(_SHOWN) if name
    )
    n, by = lost.total(), f": {worst}" if worst else ""
    said = (
        f"{loss.what.ja} 累計 {n:,}({reason}){by}",
        f"{loss.what.en}: {n:,} in all ({reason}){by}",
        loss.remedy,
    )
    return part.bad(*said) if loss.blind else part.warn(*said)


def _titles(patient: Patient) -> dict[str, str]:
    """By id what correlations and baselines are called: counts know them by their ids."""
    rules = patient.settings.rules_in_force(patient.data).load(cache_folder())
    documents = [*(one.document for one in rules.correlations), *(one.document for one in rules.others)]
    return {str(one["id"]): str(one.get("title_ja") or one.get("title") or one["id"]) for one in documents}
