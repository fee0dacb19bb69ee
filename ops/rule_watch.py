"""Each minute: does a rule flood or slow the engine? Then it is set aside, audited, and people are told. Of one that
correlations or baselines count people are told alone, where it is only many, and of these themselves.

The leading respond process does this for the whole tower; workers take the decision over from the records.
"""

from collections.abc import Callable, Sequence
from datetime import datetime

from hinomi.alert import Alert, Level
from hinomi.identity import digest
from hinomi.store import Records
from ops.folders import cache_folder
from ops.journal import log
from ops.roles.start import Role
from responders.audit import Audit
from rules import quarantine
from rules.lock import Difference

_ACTOR = "hinomi"
_UNAPPROVED = "b0d5a8f2-6a41-4d0e-8c52-1d9e8f7c3a10"


def watch(process: Role, records: Records, tell: Callable[[Alert], object]) -> int:
    """Set aside what is over a limit of `rules.flood_per_hour` or `rules.slow_share`; how many."""
    rules = process.settings.rules_in_force(process.data).load(cache_folder())
    now, n = process.clock.now(), 0
    for one in quarantine.judge(records, rules, process.settings.rules, now):
        details = {"why": one.why, "figure": one.figure, "limit": one.limit}
        Audit(records, process.clock).append(
            actor=_ACTOR, action="rules.quarantine", target=one.rule, details=details
        )
        quarantine.hold(records, one)
        log.error("rule_quarantined", rule=one.rule, reason=one.said.en)
        tell(quarantine.alert(one, now))
        n += 1
    for one in quarantine.loud(records, rules, process.settings.rules, now):
        log.warning("rule_loud", rule=one.rule, reason=one.said.en)
        tell(quarantine.loud_alert(one, now))
    quarantine.mirror(records, process.data)
    return n


def unapproved(found: Sequence[Difference], now: datetime) -> Alert:
    """That what runs is not what was approved: one alert a day for the same difference."""
    said = sorted(f"{one.rule.kind} {one.rule.id} {one.rule.sha256} {one.said.en}" for one in found)
    first = "、".join(f"{one.rule.title}({one.said.ja})" for one in found[:5])
    first_en = ", ".join(f"{one.rule.title} ({one.said.en})" for one in found[:5])
    return Alert(
        id=digest(_UNAPPROVED, f"{now:%Y-%m-%d}", *said),
        rule_id=_UNAPPROVED,
        rule_name="rules_not_as_approved",
        title_ja="承認と違う検知ルールが動いている",
        title_en="Detection rules that run are not those approved",
        level=Level.HIGH,
        kind="correlation",
        first=now,
        last=now,
        detected=now,
        event_count=len(found),
        reason_ja=f"{len(found):,} 件: {first}",
        reason_en=f"{len(found):,}: {first_en}",
        what_to_do_ja="hinomi rules lock --verify で違いを見て、心当たりがなければ書き換えた人を監査記録で確かめてください。",
        what_to_do_en="See hinomi rules lock --verify; if nobody meant it, look in the audit log for who changed them.",
        tags=["attack.t1562.001"],
        guideline=["MIC-7.1"],
    )
