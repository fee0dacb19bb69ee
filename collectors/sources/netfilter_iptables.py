"""Linux Netfilter: packets that an iptables or nftables rule logs (`LOG`, `log prefix`).

Source: iptables-extensions(8), target LOG; Linux net/ipv4/netfilter/nf_log_ipv4.c and nf_log_ipv6.c, which write
the fields. The text before `IN=` is the rule's own prefix; what it says of the packet's fate is read from it. `MAC=`
holds destination, source and type. Of an ICMP error the packet that it is about stands in brackets: not read.
"""

import polars as pl

from collectors import expressions as e
from collectors.shapes import key_value
from collectors.source import Raw, Source

# Chains are named with underscores: `FINAL_REJECT`, `DROP_IN`.
_DENIED = r"(?i)(?:\b|_)(?:drop|dropped|deny|denied|reject|rejected|block|blocked|dpt|ufw block)(?:\b|_)"
_ALLOWED = r"(?i)(?:\b|_)(?:accept|accepted|allow|allowed|pass|permit)(?:\b|_)"
_HEAD = r"^(?:kernel: )?(?:\[ *\d+\.\d+\] ?)?"

source = Source(
    name="netfilter.iptables",
    title={"ja": "Linux Netfilter(iptables・nftables)", "en": "Linux Netfilter (iptables, nftables)"},
    zone_hint="perimeter",
    shape=key_value(needs=["SRC"]),
    recognise=r"\bIN=\S* OUT=\S* .*\bSRC=\S+ DST=\S+ LEN=\d+ .*\bPROTO=",
    constants={
        "event.kind": "event",
        "observer.product": "Netfilter",
        "observer.type": "firewall",
    },
    rename={
        "SRC": "source.ip",
        "DST": "destination.ip",
        "SPT": "source.port",
        "DPT": "destination.port",
        "LEN": "source.bytes",
        "IN": "observer.ingress.interface.name",
        "OUT": "observer.egress.interface.name",
        "TTL": "netfilter.ttl",
    },
    leftovers="netfilter",
    ignore=("MAC", "PROTO"),
)


@source.derive
def packet(raw: Raw) -> dict[str, pl.Expr]:
    """Who, what and where from."""
    octets = raw["MAC"].str.extract_groups(
        r"^((?:[0-9A-Fa-f]{2}:){5}[0-9A-Fa-f]{2}):((?:[0-9A-Fa-f]{2}:){5}[0-9A-Fa-f]{2})"
    )
    named = raw["PROTO"].str.to_lowercase()
    incoming, outgoing = e.present(raw["IN"]), e.present(raw["OUT"])
    return {
        "@timestamp": e.time_or(_of_proxmox(pl.col("message")), pl.col("header.timestamp")),
        "destination.mac": octets.struct.field("1"),
        "source.mac": octets.struct.field("2"),
        "network.transport": pl.when(named.str.contains(r"^\d+$"))
        .then(e.transport(named))
        .otherwise(named.replace({"icmpv6": "ipv6-icmp"})),
        "network.iana_number": raw["PROTO"].str.extract(r"^(\d+)$"),
        "network.direction": pl.when(incoming.is_not_null() & outgoing.is_null())
        .then(pl.lit("inbound"))
        .when(incoming.is_null() & outgoing.is_not_null())
        .then(pl.lit("outbound")),
        "network.bytes": e.whole(raw["LEN"]),
        "host.name": pl.col("header.host"),
        "observer.hostname": pl.col("header.host"),
    }


@source.derive
def fate(raw: Raw) -> dict[str, pl.Expr]:
    """What the rule's prefix says; a prefix that says nothing tells only that the packet came by."""
    prefix = e.present(pl.col("message").str.extract(r"^(.*?)\s*\bIN=").str.replace(_HEAD, ""))
    denied, allowed = prefix.str.contains(_DENIED), prefix.str.contains(_ALLOWED)
    return {
        "rule.name": prefix,
        "event.action": pl.when(denied).then(pl.lit("denied")).when(allowed).then(pl.lit("allowed")),
        "event.category": e.texts("network"),
        "event.type": pl.when(denied)
        .then(e.texts("connection", "denied"))
        .when(allowed)
        .then(e.texts("connection", "allowed"))
        .otherwise(e.texts("connection", "info")),
        "event.outcome": pl.when(prefix.is_not_null()).then(
            pl.lit("success")
        ),  # the firewall did what it was told
    }


def _of_proxmox(line: pl.Expr) -> pl.Expr:
    """The time that Proxmox's firewall writes: `0 3 PVEFW-HOST-IN 20/Nov/2026:13:09:14 +0900 policy DROP: IN=…`."""
    written = line.str.extract(r"^\d+ \d \S+ (\d\d/[A-Z][a-z]{2}/\d{4}:\d\d:\d\d:\d\d [+-]\d{4}) ")
    return written.str.to_datetime("%d/%b/%Y:%H:%M:%S %z", time_unit="us", time_zone="UTC", strict=False)
