"""What happened, in plain sentences made from the alerts."""

from collections.abc import Sequence
from zoneinfo import ZoneInfo

from collectors.enrich.settings import ZONE_WORDS, Zone
from hinomi.alert import Alert
from hinomi.clock import JST
from hinomi.words import Words

_MOST = 6


def title(alerts: Sequence[Alert], who: str) -> Words:
    """A line for the queue and the mail's subject: the gravest finding, about whom."""
    gravest = max(alerts, key=lambda alert: (alert.level.rank, -alert.first.timestamp()))
    if not who:
        return Words(gravest.title_ja, gravest.title_en)
    return Words(f"{who}: {gravest.title_ja}", f"{who}: {gravest.title_en}")


def story(alerts: Sequence[Alert], zones: Sequence[str], zone: ZoneInfo = JST) -> Words:
    """Since when, what one after another, and which parts of the network."""
    ordered = sorted(alerts, key=lambda alert: (alert.first, alert.id))
    seen: dict[str, Alert] = {}
    for alert in ordered:
        seen.setdefault(alert.rule_id, alert)
    steps = list(seen.values())
    since = ordered[0].first.astimezone(zone)
    ja = "、".join(f"{_clock(alert, zone)} {alert.title_ja}" for alert in steps[:_MOST])
    en = ", ".join(f"{_clock(alert, zone)} {alert.title_en}" for alert in steps[:_MOST])
    if len(steps) > _MOST:
        ja, en = f"{ja}、ほか{len(steps) - _MOST}種", f"{en}, and {len(steps) - _MOST} more"
    names = [ZONE_WORDS[Zone(name)] for name in zones if name in set(Zone)]
    where_ja = f"関係する網: {'、'.join(name.ja for name in names)}。" if names else ""
    where_en = f" Networks: {', '.join(name.en for name in names)}." if names else ""
    return Words(
        f"{since:%m月%d日 %H:%M}から、{ja}。{where_ja}", f"Since {since:%Y-%m-%d %H:%M}: {en}.{where_en}"
    )


def _clock(alert: Alert, zone: ZoneInfo) -> str:
    return f"{alert.first.astimezone(zone):%H:%M}"
