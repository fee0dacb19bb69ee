"""Any JSON lines, one object a line: documents that are ECS already pass, others by common names.

A key that is an ECS field by its full path (`source.ip`, `user.name`) is taken as such; a few names that
many products share are mapped; the rest is kept under `json.<path>`.
"""

import polars as pl

from collectors import expressions as e
from collectors import times
from collectors.ecs_values import ALLOWED
from collectors.shapes.json_fields import json_fields
from collectors.source import Raw, Source
from hinomi import ecs

_NAMES: dict[str, tuple[str, ...]] = {
    "source.ip": ("src_ip", "srcip", "client_ip", "clientIp", "clientIP", "ClientIP", "remote_addr", "ip"),
    "source.port": ("src_port", "srcport"),
    "destination.ip": ("dest_ip", "dst_ip", "dstip"),
    "destination.port": ("dest_port", "dst_port", "dstport"),
    "user.name": ("user", "username", "userName", "account"),
    "host.name": ("host", "hostname"),
    "event.action": ("action", "operation", "event_type", "eventType"),
    "log.level": ("level", "severity"),
    "message": ("msg", "message_"),
}
_TIMES = ("@timestamp", "timestamp", "time", "ts", "datetime", "eventTime", "createdDateTime")
_FORMATS = (times.ISO, "epoch", "epoch_ms", times.JAPANESE)
_OURS = (
    "event.original",
    "event.id",
    "event.ingested",
    "event.dataset",
    "event.module",
)  # the tower's to say
_SET_HERE = {*_TIMES, *_NAMES, *(name for names in _NAMES.values() for name in names), *_OURS}
_LISTS = frozenset(name for name, field in ecs.fields().items() if field.array)

source = Source(
    name="generic.json",
    title={"ja": "JSON 形式(汎用)", "en": "JSON lines (any product)"},
    shape=json_fields(_LISTS),
    recognise=r'^\s*\{\s*".*\}\s*$',
    leftovers="json",
    rename={name: name for name in ecs.fields() if name not in _SET_HERE},
    ignore=tuple(_SET_HERE),
)


@source.derive
def known(raw: Raw) -> dict[str, pl.Expr]:
    """Common names where the document has no ECS field of its own, and the time."""
    found = {
        field: e.present(e.first(raw[field], *(raw[name] for name in names)))
        for field, names in _NAMES.items()
        if field != "message"
    }
    stamp = times.parsed(e.first(*(raw[name] for name in _TIMES)), _FORMATS, times.zone())
    return {
        **found,
        "source.ip": e.ip(found["source.ip"]),
        "destination.ip": e.ip(found["destination.ip"]),
        "message": e.present(e.first(*(raw[name] for name in _NAMES["message"]))),
        "event.kind": e.first(_allowed(raw, "event.kind"), pl.lit("event")),
        "event.outcome": _allowed(raw, "event.outcome"),
        "@timestamp": stamp,
    }


def _allowed(raw: Raw, name: str) -> pl.Expr:
    return pl.when(raw[name].is_in(ALLOWED[name])).then(raw[name])


@source.refine
def lists(frame: pl.DataFrame) -> pl.DataFrame:
    """ECS arrays as lists; categories and types that ECS does not know are left out."""
    columns = [name for name in frame.columns if name in _LISTS and frame.schema[name] == pl.String]
    return frame.with_columns(_list(name) for name in columns)


def _list(name: str) -> pl.Expr:
    parts = pl.col(name).str.split(ecs.BETWEEN)
    return parts.list.filter(pl.element().is_in(ALLOWED[name])) if name in ALLOWED else parts
