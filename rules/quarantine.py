"""Rules set aside because they flood or slow the engine, until a person releases them.

What correlations and baselines count is never set aside for its number: whoever sends enough of it would switch off all
that counts it. People are told of it instead, once a day and rule. Where it is slow, too, it is set aside for that.
Correlations and baselines themselves are never set aside: what they cost grows with what is sent, and with a backlog that
is caught up. People are told of that, too.

A record says which and why; each machine copies the records into `<data>/rules/quarantine.yml`, which whoever loads rules
reads. No `enable` beats it.
"""

from collections.abc import Iterator, Set
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Self

from hinomi.alert import Alert, Level
from hinomi.clock import JST
from hinomi.identity import digest
from hinomi.store import Records
from hinomi.words import Words
from rules import stats, watching
from rules.decided import Kept, keep_choice, read_choice
from rules.engine import RuleSet
from rules.in_force import KEPT, QUARANTINE
from rules.selector import Selector
from rules.settings import RulesSettings

KIND = "rule_quarantine"
LOUD = "rule_loud"
_HOUR = 3600.0
_LEAST_SAMPLED = 1.0  # seconds of samples, without which nobody is called slow


@dataclass(frozen=True, slots=True)
class Held:
    """why: `flood` (figure: signals in an hour) or `slow` (figure: share of one processor); at: ISO time."""

    rule: str
    title: str
    why: str
    figure: float
    limit: float
    at: str
    released: str = ""

    @property
    def said(self) -> Words:
        """Why, in words."""
        if self.why == "flood":
            return Words(
                f"1時間に {self.figure:,.0f} 件の信号を出しました(上限 {self.limit:,.0f})",
                f"{self.figure:,.0f} signals in an hour (limit {self.limit:,.0f})",
            )
        return Words(
            f"1つのCPUの {self.figure:.0%} を使いました(上限 {self.limit:.0%})",
            f"took {self.figure:.0%} of a processor (limit {self.limit:.0%})",
        )


def held(records: Records) -> list[Held]:
    """What is set aside now."""
    every = (Held(**one.body) for one in records.find(KIND, limit=10_000))
    return [one for one in every if not one.released]


def judge(records: Records, rules: RuleSet, settings: RulesSettings, now: datetime) -> Iterator[Held]:
    """Rules in force that went over a limit in this hour or the last, but for those of which people are only told (`loud`).
    Hours that a release falls into do not count."""
    freed = {one.id: str(one.body["released"]) for one in records.find(KIND, limit=10_000)}
    told, seen = _Told.of(rules), set[str]()
    for start, one in _beyond(records, rules, settings, now):
        exempt = _since(freed.get(one.rule), start) or told.has(one)
        if one.rule not in seen and not exempt:
            seen.add(one.rule)
            yield one


def loud(records: Records, rules: RuleSet, settings: RulesSettings, now: datetime) -> Iterator[Held]:
    """Rules that others count and that gave more signals than the limit, but are not slow, too, and correlations and baselines
    that are slow: each once a day, noted in the records."""
    only, every = _Told.of(rules), list(_beyond(records, rules, settings, now))
    aside = {one.rule for _, one in every if not only.has(one)}
    for _, one in every:
        told, day = records.get(LOUD, one.rule), now.astimezone(JST).date().isoformat()
        if one.rule not in aside and (told is None or told.body["day"] != day):
            records.put(LOUD, one.rule, {"day": day})
            yield one


def _beyond(
    records: Records, rules: RuleSet, settings: RulesSettings, now: datetime
) -> Iterator[tuple[datetime, Held]]:
    """Each limit that a rule in force is over, in this hour and the last, with the hour's start."""
    known = watching.titles(rules)
    for hour in (now, now - timedelta(hours=1)):
        start = hour.replace(minute=0, second=0, microsecond=0)
        for identity, figures in stats.hourly(records, hour).items():
            if (title := known.get(identity)) is None:
                continue
            for over in filter(None, (_flood(figures, settings), _slow(figures, settings))):
                yield start, Held(identity, title.ja, *over, at=now.isoformat())


@dataclass(frozen=True, slots=True)
class _Told:
    """counted: ids of what correlations and baselines count; counting: their own."""

    counted: Set[str]
    counting: Set[str]

    @classmethod
    def of(cls, rules: RuleSet) -> Self:
        return cls(watching.counted(rules), watching.counting(rules))

    def has(self, one: Held) -> bool:
        """Whether people are told of it alone."""
        return one.rule in self.counting or (one.why == "flood" and one.rule in self.counted)


