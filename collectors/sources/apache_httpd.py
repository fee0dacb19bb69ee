r"""Apache HTTP Server: access logs (common, combined, with virtual host or more behind) and error logs with ModSecurity.

Source: Apache HTTP Server 2.4, "Log Files", mod_log_config, core `ErrorLogFormat`; ModSecurity reference manual (the
`[key "value"]` tags of its messages). In an error line `notice`, `info` and `debug` are no failure.
"""

import polars as pl

from collectors import expressions as e
from collectors import web
from collectors.shapes import patterns
from collectors.source import Raw, Source

_IP = r"[0-9A-Fa-f]*[.:][0-9A-Fa-f.:]*"
_ACCESS = (
    r"^(?:(?:(?P<vhost>[A-Za-z0-9_.\-]+?)(?::(?P<port>\d+))?|-) )?"
    rf"(?P<client>{_IP}|[A-Za-z][\w.\-]*)(?: \([^)]*\))? (?P<ident>\S+) (?P<user>\"\"|\S+) \[(?P<clock>[^\]]+)\] "
    r'(?:"-" )?"(?:(?P<method>[A-Z_\-]+) (?P<target>\S+)(?: HTTP/(?P<version>[\d.]+))?|(?P<bad>(?:[^"\\]|\\.)*))" '
    r'(?P<status>\d{3}|-) (?P<bytes>\d+|-)(?: \d+)?(?: "(?P<referrer>(?:[^"\\]|\\.)*)" "(?P<agent>(?:[^"\\]|\\.)*)")?(?P<more>.*)$'
)
_ERROR = (
    r"^(?:\[(?P<clock>[A-Z][a-z]{2} [A-Z][a-z]{2} +\d+ [\d:.]+ \d{4})\] )?\[(?:(?P<module>"
    r"[a-z0-9_]*):)?(?P<level>emerg|alert|crit|error|warn|notice|info|debug|trace\d)\] "
    r"(?:\[pid (?P<pid>\d+)(?::tid (?P<tid>\d+))?\] )?(?:(?:\(\d+\)[^:\[]*: )?(?P<said>\[client "
    r"(?P<client>[^\s\]]+?)(?: ?:(?P<cport>\d+))? ?\] .*|.*))$"
)

source = Source(
    name="apache.httpd",
    title={"ja": "Apache HTTP Server", "en": "Apache HTTP Server"},
    zone_hint="dmz",
    shape=patterns({"access": _ACCESS, "error": _ERROR}),
    recognise=(
        r"\[[A-Z][a-z]{2} [A-Z][a-z]{2} +\d+ [\d:.]+ \d{4}\] \[[a-z0-9_]*:?(?:error|warn|notice|info|crit|alert|emerg)\] "
        r'|^(?:\S+:\d+ )?\S+ \S+ \S+ \[\d\d/[A-Z][a-z]{2}/\d{4}:[\d:]{8} [+-]\d{4}\] "[^"]*" \d{3} (?:\d+|-)(?: "[^"]*" "[^"]*")?$'
    ),
    leftovers="apache",
    constants={"event.kind": "event", "service.type": "apache"},
    rename={
        "version": "http.version",
        "bytes": "http.response.body.bytes",
        "level": "log.level",
        "pid": "process.pid",
        "tid": "process.thread.id",
        "port": "destination.port",
        "module": "apache.error.module",
    },
    ignore=(
        "clock",
        "client",
        "ident",
        "user",
        "method",
        "target",
        "status",
        "referrer",
        "agent",
        "cport",
        "pattern",
        "text",
        "bad",
        "vhost",
    ),
)
_CLOCKS = ("%d/%b/%Y:%H:%M:%S %z", "%a %b %d %H:%M:%S%.f %Y", "%a %b %d %H:%M:%S %Y")


@source.derive
def line(raw: Raw) -> dict[str, pl.Expr]:
    """One access or one error."""
    access, said = raw["pattern"] == "access", raw["said"]
    asked = web.request(raw["method"], raw["target"], raw["status"])
    shown = _tag(said, "uri")
    quiet = raw["level"].is_in(["notice", "info", "debug"]) | raw["level"].str.starts_with("trace")
    zoned = raw["clock"].str.to_datetime(_CLOCKS[0], time_unit="us", time_zone="UTC", strict=False)
    naive = [
        e.local(raw["clock"].str.to_datetime(form, time_unit="us", strict=False)) for form in _CLOCKS[1:]
    ]
    return {
        **asked,
        "@timestamp": e.time_or(zoned, *naive, pl.col("header.timestamp")),
        "source.ip": e.ip(raw["client"]),
        "source.domain": e.not_ip(raw["client"]),
        "source.port": raw["cport"],
        "user.name": e.present(raw["user"].str.strip_chars('"')),
        "http.request.referrer": e.present(raw["referrer"]),
        "user_agent.original": e.present(raw["agent"]),
        "url.original": e.first(asked["url.original"], shown),
        "url.path": e.first(asked["url.path"], shown.str.extract(r"^([^?]*)")),
        "destination.domain": e.first(raw["vhost"], _tag(said, "hostname")),
        "rule.id": _tag(said, "id"),
        "rule.name": _tag(said, "msg"),
        "message": pl.when(~access).then(pl.col("text")),
        "host.name": pl.col("header.host"),
        "event.category": e.texts("web"),
        "event.type": pl.when(access)
        .then(asked["event.type"])
        .when(quiet)
        .then(e.texts("info"))
        .otherwise(e.texts("error")),
        "event.outcome": pl.when(access)
        .then(asked["event.outcome"])
        .when(quiet)
        .then(pl.lit("success"))
        .otherwise(pl.lit("failure")),
    }


def _tag(said: pl.Expr, name: str) -> pl.Expr:
    return said.str.extract(rf'\[{name} "([^"]*)"\]')
