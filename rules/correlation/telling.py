"""A burst as an alert."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from collectors.enrich.settings import Zone
from hinomi.alert import ENTITIES, Alert, Level
from hinomi.identity import digest
from hinomi.organization import FIELD
from rules.correlation.burst import ZONES, Burst
from rules.meta import Meta

_OUTSIDE = {"external"}
_SEGMENTS = frozenset(Zone) - _OUTSIDE
_REACHED = ("host.zone", "destination.zone", "source.zone")
_HOUR = 3600 * 1_000_000_000
_MEMORY = Meta(
    id="0c1f3a57-7d0e-4c55-9a43-5a8f6f2f6b10",
    name="correlation_memory",
    title_ja="相関の記憶が足りず、途中のまとまりを手放した",
    title_en="Correlations ran out of memory and gave up groups under way",
    level=Level.MEDIUM,
    what_to_do_ja="下のルールは、この時間のしきい値を見逃した可能性があります。大量のイベントを出している送信元を調べ、"
    "必要ならそのルールの条件を絞るか、応答プロセスのメモリを増やしてください。",
    what_to_do_en="The rules named may have missed a threshold in this hour. Find what sends so many events; narrow the"
    " rule or give the respond process more memory.",
    tags=("attack.t1499",),
    guideline=("MIC-7.1",),
)
_OVERFLOW = replace(
    _MEMORY,
    id="7b8e5c0d-2f64-4a3b-8f0e-9c1d4e6a7f21",
    name="correlation_overflow",
    title_ja="相関の一つのまとまりがあふれ、古い分を手放した",
    title_en="One group of a correlation overflowed and let its oldest entries go",
)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def alert(meta: Meta, burst: Burst, kind: str, words: tuple[str, str], fields: Mapping[str, Any]) -> Alert:
    """The alert of a burst as it stands. kind: detection, correlation or baseline; words: why (ja, en)."""
    named = {name: list(values) for name in ENTITIES if (values := burst.values.get(name))}
    if segments := _segments(burst):
        named["network.name"] = segments
    return Alert(
        id=burst.alert_id,
        rule_id=meta.id,
        rule_name=meta.name,
        title_ja=meta.title_ja,
        title_en=meta.title_en,
        level=meta.level,
        kind=kind,
        first=moment(burst.first),
        last=moment(burst.last),
        detected=datetime.fromisoformat(burst.detected),
        entities=named,
        zones=sorted({zone for name in ZONES for zone in burst.values.get(name, ())} - _OUTSIDE),
        datasets=sorted(burst.datasets),
        event_ids=list(burst.event_ids),
        event_count=burst.n,
        fields=dict(fields),
        reason_ja=words[0],
        reason_en=words[1],
        what_to_do_ja=meta.what_to_do_ja,
        what_to_do_en=meta.what_to_do_en,
        tags=list(meta.tags),
        guideline=list(meta.guideline),
        playbook=meta.playbook,
        organization=str(fields.get(FIELD, "")),
    )


def _segments(burst: Burst) -> list[str]:
    """The zones that were reached or harmed: of the machine itself, else of where the traffic went, else of where it came
    from. Only zones of the city's own networks: another name is some sender's, and no segment can be cut outside."""
    for name in _REACHED:
        if held := [zone for zone in burst.values.get(name, ()) if zone in _SEGMENTS]:
            return held
    return []


def moment(nanos: int) -> datetime:
    """Nanoseconds since 1970 as a time."""
    return _EPOCH + timedelta(microseconds=nanos // 1000)


def memory_alert(lost: Sequence[tuple[Meta, int]], newest: int, now: datetime) -> Alert:
    """That groups were given up, one alert an hour. lost: rules with how many groups; newest: event time in ns."""
    return _lost(_MEMORY, lost, newest, now)


def overflow_alert(lost: Sequence[tuple[Meta, int]], newest: int, now: datetime) -> Alert:
    """The same of entries that single groups could not keep. lost: rules with how many entries."""
    return _lost(_OVERFLOW, lost, newest, now)


def _lost(about: Meta, lost: Sequence[tuple[Meta, int]], newest: int, now: datetime) -> Alert:
    hour, ordered = newest // _HOUR, sorted(lost, key=lambda pair: -pair[1])
    burst = Burst(digest(about.id, str(hour)), hour * _HOUR, newest, now.isoformat(), newest)
    burst.n = sum(n for _, n in lost)
    ja = "、".join(f"{meta.title_ja}({n:,}件)" for meta, n in ordered[:5])
    en = ", ".join(f"{meta.title_en} ({n:,})" for meta, n in ordered[:5])
    return alert(about, burst, "correlation", (ja, en), {"rule.name": ordered[0][0].name})
