"""EfficientIP SOLIDserver DDI: DNS, DNS Guardian, and DHCP.

Source: EfficientIP, "SOLIDserver Administrator Guide: Syslog", "DNS Guardian". Its DNS is BIND with answers and Guardian's
triggers beside; its DHCP is ISC's. ECS's client is who asked, or who the lease is for.
"""

import polars as pl

from collectors import expressions as e
from collectors.shapes import lines
from collectors.source import Raw, Source

_IP = r"((?:\d{1,3}\.){3}\d{1,3}|[0-9A-Fa-f]*:[0-9A-Fa-f:]*[0-9A-Fa-f])"
_OURS = (
    r"^(?:client |DHCP[A-Z]+ |(?:DIS)?ARMING trigger |List Matched |zone \S+: |transfer of '|"
    r"[A-Za-z][\w ]*? resolving ')"
)
_MUCH = 4_000  # characters of an answer that are looked at

source = Source(
    name="efficientip.solidserver",
    title={"ja": "EfficientIP SOLIDserver(DNS・DHCP)", "en": "EfficientIP SOLIDserver DDI"},
    zone_hint="internal",
    shape=lines(_OURS),
    recognise=r"\bclient \S+#\d+ \([^)]*\): answer: |\b(?:DIS)?ARMING trigger on |\bList Matched \S+#\d+: ",
    constants={
        "event.kind": "event",
        "event.category": ["network"],
        "observer.vendor": "EfficientIP",
        "observer.product": "SOLIDserver",
    },
    rename={"text": "message"},
)


@source.derive
def asked(raw: Raw) -> dict[str, pl.Expr]:
    """Who asked what, or got which address."""
    text = raw["text"].str.head(_MUCH)
    question = text.str.extract_groups(r"\b(?:query|answer|response): (\S+) IN (\S+)").struct
    failing = text.str.extract_groups(
        r"^(?:[A-Z]+ )?(.*?) ?resolving '([^'/]+)/([^'/]+)(?:/[^']*)?'(?:: (\S+)#(\d+))?"
    ).struct
    rewritten = text.str.extract_groups(r"\brpz \S+ \S+ rewrite ([^/\s]+)/(\S+?)/").struct
    client = e.first(
        text.str.extract(rf"^client (?:@0x[0-9a-f]+ )?{_IP}#"),
        text.str.extract(rf"^List Matched {_IP}#"),
        text.str.extract(rf"^DHCP[A-Z]+ (?:on|for|of|from) {_IP}\b"),
        text.str.extract(r"trigger on ((?:\d{1,3}\.){3}\d{1,3})\b"),
    )
    notified = text.str.extract_groups(rf"(?:notify|completed|non-master:|from) {_IP}#(\d+)").struct
    dhcp, guardian = text.str.starts_with("DHCP"), text.str.contains("^(?:DIS)?ARMING ")
    tcp = text.str.contains(r" \+\S*T\S* \(|^transfer of ")
    return {
        "@timestamp": e.time_or(pl.col("header.timestamp")),
        "host.name": pl.col("header.host"),
        "observer.hostname": pl.col("header.host"),
        "client.ip": client,
        "source.ip": e.first(client, notified.field("1")),
        "source.port": e.whole(
            e.first(text.str.extract(r"^(?:client|List Matched)[^#]*#(\d{1,5})"), notified.field("2"))
        ),
        "source.mac": text.str.extract(
            r"^DHCP[A-Z]+ .*?\b(?:to|from) ([0-9a-fA-F]{2}(?::[0-9a-fA-F]{2}){5})"
        ),
        "source.domain": pl.when(dhcp).then(text.str.extract(r"\(([A-Za-z][^()\s]*)\) via")),
        "destination.ip": e.ip(failing.field("4")),
        "destination.port": e.whole(failing.field("5")),
        "dns.question.name": e.first(question.field("1"), failing.field("2"), rewritten.field("1")),
        "dns.question.type": e.first(question.field("2"), failing.field("3"), rewritten.field("2")),
        "dns.response_code": text.str.extract(r"-> ([A-Z]+)\b"),
        "network.transport": pl.when(tcp).then(pl.lit("tcp")).when(~guardian).then(pl.lit("udp")),
        "network.protocol": pl.when(dhcp).then(pl.lit("dhcp")).otherwise(pl.lit("dns")),
        "event.action": e.first(
            text.str.extract(r"\(action:(\w+)\)").str.to_lowercase(),
            text.str.extract(r"^(DHCP[A-Z]+)").str.to_lowercase(),
            text.str.extract(r"^zone \S+: ((?:refused |sending )?notif\w+)"),
            text.str.extract(r": (query|answer|response): "),
        ),
        "event.reason": e.first(
            e.present(failing.field("1")), text.str.extract(r"\(action:\w+\) \(([^)]+)\)")
        ),
        "event.type": pl.when(guardian | text.str.starts_with("List Matched"))
        .then(e.texts("info", "indicator"))
        .otherwise(e.texts("protocol", "info")),
        "event.outcome": pl.when(failing.field("2").is_not_null()).then(pl.lit("failure")),
    }
