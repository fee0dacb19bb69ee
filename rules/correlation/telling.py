"""A burst as an alert."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from hinomi.alert import Alert
from rules.correlation.burst import ENTITIES, ZONES, Burst
from rules.meta import Meta

_OUTSIDE = {"external"}
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def alert(meta: Meta, burst: Burst, kind: str, words: tuple[str, str], fields: Mapping[str, Any]) -> Alert:
    """The alert of a burst as it stands. kind: detection, correlation or baseline; words: why (ja, en)."""
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
        entities={name: list(values) for name in ENTITIES if (values := burst.values.get(name))},
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
    )


def moment(nanos: int) -> datetime:
    """Nanoseconds since 1970 as a time."""
    return _EPOCH + timedelta(microseconds=nanos // 1000)
