"""Ekinops (OneAccess) routers, OneOS: configuration, access lists and the system, as syslog.

Written from knowledge of the format and an open collection of real logs; no vendor document was read. `#LEVEL#` stands
before the text; what a person did names the person, the line and the time; an access list's line names the list, the
protocol and both ends.
"""

import polars as pl

from collectors import expressions as e
from collectors.shapes import patterns
from collectors.source import Raw, Source

_IP = r"(?:\d{1,3}(?:\.\d{1,3}){3}|[0-9A-Fa-f]*:[0-9A-Fa-f:]+)"
_HEAD = r"^(?::\s*)?#(?P<level>EMERG|ALERT|CRIT|ERR|ERROR|WARN|WARNING|NOTIFY|NOTICE|INFO|DEBUG)#\s+"
_TABLE = {
    "access-list": (
        _HEAD
        + rf"(?P<said>list (?P<list>\S+) (?P<verdict>denied|permitted) (?P<proto>\S+) (?P<src>{_IP})(?::(?P<sport>\d+))? ?-> ?"
        rf"(?P<dst>{_IP})(?::(?P<dport>\d+))?.*)$"
    ),
    "deed": _HEAD
    + r"(?P<said>(?P<what>.*?) by user '(?P<user>[^']*)'(?: from (?P<line>.*?))?(?: on [A-Z][a-z]{2} .*)?)$",
    "system": _HEAD + r"(?P<said>(?:(?P<module>[A-Z][A-Z0-9]{1,15}) \[(?P<part>[A-Z0-9_]+)\] )?.*)$",
}

source = Source(
    name="ekinops.oneos",
    title={"ja": "Ekinops OneOS ルーター", "en": "Ekinops OneOS routers"},
    zone_hint="perimeter",
    shape=patterns(_TABLE),
    recognise=r" : ?#(?:EMERG|ALERT|CRIT|ERR|ERROR|WARN|WARNING|NOTIFY|NOTICE|INFO|DEBUG)#\s",
    leftovers="ekinops.oneos",
    constants={"event.kind": "event", "observer.vendor": "Ekinops", "observer.product": "OneOS"},
    rename={"level": "log.level", "list": "rule.name", "sport": "source.port", "dport": "destination.port"},
    ignore=("text", "said", "what", "verdict", "proto", "src", "dst", "user", "pattern"),
)


@source.derive
def line(raw: Raw) -> dict[str, pl.Expr]:
    """Who changed what, or what the access list decided."""
    kind, who = raw["pattern"], raw["line"].str.extract(rf"({_IP})")
    denied = raw["verdict"] == "denied"
    return {
        "@timestamp": e.time_or(pl.col("header.timestamp")),
        "observer.name": pl.col("header.host"),
        "event.action": e.first(raw["what"].str.strip_chars(), raw["verdict"]),
        "event.category": pl.when(kind == "access-list").then(e.texts("network"))
        .when(kind == "deed").then(e.texts("configuration")).otherwise(e.texts("host")),
        "event.type": pl.when(denied).then(e.texts("connection", "denied"))
        .when(kind == "access-list").then(e.texts("connection", "allowed"))
        .when(kind == "deed").then(e.texts("change")).otherwise(e.texts("info")),
        "network.transport": raw["proto"].str.to_lowercase(),
        "source.ip": e.first(raw["src"], who),
        "destination.ip": raw["dst"],
        "user.name": e.present(raw["user"]),
        "message": raw["said"],
    }  # fmt: skip
