"""Events as a person reads them: the raw line beside what was understood of it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from hinomi.alert import Alert
from hinomi.store import Events, Span

KEYS = (
    "user.name",
    "user.target.name",
    "source.ip",
    "destination.ip",
    "destination.port",
    "host.name",
    "event.action",
    "event.outcome",
    "rule.name",
    "url.domain",
    "dns.question.name",
    "file.name",
    "process.name",
    "error.message",
)
_APART = {"event.original", "@timestamp", "event.id", "event.ingested"}
_MARGIN = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class Shown:
    """One event for a page. keys: what a person looks at first; fields: everything, by name."""

    id: str
    time: datetime | None
    ingested: datetime | None
    dataset: str
    raw: str
    keys: list[tuple[str, str]]
    fields: list[tuple[str, str]]


def show_event(row: dict[str, Any]) -> Shown:
    """An event of the store as a page shows it."""
    fields = [(name, words(value)) for name, value in sorted(row.items()) if name not in _APART]
    return Shown(
        id=str(row.get("event.id", "")),
        time=row.get("@timestamp"),
        ingested=row.get("event.ingested"),
        dataset=str(row.get("event.dataset", "")),
        raw=str(row.get("event.original") or ""),
        keys=[(name, words(row[name])) for name in KEYS if row.get(name) not in (None, "", [])][:6],
        fields=fields,
    )


def words(value: object) -> str:
    """A value as one text; lists side by side, times in ISO form."""
    if isinstance(value, (list, tuple)):
        return ", ".join(words(part) for part in value)
    return value.isoformat() if isinstance(value, datetime) else str(value)


def of_alert(events: Events, alert: Alert, most: int = 20) -> list[Shown]:
    """The alert's first events, oldest first. Retention may have dropped some."""
    ids: Sequence[str] = alert.event_ids[:most]
    if not ids:
        return []
    span = Span(alert.first - _MARGIN, alert.last + _MARGIN)
    rows = events.get(ids, datasets=alert.datasets, span=span) or events.get(ids)
    return sorted((show_event(row) for row in rows), key=lambda shown: (shown.time is None, shown.time))
