"""pfSense and OPNsense: the packet filter's log (`filterlog`), one comma-separated line a packet.

Source: Netgate, "Raw Filter Log Format"; OPNsense writes the same columns. An IPv6 line has its flow and hop limit where
an IPv4 line has more of the header, and names the protocol before its number; ports stand behind the addresses.
"""

import polars as pl

from collectors import expressions as e
from collectors.shapes import patterns
from collectors.source import Raw, Source

_HEAD = (
    r"^(?P<rule>\d+),\d*,(?P<anchor>[^,]*),(?P<tracker>[^,]*),(?P<card>[^,]+),(?P<reason>[a-z\-]+),(?P<action>[a-z]+)"
    r",(?P<way>in|out|in/out),"
)
_ENDS = r"(?P<length>\d*),(?P<src>[^,]*),(?P<dst>[^,]*)(?:,(?P<sport>\d+),(?P<dport>\d+)(?:,|$))?"
_FOUR = rf"{_HEAD}4,(?:[^,]*,){{7}}(?P<spoken>[^,]*),{_ENDS}"
_SIX = rf"{_HEAD}6,(?:[^,]*,){{3}}(?P<spoken>[^,]*),[^,]*,{_ENDS}"

source = Source(
    name="netgate.filterlog",
    title={"ja": "pfSense・OPNsense(パケットフィルター)", "en": "pfSense, OPNsense packet filter"},
    zone_hint="perimeter",
    shape=patterns({"ipv4": _FOUR, "ipv6": _SIX}),
    recognise=r"(?:^|[\s:])\d+,\d*,[^,]*,[^,]*,[^,]+,[a-z\-]+,(?:pass|block|reject|rdr|nat|binat|synproxy\w*),(?:in|out|in/out),[46],",
    constants={"event.kind": "event", "event.category": ["network"], "observer.type": "firewall"},
    rename={
        "rule": "rule.id",
        "anchor": "rule.ruleset",
        "tracker": "rule.uuid",
        "reason": "event.reason",
        "pattern": "network.type",
        "action": "event.action",
        "text": "message",
    },
    ignore=("card", "way", "spoken", "length", "src", "dst", "sport", "dport"),
)
_WAYS = {"in": "inbound", "out": "outbound"}
_PORTED = ["tcp", "udp", "sctp"]


@source.derive
def packet(raw: Raw) -> dict[str, pl.Expr]:
    """Both ends, and on which card the packet was seen."""
    way, spoken, action = raw["way"], raw["spoken"].str.to_lowercase(), raw["action"]
    ported = spoken.is_in(_PORTED)
    return {
        "@timestamp": e.time_or(pl.col("header.timestamp")),
        "host.name": pl.col("header.host"),
        "observer.hostname": pl.col("header.host"),
        "observer.ingress.interface.name": pl.when(way == "in").then(raw["card"]),
        "observer.egress.interface.name": pl.when(way == "out").then(raw["card"]),
        "network.direction": e.mapped(way, _WAYS),
        "network.transport": spoken.replace({"icmpv6": "ipv6-icmp"}),
        "network.bytes": e.whole(raw["length"]),
        "source.ip": e.ip(raw["src"]),
        "destination.ip": e.ip(raw["dst"]),
        "source.port": pl.when(ported).then(e.whole(raw["sport"])),
        "destination.port": pl.when(ported).then(e.whole(raw["dport"])),
        "event.type": pl.when(action == "pass")
        .then(e.texts("connection", "allowed"))
        .when(action.is_in(["block", "reject"]))
        .then(e.texts("connection", "denied"))
        .otherwise(e.texts("connection")),
        "event.outcome": pl.lit("success"),
    }
