"""OCSF events of any class, versions 1.0 (and its release candidates) to 1.6, as JSON: Amazon Security Lake
and every product that writes the open schema.

Facts: schema.ocsf.io, "Base Event", classes and objects. Who acts is `user.*`, who is acted on
`user.target.*`; in an authentication the person who signs in is `user.*` and, where another asked for it,
also the target. The process of the event is `process.*`, its image also `file.*`. In findings the events are
evidence: their ends are not the finding's own. The whole event stays under `ocsf.<name>`, deep parts as
JSON text.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from collectors.leaves import leaves_of
from collectors.ocsf import classes, objects
from collectors.records import Flat, JsonRecords, at, epoch, items, kept, text, time
from collectors.source import Source

source = Source(
    name="ocsf.event",
    title={
        "ja": "OCSF 形式のイベント（Amazon Security Lake ほか）",
        "en": "OCSF events (Amazon Security Lake and others)",
    },
    zone_hint="cloud",
    shape=JsonRecords(kind=("class_uid",)),
    recognise=r'(?s)"class_uid"\s*:\s*\d{4,}.*"metadata"\s*:|"metadata"\s*:.*"class_uid"\s*:\s*\d{4,}',
)

_OUTCOMES = {0: "unknown", 1: "success", 2: "failure"}
_LAUNCH = 1


@source.each
def event(record: dict[str, Any]) -> Mapping[str, Any] | None:
    """ECS fields of one event; None for JSON that is none."""
    if objects.whole(record, "class_uid") is None or not isinstance(record.get("metadata"), dict):
        return None
    parts = (_happened(record), _meaning(record), _people(record), _network(record), _machine(record),
             objects.cloud(record), objects.finding(record), objects.email(record), objects.registry(record))  # fmt: skip
    found = {name: value for part in parts for name, value in kept(part).items()}
    return {**kept(leaves_of(record, "ocsf.", depth=3)), **found}


def _moment(record: dict[str, Any], name: str) -> datetime | None:
    """A time as a count since 1970 (`time`) or, beside it, as text (`time_dt`)."""
    given = (record.get(name), record.get(f"{name}_dt"))
    counts = (epoch(value) for value in given if not isinstance(value, str))
    written = (time(value.replace("/", "-")) for value in given if isinstance(value, str))
    return next((stamp for stamp in (*counts, *written) if stamp), None)


def _happened(record: dict[str, Any]) -> Flat:
    start = _moment(record, "start_time")
    duration = record.get("duration")
    activity = text(record, "activity_name")
    return {
        "@timestamp": _moment(record, "time") or start,
        "event.start": start,
        "event.end": _moment(record, "end_time"),
        "event.duration": _nanoseconds(duration),
        "event.action": activity.lower() if activity else None,
        "event.code": text(record, "metadata", "event_code"),
        "event.severity": text(record, "severity_id"),
        "event.outcome": _OUTCOMES.get(objects.whole(record, "status_id") or 0)
        if "status_id" in record
        else None,
        "event.reason": text(record, "status_detail"),
        "event.provider": text(record, "metadata", "log_provider")
        or text(record, "metadata", "product", "name"),
        "observer.vendor": text(record, "metadata", "product", "vendor_name"),
        "observer.product": text(record, "metadata", "product", "name"),
    }


def _nanoseconds(milliseconds: Any) -> int | None:
    known = isinstance(milliseconds, (int, float)) and 0 <= milliseconds < 10**12
    return int(milliseconds * 10**6) if known else None


def _meaning(record: dict[str, Any]) -> Flat:
    number = objects.whole(record, "class_uid")
    activity = text(record, "activity_name")
    malware = bool(items(record, "malware"))
    return {
        "event.kind": classes.kind(number),
        "event.category": classes.categories(number, objects.whole(record, "category_uid"), malware=malware),
        "event.type": classes.types(
            number, activity.lower() if activity else None, objects.whole(record, "action_id")
        ),
    }


def _people(record: dict[str, Any]) -> Flat:
    actor, subject = at(record, "actor", "user"), at(record, "user")
    target = kept(objects.person(subject, "user.target"))
    own = kept(objects.person(actor, "user"))
    if objects.whole(record, "class_uid") == 3002:
        signed_in = kept(objects.person(subject, "user"))
        own = signed_in if "user.name" in signed_in or not own else own
    elif not own:
        own = kept(objects.person(at(record, "process", "user"), "user"))
    return {
        **own,
        **target,
        "group.name": text(record, "group", "name"),
        "group.id": text(record, "group", "uid"),
    }


def _network(record: dict[str, Any]) -> Flat:
    return {
        **objects.endpoint(at(record, "src_endpoint"), "source"),
        **objects.endpoint(at(record, "dst_endpoint"), "destination"),
        **objects.network(record),
        **objects.web(record),
        **objects.dns(record),
    }


def _machine(record: dict[str, Any]) -> Flat:
    """Device, process with its parent, and file: the event's own, or the image of its process."""
    actor = at(record, "actor", "process")
    own = at(record, "process") or actor
    parent = at(own, "parent_process")
    if parent is None and own is not actor and objects.whole(record, "activity_id") == _LAUNCH:
        parent = actor
    subject = at(record, "file") or at(record, "driver", "file") or at(record, "module", "file")
    return {
        **objects.device(record),
        **objects.process(own, "process"),
        **objects.process(parent, "process.parent"),
        **objects.file(subject or at(own, "file")),
    }
