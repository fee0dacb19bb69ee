"""Allied Telesis AlliedWare Plus: firewall rules, connections, sign-ins, command log.

Source: Allied Telesis, "Advanced Network Protection Feature Overview and Configuration Guide", chapter "Logging":
`Firewall rule 10: DENY IN=… OUT=… SRC=… DST=… PROTO=…` (facility kern), connection logs `NEW|END proto=… orig_src=…`,
and "AlliedWare Plus Log Message Reference" for user sign-ins and the configuration log.
"""

import polars as pl

from collectors import expressions as e
from collectors.shapes import either, key_value, patterns
from collectors.source import Raw, Source

_FIREWALL = r"\bFirewall(?: rule \S+)?: [A-Z]+ .*\bSRC=|\b(?:NEW|END) proto=\S+ orig_src="
_TABLE = {
    "sign-in": r"[Ll]ogin on \S+ by (?P<user>\S+)(?: from (?P<src>\S+))?$|^(?P<user2>\S+) (?:has )?logged in(?: from (?P<src2>\S+))?",
    "sign-in-failed": (
        r"(?:FAILED LOGIN|[Aa]uthentication fail\w*|Login failed)(?:.*?(?:for|user) (?P<user>\S+?))?"
        r"(?:,? from (?P<src>[0-9A-Fa-f.:]+).*)?$"
    ),
    "configuration": r"^\[(?P<user>[^\]@]*)(?:@(?P<src>[^\]]*))?\]\s*(?P<command>.+)$",
}

source = Source(
    name="alliedtelesis.awplus",
    title={"ja": "アライドテレシス AlliedWare Plus(AR・x シリーズ)", "en": "Allied Telesis AlliedWare Plus"},
    zone_hint="perimeter",
    shape=either(
        _FIREWALL,
        key_value(),
        patterns(_TABLE, ("IMISH", "imish", "HOSTMIB", "NSM", "MSTP", "EPSR", "LOOPPROT", "awplus")),
    ),
    recognise=rf"{_FIREWALL}|\b(?:IMISH|imish)\[\d+\]: \[",
    leftovers="alliedtelesis.awplus",
    constants={
        "event.kind": "event",
        "observer.vendor": "Allied Telesis",
        "observer.product": "AlliedWare Plus",
    },
    rename={
        "SRC": "source.ip",
        "DST": "destination.ip",
        "SPT": "source.port",
        "DPT": "destination.port",
        "LEN": "network.bytes",
        "IN": "observer.ingress.interface.name",
        "OUT": "observer.egress.interface.name",
        "orig_src": "source.ip",
        "orig_dst": "destination.ip",
        "orig_sport": "source.port",
        "orig_dport": "destination.port",
        "orig_pkts": "source.packets",
        "orig_bytes": "source.bytes",
        "reply_pkts": "destination.packets",
        "reply_bytes": "destination.bytes",
        "command": "process.command_line",
    },
    ignore=("PROTO", "proto", "MAC", "user", "user2", "src", "src2", "pattern", "text", "reply_src", "reply_dst",
            "reply_sport", "reply_dport"),
)  # fmt: skip


@source.derive
def parties(raw: Raw) -> dict[str, pl.Expr]:
    """Both ends, before and behind address translation, and who signed in."""
    address = e.present(e.first(raw["src"], raw["src2"]))
    proto = e.first(raw["PROTO"], raw["proto"]).str.to_lowercase()
    inner, outer = e.present(raw["reply_dst"]), e.present(raw["reply_src"])
    return {
        "@timestamp": e.time_or(pl.col("header.timestamp")),
        "host.name": pl.col("header.host"),
        "observer.hostname": pl.col("header.host"),
        "process.name": pl.col("header.app"),
        "source.ip": e.ip(e.first(raw["SRC"], raw["orig_src"], address)),
        "source.nat.ip": pl.when(inner != raw["orig_src"]).then(inner),
        "source.nat.port": pl.when(inner != raw["orig_src"]).then(raw["reply_dport"]),
        "destination.nat.ip": pl.when(outer != raw["orig_dst"]).then(outer),
        "destination.nat.port": pl.when(outer != raw["orig_dst"]).then(raw["reply_sport"]),
        "network.transport": e.first(e.transport(proto), proto.replace({"icmpv6": "ipv6-icmp"})),
        "user.name": e.present(e.first(raw["user"], raw["user2"])),
        "rule.id": pl.col("message").str.extract(r"Firewall rule (\S+?):"),
        "message": pl.col("message"),
    }


@source.derive
def meaning(raw: Raw) -> dict[str, pl.Expr]:
    """What the firewall did, who signed in, which command was given."""
    name = raw["pattern"]
    act = pl.col("message").str.extract(r"Firewall(?: rule \S+)?: ([A-Z]+)")
    state = pl.col("message").str.extract(r"\b(NEW|END) proto=")
    denied = act.is_in(["DENY", "DROP", "REJECT", "BLOCK"])
    return {
        "event.action": e.first(act, state, name, pl.lit("message")).str.to_lowercase(),
        "event.category": pl.when(name.is_in(["sign-in", "sign-in-failed"]))
        .then(e.texts("authentication"))
        .when(name == "configuration")
        .then(e.texts("configuration"))
        .otherwise(e.texts("network")),
        "event.type": pl.when(denied)
        .then(e.texts("connection", "denied"))
        .when(act.is_not_null())
        .then(e.texts("connection", "allowed"))
        .when((state == "NEW") | name.is_in(["sign-in", "sign-in-failed"]))
        .then(e.texts("start"))
        .when(state == "END")
        .then(e.texts("end"))
        .when(name == "configuration")
        .then(e.texts("change"))
        .otherwise(e.texts("info")),
        "event.outcome": pl.when(name == "sign-in")
        .then(pl.lit("success"))
        .when(name == "sign-in-failed")
        .then(pl.lit("failure")),
    }
