"""OpenTelemetry log records, as the HTTP listener writes what comes by OTLP.

Facts: OpenTelemetry, "Logs Data Model" and "Semantic Conventions", which share most of their names with ECS: an attribute
that ECS names is taken as such, the record's own before its resource's; a few names are mapped; the rest stays under
`otel.attributes` and `otel.resource`.
"""

from collections.abc import Mapping

import polars as pl

from collectors import expressions as e
from collectors.ecs_values import ALLOWED
from collectors.shapes.json_fields import json_fields
from collectors.source import Raw, Source
from collectors.times import parsed
from hinomi import ecs

_LEVELS = {1: "trace", 5: "debug", 9: "info", 13: "warn", 17: "error", 21: "fatal"}
_OTHER = {
    "client.ip": "client.address",
    "source.ip": "source.address",
    "destination.ip": "destination.address",
    "server.ip": "server.address",
    "user.id": "enduser.id",
    "error.type": "exception.type",
    "error.message": "exception.message",
    "error.stack_trace": "exception.stacktrace",
    "service.node.name": "service.instance.id",
    "service.environment": "deployment.environment.name",
    "orchestrator.namespace": "k8s.namespace.name",
    "orchestrator.cluster.name": "k8s.cluster.name",
}
_NEVER = {
    "@timestamp",
    "event.original",
    "event.id",
    "event.ingested",
    "event.dataset",
    "event.module",
    "event.created",
    "message",
    "trace.id",
    "span.id",
}
"""What the tower sets, or the record itself says."""
_TAKEN = sorted({name for name, field in ecs.fields().items() if not field.array} - _NEVER)

source = Source(
    name="otel.log",
    title={"ja": "OpenTelemetry のログ(OTLP)", "en": "OpenTelemetry logs (OTLP)"},
    shape=json_fields(),
    always=r'"(?:severity_(?:number|text)|(?:observed_)?time_unix_nano)"\s*:|"(?:body|attributes)"\s*:.*"(?:body|attributes|resource)"\s*:',
    recognise=r'^\{"time":-?\d+,"severity_number":\d+,"severity_text":".*"attributes":\{.*"resource":\{',
    rename={
        "body": "message",
        "trace_id": "trace.id",
        "span_id": "span.id",
        "event_name": "event.action",
        "scope": "log.logger",
        "severity_number": "event.severity",
    },
    leftovers="otel",
    ignore=("time", "severity_text"),
    constants={"event.kind": "event"},
    encoding="utf-8",
)


@source.derive
def basics(raw: Raw) -> Mapping[str, pl.Expr]:
    """The time (0: unknown), the level by word or number; ids of no trace are empty."""
    number = e.whole(raw["severity_number"])
    level = pl.coalesce(
        *(pl.when(number.is_between(low, low + 3)).then(pl.lit(word)) for low, word in _LEVELS.items())
    )
    named = {
        name: e.present(raw[column]) for column, name in source.rename.items() if column != "severity_number"
    }
    return named | {
        "@timestamp": parsed(raw["time"], ("epoch_ns",), "UTC"),
        "log.level": e.first(e.present(raw["severity_text"]).str.to_lowercase(), level),
        "event.severity": pl.when(number > 0).then(number),
    }


@source.derive
def attributes(raw: Raw) -> Mapping[str, pl.Expr]:
    """What has a name in ECS."""
    columns: dict[str, pl.Expr] = {}
    for name in _TAKEN:
        places = [f"attributes.{name}", f"resource.{name}"]
        if name in _OTHER:
            places += [f"attributes.{_OTHER[name]}", f"resource.{_OTHER[name]}"]
        given = [raw[place] for place in places if place in raw]
        if given:
            value = e.first(*given)
            kind = ecs.fields()[name].kind
            value = e.ip(value) if kind == "ip" else value
            columns[name] = pl.when(value.is_in(ALLOWED[name])).then(value) if name in ALLOWED else value
    return columns
