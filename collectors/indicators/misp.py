"""MISP: events as a feed, an export or the server's API writes them.

Only attributes with `to_ids` are indicators, unless deleted: the rest is context (MISP core format, attribute). An event by
itself states all its attributes; an answer to a search may hold some of them.
"""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from collectors.indicators.documents import objects
from collectors.indicators.indicator import Indicator, Kind, Refused, Stated

_KINDS = {
    "ip-src": Kind.ADDRESS,
    "ip-dst": Kind.ADDRESS,
    "domain": Kind.DOMAIN,
    "hostname": Kind.DOMAIN,
    "url": Kind.URL,
    "uri": Kind.URL,
    "md5": Kind.FILE,
    "sha1": Kind.FILE,
    "sha256": Kind.FILE,
    "sha512": Kind.FILE,
    "email-src": Kind.EMAIL,
    "email": Kind.EMAIL,
}
_PAIRS = {"filename": 1, "ip-src": 0, "ip-dst": 0, "domain": 0}
"""Types of two values joined by `|`: which of the two is the indicator, by the first type."""


def indicators(
    document: Mapping[str, Any], source: str, confidence: int, now: datetime
) -> Iterator[Indicator | Refused | Stated]:
    """Indicators of one event, or of a server's answer with several."""
    held = document.get("response")
    answers = held if isinstance(held, list) else [document]
    for answer in answers:
        event = answer.get("Event") if isinstance(answer, dict) else None
        if isinstance(event, dict):
            if (reference := _reference(event)) and not isinstance(held, list):
                yield Stated(reference, _time(event.get("timestamp"), now))
            yield from _of_event(event, source, confidence, now)


def _of_event(
    event: Mapping[str, Any], source: str, confidence: int, now: datetime
) -> Iterator[Indicator | Refused]:
    organisation = event.get("Orgc")
    who = str(organisation.get("name") or source) if isinstance(organisation, dict) else source
    about = str(event.get("info") or "")[:300]
    reference, version = _reference(event), _time(event.get("timestamp"), now)
    for attribute in _attributes(event):
        if attribute.get("to_ids") is not True or attribute.get("deleted") is True:
            continue
        found = _value(str(attribute.get("type") or ""), str(attribute.get("value") or ""))
        if isinstance(found, Refused):
            yield found
        else:
            since = _time(attribute.get("timestamp"), now)
            yield Indicator(*found, who, confidence, since, None, about, "", reference, version)


def _reference(event: Mapping[str, Any]) -> str:
    return str(event.get("uuid") or "")[:200]


def _attributes(event: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    for holder in (event, *objects(event, "Object")):
        yield from objects(holder, "Attribute")


def _value(kind: str, value: str) -> tuple[Kind, str] | Refused:
    first, bar, second = kind.partition("|")
    if bar:
        parts, which = value.split("|", 1), _PAIRS.get(first)
        if which is None or len(parts) != 2:
            return Refused("type_not_supported")
        kind, value = (first, second)[which], parts[which]
    return (_KINDS[kind], value) if kind in _KINDS else Refused("type_not_supported")


def _time(value: object, now: datetime) -> datetime:
    try:
        return datetime.fromtimestamp(int(str(value)), UTC)
    except (ValueError, OverflowError, OSError):
        return now
