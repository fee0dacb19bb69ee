"""Does this machine have what was decided on the others?"""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from hinomi.text import inert
from hinomi.words import Words
from ops.doctor.finding import Check, Part, Patient
from ops.shared import Copy, State, contents
from ops.shared.undecided import STEP, Undecided

_LATE = timedelta(minutes=2)
"""A machine asks every five seconds."""
_SHARE = Words(
    "この機械の変更を全体に配るなら hinomi rules share(指標は hinomi indicators import)。",
    "hinomi rules share gives what was changed here to every machine (indicators: hinomi indicators import)",
)
_RUN = Words(
    "この機械のプロセスが動いているか、保管庫に届くかを確かめてください。",
    "see whether the processes of this machine run and reach the store",
)


def sharing(patient: Patient) -> Iterator[Check]:
    """Of rules, indicators and feeds: which version is here, how long ago the store was asked, was anything changed here?"""
    if patient.settings.store.kind == "embedded":
        return
    for content in contents(patient.settings, patient.data, _role(patient)):
        part = Part(f"共有した{content.words.ja}", f"shared {content.words.en}")
        yield _judged(part, content.words, Copy.of(content, patient.records, patient.data).state())


def _role(patient: Patient) -> str:
    """What runs in this folder; where several do, or nobody has yet, the one that needs most."""
    ran = {name.split("-")[0] for name in patient.run.names()} & {"worker", "respond", "detect", "console"}
    return ran.pop() if len(ran) == 1 else "respond"


def _judged(part: Part, words: Words, one: State) -> Check:
    now = datetime.now(UTC)
    age = None if one.asked is None else now - one.asked
    ja = f"版 {one.version}({inert(one.by, 60)}、{one.at})、確かめたのは{_ago(age).ja}。"
    en = f"version {one.version} ({inert(one.by, 60)}, {one.at}), asked for {_ago(age).en}"
    if one.undecided:
        error = Undecided(words, one.undecided)
        return part.bad(error.ja, error.en, STEP)
    if one.edited:
        return part.warn(
            f"{ja}この機械だけの変更があります。", f"{en}; changed on this machine alone", _SHARE
        )
    if one.newest is None:
        return part.bad(
            f"{ja}保管庫が応えないため、これを使い続けます。", f"{en}; in use until the store answers", _RUN
        )
    if not one.newest:
        return part.good("共有したものはありません。", "nothing was shared")
    if one.version < one.newest or age is None or age > _LATE:
        return part.bad(f"{ja}最新は版 {one.newest}。", f"{en}; the newest is {one.newest}", _RUN)
    return part.good(ja, en)


def _ago(age: timedelta | None) -> Words:
    if age is None:
        return Words("まだありません", "never yet")
    seconds = int(age.total_seconds())
    if seconds < 120:
        return Words(f" {seconds} 秒前", f"{seconds} s ago")
    return Words(f" {seconds // 60:,} 分前", f"{seconds // 60:,} min ago")