def _since(released: str | None, start: datetime) -> bool:
    return bool(released) and datetime.fromisoformat(str(released)) >= start


def _flood(one: stats.Figures, settings: RulesSettings) -> tuple[str, float, float] | None:
    if settings.flood_per_hour and one.signals > settings.flood_per_hour:
        return "flood", float(one.signals), float(settings.flood_per_hour)
    return None


def _slow(one: stats.Figures, settings: RulesSettings) -> tuple[str, float, float] | None:
    share = one.seconds / _HOUR
    if settings.slow_share and one.seconds > _LEAST_SAMPLED and share > settings.slow_share:
        return "slow", share, settings.slow_share
    return None


def hold(records: Records, one: Held) -> None:
    """Set a rule aside."""
    records.put(KIND, one.rule, asdict(one))


def release(records: Records, rule: str, at: datetime) -> bool:
    """Let a rule run again; False where it was not set aside."""
    found = records.get(KIND, rule)
    if found is None or found.body["released"]:
        return False
    records.put(KIND, rule, {**found.body, "released": at.isoformat()}, expect=found.version)
    return True


def mirror(records: Records, data: Path) -> bool:
    """Bring the machine's file in line with the records; whether it changed."""
    path = data / KEPT / QUARANTINE
    wanted = Kept(disable=[_selector(one) for one in sorted(held(records), key=lambda one: one.rule)])
    if wanted == read_choice(path):
        return False
    keep_choice(path, wanted)
    return True


def _selector(one: Held) -> Selector:
    return Selector(id=[one.rule], owner="hinomi", reason=f"隔離 / quarantine: {one.said.ja} ({one.said.en})")


_ABOUT: dict[str, Any] = {
    "rule_id": "6f2a4f0e-3c5b-4a8e-9d43-0a7f1e6c2b55",
    "rule_name": "rule_quarantined",
    "title_ja": "検知ルールを自動で止めた",
    "title_en": "A detection rule was set aside",
    "what_to_do_ja": "ルールの条件を絞るか例外を足し、hinomi rules release で戻してください。"
    "戻すまで、この検知と、数える相関は働きません。",
    "what_to_do_en": "Narrow the rule or add an exception, then hinomi rules release. "
    "Until then it is blind, as is what counts it.",
}


_LOUD: dict[str, Any] = {
    "rule_id": "0d6c9c5e-5a0f-4a55-8f0b-9f1f7b9f6c21",
    "rule_name": "rule_loud",
    "title_ja": "検知ルールの信号が非常に多い",
    "title_en": "A detection rule gives very many signals",
    "what_to_do_ja": "相関や平常値が数えるルールなので、止めていません。攻撃者が大量に起こしている場合があります。"
    "送信元を調べ、故障や設定によるものなら例外を足してください。",
    "what_to_do_en": "Correlations or baselines count it, so it is not set aside. An attacker may be the cause: look at "
    "who sends it, and add an exception where a fault or a setting does.",
}


_SLOW: dict[str, Any] = {
    "rule_id": "7d1b3a52-94f6-4c0b-8a37-2f6d0e5b9c14",
    "rule_name": "correlation_slow",
    "title_ja": "相関・平常値の計算に時間がかかっている",
    "title_en": "A correlation or baseline takes much time",
    "what_to_do_ja": "止めていません。溜まったログの処理中であれば、追いつけば収まります。"
    "続くときは、大量に起こしている送信元がないかを調べ、数えるルールに例外を足してください。",
    "what_to_do_en": "It is not set aside. While a backlog is caught up this passes by itself. Where it lasts, look for who sends so much, "
    "and add an exception to the rules that it counts.",
}


def alert(one: Held, now: datetime) -> Alert:
    """The operational alert that a rule was set aside."""
    return _alert(_ABOUT, one, now)


def loud_alert(one: Held, now: datetime) -> Alert:
    """The operational alert that a rule which others count is very loud, or that what counts is slow."""
    return _alert(_LOUD if one.why == "flood" else _SLOW, one, now)


def _alert(about: dict[str, Any], one: Held, now: datetime) -> Alert:
    return Alert(
        **about,
        id=digest(about["rule_id"], one.rule, one.at),
        level=Level.HIGH,
        kind="correlation",
        first=now,
        last=now,
        detected=now,
        fields={"rule.id": one.rule, "rule.name": one.title},
        reason_ja=f"「{one.title}」が{one.said.ja}。",
        reason_en=f'"{one.title}": {one.said.en}.',
        guideline=["MIC-7.1"],
    )
