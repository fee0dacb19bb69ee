"""Events as a person reads them: the raw line beside what was understood of it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from dashboards.console.residents import Seal
from dashboards.console.rulebook import Rulebook, Spans, Why
from hinomi.alert import Alert
from hinomi.store import Events, Span
from hinomi.words import Language

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
Piece = tuple[str, bool]


@dataclass(frozen=True, slots=True)
class Shown:
    """One event for a page. keys: what a person looks at first; fields: everything, by name; raw and values are
    pieces, each with whether the rule matched it; hidden: a reason must be recorded first; rule: what matched."""

    id: str
    time: datetime | None
    ingested: datetime | None
    dataset: str
    raw: str
    raw_pieces: list[Piece]
    keys: list[tuple[str, str]]
    fields: list[tuple[str, str, list[Piece]]]
    hidden: bool = False
    rule: str = ""


def show_event(
    row: dict[str, Any], spans: Spans | None = None, rule: str = "", *, hidden: bool = False
) -> Shown:
    """An event of the store as a page shows it. spans: what a rule matched, column → value → positions."""
    found, raw = spans or {}, str(row.get("event.original") or "")
    fields = [
        (name, words(value), _pieces(words(value), found.get(name)))
        for name, value in sorted(row.items())
        if name not in _APART
    ]
    keys = [(name, words(row[name])) for name in KEYS if row.get(name) not in (None, "", [])][:6]
    return Shown(
        id=str(row.get("event.id", "")),
        time=row.get("@timestamp"),
        ingested=row.get("event.ingested"),
        dataset=str(row.get("event.dataset", "")),
        raw="" if hidden else raw,
        raw_pieces=[] if hidden else _raw_pieces(raw, found),
        keys=[] if hidden else keys,
        fields=[] if hidden else fields,
        hidden=hidden,
        rule=rule,
    )


def _pieces(text: str, values: dict[str, list[tuple[int, int]]] | None) -> list[Piece]:
    """The text cut at what matched. A value that matched as a whole is one piece; of a list, that element."""
    if not values:
        return [(text, False)]
    places: list[tuple[int, int]] = []
    for value, spans in values.items():
        at = text.lower().find(value.lower())
        if at >= 0:
            places += [(at + start, at + end) for start, end in spans] or [(at, at + len(value))]
    return cut(text, places)


def _raw_pieces(raw: str, found: Spans) -> list[Piece]:
    """The raw line with what matched marked where it stands there in the same words."""
    places: list[tuple[int, int]] = []
    for values in found.values():
        for value, spans in values.items():
            for start, end in spans or [(0, len(value))]:
                part = value[start:end]
                at = raw.lower().find(part.lower()) if len(part) > 2 else -1
                if at >= 0:
                    places.append((at, at + len(part)))
    return cut(raw, places)


def cut(text: str, places: Sequence[tuple[int, int]]) -> list[Piece]:
    """The text as pieces, those within the places marked; places may overlap."""
    pieces: list[Piece] = []
    at = 0
    for start, end in sorted(places):
        first = max(start, at)
        if end <= first:
            continue
        if first > at:
            pieces.append((text[at:first], False))
        pieces.append((text[first:end], True))
        at = end
    return [*pieces, (text[at:], False)] if at < len(text) or not pieces else pieces


def words(value: object) -> str:
    """A value as one text; lists side by side, times in ISO form."""
    if isinstance(value, (list, tuple)):
        return ", ".join(words(part) for part in value)
    return value.isoformat() if isinstance(value, datetime) else str(value)


@dataclass(frozen=True, slots=True)
class Reader:
    """Reads the evidence of several alerts at once. seal: what the reader does not see."""

    events: Events
    book: Rulebook
    seal: Seal
    language: Language

    def read(self, alerts: Sequence[Alert], most: int) -> dict[str, list[Shown]]:
        """The first events of each alert, oldest first, each with what its rule matched; retention may have
        dropped some."""
        ids = [identity for alert in alerts for identity in alert.event_ids[:most]]
        if not ids:
            return {}
        span = Span(min(a.first for a in alerts) - _MARGIN, max(a.last for a in alerts) + _MARGIN)
        names = sorted({name for alert in alerts for name in alert.datasets})
        wanted = list(dict.fromkeys(ids))
        rows = self.events.get(wanted, datasets=names, span=span) or self.events.get(wanted)
        rows.sort(key=lambda row: str(row.get("@timestamp", "")))
        return {alert.id: self._of(alert, rows, set(alert.event_ids[:most])) for alert in alerts}

    def _of(self, alert: Alert, rows: Sequence[dict[str, Any]], ids: set[str]) -> list[Shown]:
        own = [(row, self.seal.hides(row)) for row in rows if str(row.get("event.id")) in ids]
        whys = iter(self.book.matched(alert.rule_id, [row for row, hidden in own if not hidden]))
        return [
            show_event(row, hidden=True) if hidden else self._shown(row, next(whys)) for row, hidden in own
        ]

    def _shown(self, row: dict[str, Any], why: Why) -> Shown:
        if why is None:
            return show_event(row)
        rule, spans = why
        title = str(rule.custom.get("title_ja") or rule.title) if self.language == "ja" else rule.title
        return show_event(row, spans, title)
