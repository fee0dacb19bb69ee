r"""Cisco Secure Web Appliance (IronPort WSA): the access log, whose front is Squid's.

Source: Cisco, "AsyncOS for Cisco Secure Web Appliance: Access Log File Entry". Behind the content type stands what the
policies decided, `ACTION_NUMBER-PolicyGroup-Identity-…`, then the scanning verdict between angle brackets.
"""

import polars as pl

from collectors import expressions as e
from collectors import times
from collectors.shapes import patterns
from collectors.source import Raw, Source

_LINE = (
    r"^(?:[A-Z][a-z]+: )?(?P<epoch>\d{9,10}\.\d{3}) +(?P<took>\d+) (?P<src>\S+) (?P<result>[A-Z_]+)/(?P<status>\d{3}) (?P<size>\d+)"
    r" (?P<method>[A-Z]+) (?P<url>\S+) (?P<who>\"[^\"]*\"|\S+) (?P<how>\w+)/(?P<server>\S+) (?P<mime>\S+)"
    r" (?:CMF:\S+ )?(?:DCF:\S+ )?(?:ERR:\S+ )?(?P<decision>[A-Z][A-Z0-9_]*)-(?P<policy>[^\s<]*) ?(?P<verdict><[^>]*>)?"
)

source = Source(
    name="cisco.web_appliance",
    title={"ja": "Cisco Secure Web Appliance(WSA)", "en": "Cisco Secure Web Appliance (WSA)"},
    zone_hint="internet",
    shape=patterns({"line": _LINE}),
    recognise=r"\b\d{9,10}\.\d{3} +\d+ \S+ [A-Z_]+/\d{3} \d+ [A-Z]+ \S+ .*? <[^>]*,[^>]*>",
    constants={
        "event.kind": "event",
        "event.category": ["network", "web"],
        "network.direction": "egress",
        "network.transport": "tcp",
        "observer.vendor": "Cisco",
        "observer.type": "proxy",
    },
    leftovers="cisco.web_appliance",
    rename={
        "result": "event.action",
        "status": "http.response.status_code",
        "method": "http.request.method",
        "size": "destination.bytes",
        "decision": "rule.id",
        "policy": "rule.ruleset",
        "text": "message",
    },
    ignore=("epoch", "took", "src", "url", "who", "server", "mime", "pattern"),
)


@source.derive
def request(raw: Raw) -> dict[str, pl.Expr]:
    """Who asked for which page, where it was fetched, what the scanners found."""
    stop = raw["decision"].str.contains(r"^BLOCK|^DROP") | raw["result"].str.contains("DENIED|BLOCK")
    account = (
        e.present(raw["who"].str.strip_chars('"'))
        .str.extract_groups(r"^(?:(.+)\\+)?([^\\@]+)(?:@(.+))?$")
        .struct
    )
    digest = raw["verdict"].str.extract(r'"([^",]+)","([0-9a-f]{64})"', 2)
    return {
        **e.url_columns(raw["url"]),
        "@timestamp": e.time_or(times.parsed(raw["epoch"], ["epoch"], "UTC"), pl.col("header.timestamp")),
        "event.duration": e.whole(raw["took"]) * 1_000_000,
        "source.ip": e.ip(raw["src"]),
        "source.domain": e.not_ip(e.present(raw["src"])),
        "destination.ip": e.ip(raw["server"]),
        "destination.domain": e.not_ip(e.present(raw["server"])),
        "user.name": account.field("2"),
        "user.domain": e.first(account.field("1"), account.field("3")),
        "http.response.mime_type": e.present(raw["mime"]),
        "file.name": raw["verdict"].str.extract(r'"([^",]+)","[0-9a-f]{64}"'),
        "file.hash.sha256": digest,
        "event.type": pl.when(stop)
        .then(e.texts("connection", "denied"))
        .otherwise(e.texts("connection", "allowed")),
        "event.outcome": pl.when(e.whole(raw["status"]) >= 400)
        .then(pl.lit("failure"))
        .otherwise(pl.lit("success")),
    }
