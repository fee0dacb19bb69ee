"""Unbound, the DNS resolver: queries (`log-queries`), answers (`log-replies`), local zones, and its own messages.

Source: unbound.conf(5) (log-queries, log-replies, log-tag-queryreply, log-local-actions) and Unbound's
util/net_help.c `log_nametypeclass`, `log_reply_info`, services/localzone.c.
"""

import polars as pl

from collectors import expressions as e
from collectors.shapes import patterns
from collectors.source import Raw, Source

_HEAD = (
    r"^(?:(?P<clock>\[\d{9,11}\]|[A-Z][a-z]{2} +\d+ \d\d:\d\d:\d\d) )?(?:unbound)?\[(?P<process>\d+):(?P<thread>[0-9a-f]+)\] "
    r"(?P<level>query|reply|fatal error|error|warning|notice|info|debug|verbose): "
)
_IP = r"[0-9A-Fa-f]*[.:][0-9A-Fa-f.:]*"
_TABLE = {
    "local": (
        rf"{_HEAD}(?P<zone>\S+) (?P<policy>always_\w+|deny|refuse|static|transparent|redirect|typetransparent|inform\w*|block_a) "
        rf"(?P<ip>{_IP})@(?P<port>\d+) (?P<name>\S+) (?P<type>[A-Z0-9]+) (?P<class>IN|CH|HS|ANY)"
    ),
    "question": (
        rf"{_HEAD}(?P<ip>{_IP}) (?P<name>\S+) (?P<type>[A-Z0-9]+) (?P<class>IN|CH|HS|ANY|CLASS\d+)"
        r"(?: (?P<code>[A-Z]+) (?P<seconds>\d+\.\d+) (?P<cached>[01]) (?P<size>\d+))?(?: .*)?$"
    ),
    "own": rf"{_HEAD}(?P<said>.*)$",
}

source = Source(
    name="unbound.resolver",
    title={"ja": "Unbound(DNS リゾルバ)", "en": "Unbound DNS resolver"},
    shape=patterns(_TABLE, ("unbound",)),
    recognise=r"(?:^|[\s\]])(?:unbound)?\[\d+:[0-9a-f]+\] (?:query|reply|fatal error|error|warning|notice|info|debug|verbose): ",
    leftovers="unbound",
    constants={"event.kind": "event", "observer.product": "Unbound", "network.protocol": "dns"},
    rename={
        "ip": "source.ip",
        "port": "source.port",
        "type": "dns.question.type",
        "class": "dns.question.class",
        "code": "dns.response_code",
        "level": "log.level",
        "size": "destination.bytes",
        "thread": "process.thread.id",
        "text": "message",
    },
    ignore=("clock", "process", "name", "said", "seconds", "pattern"),
)


@source.derive
def line(raw: Raw) -> dict[str, pl.Expr]:
    """A question, with its answer where answers are logged, or what the program says of itself."""
    asked = raw["pattern"].is_in(["question", "local"])
    failed = raw["code"].is_in(["NOERROR", "NXDOMAIN"]).not_() | raw["level"].is_in(["error", "fatal error"])
    denied = raw["policy"].is_in(
        ["deny", "refuse", "always_refuse", "always_deny", "always_nxdomain", "block_a"]
    )
    epoch = pl.from_epoch(e.whole(raw["clock"].str.strip_chars("[]")), "s").dt.replace_time_zone("UTC")
    return {
        "@timestamp": e.time_or(epoch.dt.cast_time_unit("ns"), pl.col("header.timestamp")),
        "dns.question.name": raw["name"].str.strip_suffix("."),
        "dns.type": pl.when(asked).then(
            pl.when(raw["code"].is_null()).then(pl.lit("query")).otherwise(pl.lit("answer"))
        ),
        "event.duration": (raw["seconds"].cast(pl.Float64, strict=False) * 1e9).cast(pl.Int64, strict=False),
        "event.action": pl.when(asked)
        .then(e.first(raw["policy"], pl.lit("query")))
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
