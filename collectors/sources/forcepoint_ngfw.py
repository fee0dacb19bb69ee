"""Forcepoint NGFW (Stonesoft): connections, inspections, VPN, engines' events, in CEF or LEEF.

Source: Forcepoint, "NGFW: Log Server forwarding formats" (CEF and LEEF field names of the engine's log entries). The device
event's name, `Connection_Allowed`, is the CEF name and the LEEF event id.
"""

import polars as pl

from collectors import expressions as e
from collectors import times
from collectors.shapes import cef, either, leef
from collectors.source import Raw, Source

source = Source(
    name="forcepoint.ngfw",
    title={"ja": "Forcepoint NGFW", "en": "Forcepoint NGFW"},
    zone_hint="perimeter",
    shape=either(r"LEEF:|\b[12]\.0\|Forcepoint\|", leef("Forcepoint"), cef()),
    always=r"\|(?i:forcepoint)\|",
    recognise=r"CEF:\s?\d\|FORCEPOINT\|(?:Firewall|IPS|Layer|NGFW)|[12]\.0\|Forcepoint\|(?:Firewall|IPS|Layer|NGFW)",
    leftovers="forcepoint.ngfw",
    constants={"event.kind": "event", "observer.vendor": "Forcepoint", "observer.type": "firewall"},
    rename={
        "cef.class": "event.code",
        "cef.severity": "event.severity",
        "deviceInboundInterface": "observer.ingress.interface.name",
        "deviceOutboundInterface": "observer.egress.interface.name",
        "sourceTranslatedPort": "source.nat.port",
        "destinationTranslatedPort": "destination.nat.port",
        "in": "destination.bytes",
        "out": "source.bytes",
        "app": "network.application",
        "msg": "event.reason",
        "cs1": "rule.id",
        "request": "url.original",
    },
    ignore=(
        "cef.vendor",
        "cef.product",
        "cef.version",
        "cef.name",
        "leef.version",
        "leef.vendor",
        "leef.code",
        "proto",
    ),
)


@source.derive
def entry(raw: Raw) -> dict[str, pl.Expr]:
    """When, which node, both ends, what the engine did."""
    when = e.first(raw["rt"], raw["devTime"], raw["start"])
    clock = times.parsed(when, ["%b %d %Y %H:%M:%S%.f"], times.zone())
    name, act = (
        e.first(raw["cef.name"], raw["leef.code"]),
        e.first(raw["act"], raw["action"]).str.to_lowercase(),
    )
    allowed = act.is_in(["allow", "permit"]) | name.str.contains("Allowed|Permitted")
    refused = act.is_in(["discard", "refuse", "terminate", "block"]) | name.str.contains(
        "Discard|Refuse|Blocked|Terminat"
    )
    facility = raw["deviceFacility"]
    flow = name.str.starts_with("Connection_")
    return {
        "@timestamp": e.time_or(clock, pl.col("header.timestamp")),
        "host.name": e.first(raw["sender"], raw["deviceExternalId"], pl.col("header.host")),
        "observer.ip": e.ip(raw["dvc"]),
        "source.ip": e.ip(raw["src"]),
        "source.port": e.first(raw["spt"], raw["srcPort"]),
        "source.mac": e.first(raw["smac"], raw["srcMAC"]),
        "source.nat.ip": e.ip(raw["sourceTranslatedAddress"]),
        "destination.ip": e.ip(raw["dst"]),
        "destination.port": e.first(raw["dpt"], raw["dstPort"]),
        "destination.mac": e.first(raw["dmac"], raw["dstMAC"]),
        "destination.nat.ip": e.ip(raw["destinationTranslatedAddress"]),
        "user.name": e.present(e.first(raw["suser"], raw["usrName"], raw["duser"])),
        "file.name": e.present(raw["fname"]),
        "network.transport": e.first(e.transport(raw["proto"]), raw["proto"].str.to_lowercase()),
        "event.action": name,
        "event.category": pl.when(facility.str.contains("File"))
        .then(e.texts("file"))
        .when(facility.str.contains("(?i)auth|login"))
        .then(e.texts("authentication"))
        .otherwise(e.texts("network")),
        "event.type": pl.when(flow & refused)
        .then(e.texts("connection", "denied"))
        .when(flow & allowed)
        .then(e.texts("connection", "allowed"))
        .when(flow)
        .then(e.texts("connection"))
        .otherwise(e.texts("info")),
        "event.outcome": pl.when(refused)
        .then(pl.lit("failure"))
        .when(allowed)
        .then(pl.lit("success"))
        .otherwise(pl.lit("unknown")),
    }
