"""AWS VPC flow logs: version 2 (the default), all fields of versions 3 to 10 in AWS's order, and as JSON.

Read: Amazon VPC User Guide, "Available fields" as of awsdocs on GitHub (versions 2 to 5: names, order, values). The
fields of versions 7 to 10 are named and ordered as in the OpenTelemetry collector's reader and in published
format strings; AWS's page for them was not read. Text records are read by position; a
custom format is understood where its fields stand in the order of that list, as many as there are. JSON
records (Firehose, OpenTelemetry) may come with any fields, with `-` or `_` in their names.

`log-status` says whether the record holds data and is no outcome: `event.outcome` is success for ACCEPT and
failure for REJECT. A flow is one way, so packets and bytes are the source's. Addresses behind a NAT gateway
or load balancer (`pkt-srcaddr`) become `*.nat.ip` where they differ.
"""

from collections.abc import Mapping

import polars as pl

from collectors import expressions as e
from collectors.shapes import either, patterns, renamed
from collectors.shapes.json_fields import json_fields
from collectors.source import Raw, Source
from collectors.times import EPOCHS, parsed

_REQUIRED = (
    "version", "account_id", "interface_id", "srcaddr", "dstaddr", "srcport", "dstport", "protocol", "packets",
    "bytes", "start", "end", "action", "log_status",
)  # fmt: skip
_FURTHER = (
    "vpc_id", "subnet_id", "instance_id", "tcp_flags", "type", "pkt_srcaddr", "pkt_dstaddr",
    "region", "az_id", "sublocation_type", "sublocation_id",
    "pkt_src_aws_service", "pkt_dst_aws_service", "flow_direction", "traffic_path",
    "ecs_cluster_arn", "ecs_cluster_name", "ecs_container_instance_arn", "ecs_container_instance_id",
    "ecs_container_id", "ecs_second_container_id", "ecs_service_name", "ecs_task_definition_arn",
    "ecs_task_arn", "ecs_task_id", "reject_reason", "resource_id", "encryption_status",
)  # fmt: skip
_SHAPES = {
    "version": r"\d{1,2}", "account_id": r"\d{12}|unknown", "interface_id": r"eni-[0-9a-z]+|-",
    "start": r"\d{9,11}|-", "end": r"\d{9,11}|-", "action": "ACCEPT|REJECT|-", "log_status": "OK|NODATA|SKIPDATA|-",
}  # fmt: skip


def _text() -> str:
    """Version 2's fields, then any number of the further ones."""
    required = " ".join(rf"(?P<{name}>{_SHAPES.get(name, '[^ ]+')})" for name in _REQUIRED)
    further = "".join(rf"(?: (?P<{name}>[^ ]+)" for name in _FURTHER) + ")?" * len(_FURTHER)
    return rf"^{required}{further}(?: |$)"


_TAKEN = ("srcaddr", "dstaddr", "srcport", "dstport", "packets", "bytes", "start", "end", "action")
_JSON_NAMES = {name.replace("_", "-"): name for name in (*_REQUIRED, *_FURTHER)}

source = Source(
    name="aws.flow_logs",
    title={"ja": "AWS VPC フローログ", "en": "AWS VPC flow logs"},
    zone_hint="cloud",
    shape=either(r"^\s*\{", renamed(json_fields(), _JSON_NAMES), patterns({"flow": _text()})),
    recognise=(
        r"^\d{1,2} (?:\d{12}|unknown) (?:eni-\w+|-) \S+ \S+ \S+ \S+ \S+ \S+ \S+ \S+ \S+ (?:ACCEPT|REJECT|-) "
        r'(?:OK|NODATA|SKIPDATA)\b|"interface[_-]id"\s*:\s*"eni-.*"log[_-]status"\s*:'
    ),
    rename={
        "account_id": "cloud.account.id",
        "interface_id": "observer.ingress.interface.name",
        "instance_id": "cloud.instance.id",
        "region": "cloud.region",
        "az_id": "cloud.availability_zone",
        "protocol": "network.iana_number",
    },
    leftovers="aws.flowlogs",
    ignore=("text", "pattern", *_TAKEN),
    constants={"event.kind": "event", "cloud.provider": "aws", "cloud.service.name": "vpc"},
)
_ABSENT = ("instance_id", "region", "az_id", "protocol", "account_id", "interface_id")


@source.derive
def nothing_is_null(raw: Raw) -> Mapping[str, pl.Expr]:
    """`-` says that a field does not apply or that there were no data."""
    named = {source.rename[name]: e.present(raw[name]) for name in _ABSENT}
    return named | {f"aws.flowlogs.{name}": e.present(raw[name]) for name in _FURTHER if name not in _ABSENT}


@source.derive
def times(raw: Raw) -> Mapping[str, pl.Expr]:
    """The capture window in seconds since 1970; the event is when it began."""
    start, end = (parsed(raw[name], tuple(EPOCHS), "UTC") for name in ("start", "end"))
    return {"@timestamp": e.time_or(start, end), "event.start": start, "event.end": end}


@source.derive
def ends(raw: Raw) -> Mapping[str, pl.Expr]:
    """Both ends; AWS gives the interface's own address where a packet's differs."""
    columns: dict[str, pl.Expr] = {}
    for end, short in (("source", "src"), ("destination", "dst")):
        own, packet = e.ip(raw[f"{short}addr"]), e.ip(raw[f"pkt_{short}addr"])
        columns[f"{end}.ip"] = own
        columns[f"{end}.port"] = e.whole(raw[f"{short}port"])
        columns[f"{end}.nat.ip"] = pl.when(packet != own).then(packet)
    packets, size = e.whole(raw["packets"]), e.whole(raw["bytes"])
    return columns | {
        "source.packets": packets,
        "source.bytes": size,
        "network.packets": packets,
        "network.bytes": size,
        "network.transport": e.transport(raw["protocol"]),
        "network.type": e.present(raw["type"]).str.to_lowercase(),
        "network.direction": e.mapped(raw["flow_direction"], {"ingress": "ingress", "egress": "egress"}),
    }


@source.derive
def meaning(raw: Raw) -> Mapping[str, pl.Expr]:
    """ACCEPT and REJECT as ECS says them; a record without data is a fact about the log only."""
    action = raw["action"]
    kinds = {"ACCEPT": ("connection", "allowed"), "REJECT": ("connection", "denied")}
    return {
        "event.action": e.present(action).str.to_lowercase(),
        "event.category": e.texts("network"),
        "event.type": pl.coalesce(e.listed(action, kinds), e.texts("info")),
        "event.outcome": e.mapped(action, {"ACCEPT": "success", "REJECT": "failure"}),
        "event.reason": e.present(raw["reject_reason"]),
    }


@source.refine
def ours_only(frame: pl.DataFrame) -> pl.DataFrame:
    """Without the vendor fields that no record has; JSON of anything else is none of ours."""
    ours = frame.filter(
        pl.any_horizontal(
            pl.col(name).is_not_null()
            for name in ("source.ip", "observer.ingress.interface.name")
            if name in frame.columns
        )
        & pl.col("@timestamp").is_not_null()
    )
    absent = [
        name for name in ours.columns if name.startswith("aws.") and ours[name].null_count() == ours.height
    ]
    return ours.drop(absent)
