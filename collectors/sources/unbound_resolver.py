"""Unbound, the DNS resolver: queries (`log-queries`), answers (`log-replies`), local zones, response policy zones
(`rpz-log`), names that could not be resolved (`log-servfail`, `val-log-level`), and its own messages.

Source: unbound.conf(5) (these, log-tag-queryreply, log-local-actions, log-time-iso) and Unbound's util/log.c, util/net_help.c
(`log_nametypeclass`, `log_reply_info`), services/localzone.c, services/rpz.c (`log_rpz_apply`).
"""

import polars as pl

from collectors import expressions as e
from collectors.shapes import patterns
from collectors.source import Raw, Source

_HEAD = (
    r"^(?:(?P<clock>\[\d{9,11}\]|[A-Z][a-z]{2} +\d+ \d\d:\d\d:\d\d) )?(?:lib)?(?:unbound)?\[(?P<process>\d+):(?P<thread>[0-9a-f]+)\] "
    r"(?P<level>query|reply|fatal error|error|warning|notice|info|debug|verbose): "
)
_IP = r"[0-9A-Fa-f]*[.:][0-9A-Fa-f.:]*"
_POLICIES = r"always_\w+|deny|refuse|static|transparent|redirect|typetransparent|inform\w*|block_a\w*|nodefault|noview|truncate"
_TABLE = {
    "local": (
        rf"{_HEAD}(?P<zone>\S+) (?P<policy>{_POLICIES}) "
        rf"(?P<ip>{_IP})@(?P<port>\d+) (?P<name>\S+) (?P<type>[A-Z0-9]+) (?P<class>IN|CH|HS|ANY)"
    ),
    "question": (
        rf"{_HEAD}(?P<ip>{_IP}) (?P<name>\S+) (?P<type>[A-Z0-9]+) (?P<class>IN|CH|HS|ANY|CLASS\d+)"
        r"(?: (?P<code>[A-Z]+) (?P<seconds>\d+\.\d+) (?P<cached>[01]) (?P<size>\d+))?(?: .*)?$"
    ),
    "policy": (
        rf"{_HEAD}rpz: applied (?:\[(?P<list>[^\]]*)\] )?(?:(?P<trigger>[a-z]+) )?(?P<zone>\S+) (?P<policy>rpz-[\w\-]+) "
        rf"(?:(?P<ip>{_IP})@(?P<port>\d+))? ?(?P<name>\S+) (?P<type>[A-Z0-9]+) (?P<class>IN|CH|HS|ANY|CLASS\d+)$"
    ),
    "unresolved": (
        rf"{_HEAD}(?P<code>SERVFAIL|validation failure) <(?P<name>\S+) (?P<type>[A-Z0-9]+) (?P<class>IN|CH|HS|ANY|CLASS\d+)>: ?"
        r"(?P<reason>.*)$"
    ),
    "limited": (
        rf"{_HEAD}(?P<policy>ratelimit|ip_ratelimit) exceeded (?P<zone>\S+) (?P<limit>\d+)[^<]*?(?: query)? "
        rf"(?P<name>\S+) (?P<class>IN|CH|HS|ANY|CLASS\d+) (?P<type>[A-Z0-9]+)(?: from (?P<ip>{_IP}))?$"
    ),
    "own": rf"{_HEAD}(?P<said>.*)$",
}

_DENIED = [
    "deny",
    "refuse",
    "always_refuse",
    "always_deny",
    "always_nxdomain",
    "always_nodata",
    "always_null",
    "block_a",
]
_DENIED += [
    "inform_deny",
    "block_aaaa",
    "rpz-nxdomain",
    "rpz-nodata",
    "rpz-drop",
    "ratelimit",
    "ip_ratelimit",
]

source = Source(
    name="unbound.resolver",
    title={"ja": "Unbound(DNS リゾルバ)", "en": "Unbound DNS resolver"},
    shape=patterns(_TABLE, ("unbound",)),
    recognise=r"(?:^|[\s\]])(?:(?:lib)?unbound)?\[\d+:[0-9a-f]+\] (?:query|reply|fatal error|error|warning|notice|info|debug|verbose): ",
    leftovers="unbound",
    constants={"event.kind": "event", "observer.product": "Unbound", "network.protocol": "dns"},
    rename={
        "port": "source.port",
        "type": "dns.question.type",
        "class": "dns.question.class",
        "level": "log.level",
        "size": "destination.bytes",
        "thread": "process.thread.id",
        "list": "rule.name",
        "reason": "event.reason",
        "text": "message",
    },
    ignore=("ip", "code", "clock", "process", "name", "said", "seconds", "pattern"),
)


@source.derive
def line(raw: Raw) -> dict[str, pl.Expr]:
    """A question, with its answer where answers are logged, or what the program says of itself."""
    asked = raw["pattern"].is_in(["question", "local", "policy", "limited"])
    answer = pl.when(raw["code"] != "validation failure").then(raw["code"])
    failed = raw["code"].is_in(["NOERROR", "NXDOMAIN"]).not_() | raw["level"].is_in(["error", "fatal error"])
    denied = raw["policy"].is_in(_DENIED)
    epoch = pl.from_epoch(e.whole(raw["clock"].str.strip_chars("[]")), "s").dt.replace_time_zone("UTC")
    return {
        "@timestamp": e.time_or(epoch.dt.cast_time_unit("ns"), pl.col("header.timestamp")),
        "dns.question.name": raw["name"].str.strip_suffix("."),
        "dns.type": pl.when(asked).then(
            pl.when(raw["code"].is_null()).then(pl.lit("query")).otherwise(pl.lit("answer"))
        ),
        "event.duration": (raw["seconds"].cast(pl.Float64, strict=False) * 1e9).cast(pl.Int64, strict=False),
        "dns.response_code": answer,
        "source.ip": e.first(raw["ip"], pl.when(raw["policy"] == "ip_ratelimit").then(e.ip(raw["zone"]))),
        "event.action": pl.when(asked)
        .then(e.first(raw["policy"], pl.lit("query")))
        .when(raw["code"].is_not_null())
        .then(pl.lit("unresolved"))
        .otherwise(pl.lit("message")),
        "event.category": e.texts("network"),
        "event.type": pl.when(denied)
        .then(e.texts("protocol", "denied"))
        .when(asked)
        .then(e.texts("protocol", "info"))
        .otherwise(e.texts("info")),
        "event.outcome": pl.when(failed).then(pl.lit("failure")).when(asked).then(pl.lit("success")),
        "host.name": pl.col("header.host"),
        "process.name": pl.lit("unbound"),
        "process.pid": e.first(raw["process"], pl.col("header.pid")),
    }
