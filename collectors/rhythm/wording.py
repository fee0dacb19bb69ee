"""What is found about a source, in words."""

from collections.abc import Sequence
from datetime import UTC, datetime

from collectors.rhythm.usual import Usual
from hinomi.clock import JST
from hinomi.text import inert
from hinomi.words import Words

_NINE_HOURS = 9 * 3600
_MANY = 8


def name(usual: Usual) -> str:
    """The source as people know it: the listener and, of several, the sender."""
    return inert(f"{usual.origin} / {usual.sender}" if usual.sender else usual.origin, 120)


def silent(usual: Usual, gap: float) -> Words:
    """Nothing came."""
    if not usual.last:
        never = _span(gap)
        return Words(
            f"見張り始めてから{never.ja}、まだ一度も届いていません。",
            f"nothing ever came, for {never.en} since it is watched",
        )
    last = _moment(usual.last)
    return Words(
        f"最後に届いたのは {last} で、{_span(gap).ja}途絶えています。{_habit(usual).ja}",
        f"the last line came at {last} JST, {_span(gap).en} ago. {_habit(usual).en}",
    )


def _habit(usual: Usual) -> Words:
    if not usual.slots:
        return Words("(設定した時間を超えました)", "(longer than is configured)")
    longest = _span(usual.longest)
    return Words(
        f"これまでで最も長い間隔は{longest.ja}でした。", f"The longest pause so far was {longest.en}."
    )


def flood(usual: Usual, lines: int) -> Words:
    """Too much came."""
    peak = round(usual.peak)
    return Words(
        f"10分間に {lines:,} 行届きました。いつもの多いときは {peak:,} 行です。",
        f"{lines:,} lines in ten minutes; {peak:,} in a usual busy time",
    )


def ahead(usual: Usual, seconds: float) -> Words:
    """Times lie in the future."""
    span, hint = _span(seconds), _zone(seconds)
    return Words(
        f"記録の時刻が、届いた時刻より{span.ja}進んでいます。{hint.ja}",
        f"the times in the lines are {span.en} ahead of their arrival. {hint.en}".rstrip(),
    )


def behind(usual: Usual, seconds: float) -> Words:
    """Times fell behind."""
    span, before, hint = _span(seconds), _span(abs(usual.usually_late())), _zone(seconds)
    return Words(
        f"記録の時刻が、届いた時刻より{span.ja}遅れています(いつもは{before.ja})。時計の狂いか、転送の滞りです。{hint.ja}",
        f"the times in the lines are {span.en} behind their arrival (usually {before.en}): a wrong clock, or lines that"
        f" wait on the way. {hint.en}".rstrip(),
    )


def _zone(seconds: float) -> Words:
    if abs(abs(seconds) - _NINE_HOURS) < 900:
        return Words(
            "日本時間と協定世界時(UTC)の取り違えと思われます。", "Japan time taken for UTC, or UTC for it."
        )
    return Words("", "")


def unread(usual: Usual, share: float) -> Words:
    """Lines cannot be read."""
    before = usual.dead or 0.0
    return Words(
        f"読めない行が {share:.0%} になりました(いつもは {before:.0%})。形式が変わったと思われます。",
        f"{share:.0%} of the lines cannot be read ({before:.0%} usually): the format seems to have changed",
    )


def fields(usual: Usual, gone: Sequence[str], new: Sequence[str]) -> Words:
    """Fields are gone or new."""
    missing, more = _list(gone), _list(new)
    ja = [
        f"いつもある項目がなくなりました: {missing}。" if gone else "",
        f"新しい項目: {more}。" if new else "",
    ]
    en = [f"fields that were always there are gone: {missing}" if gone else "", f"new: {more}" if new else ""]
    return Words("".join(ja), "; ".join(filter(None, en)))


def _list(names: Sequence[str]) -> str:
    shown = ", ".join(inert(one, 80) for one in sorted(names)[:_MANY])
    return f"{shown} …(+{len(names) - _MANY})" if len(names) > _MANY else shown


def over(kind: str, seconds: float) -> Words:
    """It is as usual again."""
    span = _span(seconds)
    what = {
        "silent": Words(
            f"{span.ja}ぶりに届き始めました。届かなかった間の記録を確かめてください。",
            f"speaks again after {span.en}; look into what it did meanwhile",
        ),
        "flood": Words(f"流量が{span.ja}で元に戻りました。", f"the flood is over after {span.en}"),
        "time": Words(f"時刻のずれが{span.ja}で直りました。", f"the times are right again after {span.en}"),
        "format": Words(
            f"形式が{span.ja}で元に戻りました。", f"the format is as before again after {span.en}"
        ),
    }
    return what[kind]


def _moment(seconds: float) -> str:
    return f"{datetime.fromtimestamp(seconds, UTC).astimezone(JST):%m/%d %H:%M}"


def _span(seconds: float) -> Words:
    for size, ja, en in ((86_400, "日", "days"), (3600, "時間", "hours"), (60, "分", "minutes")):
        if seconds >= 2 * size:
            return Words(f"{seconds / size:.0f}{ja}", f"{seconds / size:.0f} {en}")
    return Words(f"{seconds:.0f}秒", f"{seconds:.0f} seconds")
