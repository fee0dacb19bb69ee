"""How much an incident deserves to be looked at first: 0 to 100, each part with its reason in words.

The parts and their weights are this tool's proposal. The score orders a queue; it decides nothing by itself.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from collectors.enrich.settings import ZONE_WORDS, Zone
from hinomi.alert import Alert, Level
from hinomi.words import Words

_LEVEL = {
    Level.INFORMATIONAL: 0,
    Level.LOW: 5,
    Level.MEDIUM: 15,
    Level.HIGH: 30,
    Level.CRITICAL: 45,
}
_ZONE = {Zone.MYNUMBER: 25, Zone.LGWAN: 20, Zone.DMZ: 8, Zone.CLOUD: 6, Zone.TELEWORK: 4}
_TACTICS = {
    "initial-access": Words("侵入", "initial access"),
    "execution": Words("実行", "execution"),
    "persistence": Words("居座り", "persistence"),
    "privilege-escalation": Words("権限の奪取", "privilege escalation"),
    "defense-evasion": Words("検知逃れ", "defence evasion"),
    "credential-access": Words("認証情報の窃取", "credential access"),
    "discovery": Words("探索", "discovery"),
    "lateral-movement": Words("横への広がり", "lateral movement"),
    "collection": Words("収集", "collection"),
    "command-and-control": Words("外からの操り", "command and control"),
    "exfiltration": Words("持ち出し", "exfiltration"),
    "impact": Words("破壊", "impact"),
}
_LATE = {"lateral-movement", "exfiltration", "impact", "command-and-control"}


@dataclass(frozen=True, slots=True)
class Part:
    """So many points, and why."""

    points: int
    why: Words


@dataclass(frozen=True, slots=True)
class Risk:
    """The score and its parts, the weightiest first."""

    score: int
    parts: tuple[Part, ...]

    def kept(self) -> dict[str, Any]:
        """As an incident's `fields` hold it."""
        reasons = [{"points": part.points, "ja": part.why.ja, "en": part.why.en} for part in self.parts]
        return {"score": self.score, "reasons": reasons}


def risk(alerts: Sequence[Alert], privileged: Sequence[str] = ()) -> Risk:
    """The risk of an incident with these alerts. privileged: accounts of administrators."""
    parts = [
        _level(alerts),
        _zones(alerts),
        _stages(alerts),
        _breadth(alerts),
        _privilege(alerts, privileged),
    ]
    counted = sorted((part for part in parts if part.points), key=lambda part: -part.points)
    return Risk(min(100, sum(part.points for part in counted)), tuple(counted))


def _level(alerts: Sequence[Alert]) -> Part:
    level = max((alert.level for alert in alerts), key=lambda one: one.rank)
    same = sum(alert.level is level for alert in alerts)
    points = _LEVEL[level] + min(5, same - 1)
    said = level.words
    return Part(
        points, Words(f"水準「{said.ja}」の警報が {same} 件", f"{same} alerts of level {said.en.lower()}")
    )


def _zones(alerts: Sequence[Alert]) -> Part:
    touched = {Zone(zone) for alert in alerts for zone in alert.zones if zone in set(Zone)}
    if not touched:
        return Part(0, Words("", ""))
    worst = max(touched, key=lambda zone: _ZONE.get(zone, 0))
    crossed = 5 if len(touched) > 1 and _ZONE.get(worst, 0) >= 20 else 0
    name, points = ZONE_WORDS[worst], _ZONE.get(worst, 0) + crossed
    if crossed:
        return Part(
            points,
            Words(f"{name.ja}に関わり、網をまたいでいる", f"concerns the {name.en} and crosses segments"),
        )
    return Part(points, Words(f"{name.ja}に関わる", f"concerns the {name.en}"))


def _stages(alerts: Sequence[Alert]) -> Part:
    """An attack that has come through several stages is worse than one that knocks."""
    tags = {tag.removeprefix("attack.").replace("_", "-") for alert in alerts for tag in alert.tags}
    seen = [name for name in _TACTICS if name in tags]
    if len(seen) < 2 and not set(seen) & _LATE:
        return Part(0, Words("", ""))
    points = min(20, 4 * len(seen) + 4 * len(set(seen) & _LATE))
    ja = "、".join(_TACTICS[name].ja for name in seen)
    return Part(
        points,
        Words(f"攻撃の段階が見えている: {ja}", "stages seen: " + ", ".join(_TACTICS[n].en for n in seen)),
    )


def _breadth(alerts: Sequence[Alert]) -> Part:
    hosts = {value for alert in alerts for value in alert.entities.get("host.name", [])}
    people = {value for alert in alerts for value in alert.entities.get("user.name", [])}
    points = min(10, 2 * max(0, len(hosts) - 1) + max(0, len(people) - 1))
    return Part(
        points,
        Words(
            f"端末 {len(hosts)} 台、利用者 {len(people)} 人に及ぶ",
            f"{len(hosts)} machines, {len(people)} people",
        ),
    )


def _privilege(alerts: Sequence[Alert], privileged: Sequence[str]) -> Part:
    named = {value.lower() for alert in alerts for value in alert.entities.get("user.name", [])}
    found = sorted(named & {one.lower() for one in privileged})
    if not found:
        return Part(0, Words("", ""))
    return Part(
        15, Words(f"特権アカウント {'、'.join(found[:3])}", f"privileged account {', '.join(found[:3])}")
    )
