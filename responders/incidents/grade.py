"""The grade of an incident, 0 to 3, with its reason in words.

The four grades are this tool's proposal ([P] in the guideline material, incident-levels.md §4): the ministry's
guideline text gives no numbers that could be verified. People may change a grade, with a reason.
"""

from collections.abc import Iterable

from collectors.enrich.settings import ZONE_WORDS, Zone
from hinomi.alert import Level
from hinomi.words import Words

NAMES = [Words("事象", "event"), Words("軽微", "minor"), Words("中", "moderate"), Words("重大", "serious")]
_INNER = (Zone.MYNUMBER, Zone.LGWAN)


def grade(level: Level, zones: Iterable[str]) -> tuple[int, Words]:
    """The proposed grade and why."""
    inner = [zone for zone in _INNER if zone in set(zones)]
    if inner and level.rank >= Level.HIGH.rank:
        names = [ZONE_WORDS[zone] for zone in inner]
        return 3, Words(
            f"{'、'.join(name.ja for name in names)}に関わる、水準「{level}」以上の警報があるため(本ツールの提案)",
            f"alerts of level {level} concern the {', '.join(name.en for name in names)} (this tool's proposal)",
        )
    if level is Level.CRITICAL:
        return 3, Words(
            "水準「critical」の警報があるため(本ツールの提案)", "an alert is critical (this tool's proposal)"
        )
    if level is Level.HIGH or inner:
        return 2, Words(
            f"端末の感染またはアカウント侵害が疑われる水準「{level}」の警報があるため(本ツールの提案)",
            f"an alert of level {level} suggests a compromised account or machine (this tool's proposal)",
        )
    if level is Level.MEDIUM:
        return 1, Words(
            "水準「medium」の警報のため(本ツールの提案)", "alerts are of medium level (this tool's proposal)"
        )
    return 0, Words(
        "水準「low」以下の警報だけのため(本ツールの提案)", "alerts are low or below (this tool's proposal)"
    )
