"""How the rules in force are doing: hits a rule over the last days, and which of them want somebody's attention."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from hinomi.batch import SIGNALS
from hinomi.clock import JST
from hinomi.store import Events, Records, Span
from hinomi.text import inert
from rules import stats
from rules.choice import Choice
from rules.engine import Rule, RuleSet

_MANY = 10_000


@dataclass(frozen=True, slots=True)
class Hygiene:
    """hits: signals by rule id; noisy: with how many a day; unfed: no source of ours carries their log; starved: a source
    does, and nothing of it was ever stored; exceptions and switches as text."""

    days: int
    hits: dict[str, int]
    noisy: list[tuple[Rule, float]]
    silent: list[Rule]
    unfed: list[Rule]
    starved: list[Rule]
    unowned: list[str]
    ended: list[str]

    def as_json(self) -> dict[str, Any]:
        """For `--json`."""
        return {
            "days": self.days,
            "hits": self.hits,
            "noisy": [
                {"id": rule.id, "title": rule.title, "a_day": round(rate, 1)} for rule, rate in self.noisy
            ],
            "silent": [{"id": rule.id, "title": rule.title} for rule in self.silent],
            "unfed": [{"id": rule.id, "title": rule.title} for rule in self.unfed],
            "starved": [{"id": rule.id, "title": rule.title} for rule in self.starved],
            "unowned": self.unowned,
            "ended": self.ended,
        }

    def lines(self) -> Iterator[str]:
        """For people."""
        yield f"うるさい / noisy {len(self.noisy):,}"
        yield from (f"  {rate:10,.1f}/日  {inert(rule.title)} ({rule.id})" for rule, rate in self.noisy)
        yield f"供給するソースがない / fed by no source {len(self.unfed):,}"
        yield from (f"  {inert(rule.title)} ({rule.id})" for rule in self.unfed)
        yield f"ログがまだ届いていない / no log of theirs has come {len(self.starved):,}"
        yield f"担当か理由のない例外・停止 / exceptions and switches without owner or reason {len(self.unowned):,}"
        yield from (f"  {inert(one)}" for one in self.unowned)
        yield f"期限の切れた例外・停止 / ended {len(self.ended):,}"
        yield from (f"  {inert(one)}" for one in self.ended)
        yield f"{self.days} 日間、鳴らなかった / silent for {self.days} days {len(self.silent):,}"


def report(
    rules: RuleSet,
    choice: Choice,
    events: Events,
    now: datetime,
    days: int,
    noisy: int,
    records: Records | None = None,
) -> Hygiene:
    """Over the signals of so many days, as stored and as counted by the workers (`rules.stats`), which outlive retention.

    choice: all that is switched off and on, by the configuration and by decision; noisy: signals a day beyond which a rule is."""
    span = Span(now - timedelta(days=days), now)
    hits = dict(events.top("rule.id", datasets=[SIGNALS], span=span, limit=_MANY))
    counted = stats.figures(records, now - timedelta(days=days)) if records is not None else {}
    hits |= {rule: max(hits.get(rule, 0), one.signals) for rule, one in counted.items() if one.signals}
    arriving = {one.name for one in events.datasets()}
    rates = [(rule, hits.get(rule.id, 0) / days) for rule in rules.rules]
    switches = [*choice.disable, *choice.enable]
    return Hygiene(
        days=days,
        hits=hits,
        noisy=sorted((one for one in rates if one[1] > noisy), key=lambda one: -one[1]),
        silent=[
            rule for rule in rules.rules if rule.feeds and rule.unsupported is None and rule.id not in hits
        ],
        unfed=[rule for rule in rules.rules if not rule.feeds],
        starved=[
            rule
            for rule in rules.rules
            if rule.feeds and arriving.isdisjoint(rule.feeds) and "*" not in rule.feeds
        ],
        unowned=[
            *(f"{one.title} ({one.path})" for one in rules.filters if not one.owner or not one.reason),
            *(str(one) for one in switches if not one.owner or not one.reason),
        ],
        ended=[
            *(f"{one.title} ({one.expires}, {one.path})" for one in rules.filters if one.ended),
            *map(str, choice.ended(now.astimezone(JST).date())),
        ],
    )
