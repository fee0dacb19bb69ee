"""The grade of an incident, 0 to 3, with its reason in words.

The four grades are this tool's proposal ([P] in the guideline material, incident-levels.md §4): the ministry's
guideline text gives no numbers that could be verified. People may change a grade, with a reason.
"""

from collections.abc import Iterable

from collectors.enrich.settings import ZONE_WORDS, Zone
from hinomi.alert import Level
from hinomi.words import Words

_INNER = (Zone.MYNUMBER, Zone.LGWAN)


def grade(level: Level, zones: Iterable[str]) -> tuple[int, Words]:
    """The proposed grade and why."""
    inner, said = [zone for zone in _INNER if zone in set(zones)], level.words.en.lower()
    if inner and level.rank >= Level.HIGH.rank:
        names = [ZONE_WORDS[zone] for zone in inner]
        return 3, Words(
            f"{'、'.join(name.ja for name in names)}に関わる、水準「{level.words.ja}」の警報があるため(本ツールの提案)",
            f"an alert of level {said} concerns the {', '.join(name.en for name in names)} (this tool's proposal)",
        )
    if level is Level.CRITICAL:
        return 3, Words(
            f"水準「{level.words.ja}」の警報があるため(本ツールの提案)",
            f"an alert is of level {said} (this tool's proposal)",
        )
    if level is Level.HIGH or inner:
        return 2, Words(
            f"端末の感染またはアカウント侵害が疑われる水準「{level.words.ja}」の警報があるため(本ツールの提案)",
            f"an alert of level {said} suggests a compromised account or machine (this tool's proposal)",
        )
    if level is Level.MEDIUM:
        return 1, Words(
            f"水準「{level.words.ja}」の警報があるため(本ツールの提案)",
            f"an alert is of level {said} (this tool's proposal)",
        )
    return 0, Words(
        f"水準「{Level.LOW.words.ja}」以下の警報だけのため(本ツールの提案)",
        f"alerts are of level {Level.LOW.words.en.lower()} or below (this tool's proposal)",
    )
