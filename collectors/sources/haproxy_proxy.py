"""HAProxy: HTTP and TCP logs, connection errors, and the plain `Connect from`.

Source: HAProxy Configuration Manual, chapter 8 "Logging" (default, TCP, HTTP, HTTPS and error log formats; captured
headers stand in braces before the request).
"""

import polars as pl

from collectors import expressions as e
from collectors import web
from collectors.shapes import patterns
from collectors.source import Raw, Source

_IP = r"[0-9A-Fa-f]*[.:][0-9A-Fa-f.:]*?"
_HEAD = rf"^(?P<client>{_IP}):(?P<cport>\d+) \[(?P<clock>\d\d/[A-Z][a-z]{{2}}/\d{{4}}:[\d:.]+)\] (?P<frontend>[^\s~/]+)(?P<tls>~?)"
_TABLE = {
    "http": (
        rf"{_HEAD} (?P<backend>[^\s/]+)/(?P<server>\S*) (?P<timers>[\d+/-]+) (?P<status>-?\d+) "
        rf"(?P<bytes>\+?\d+) (?P<ccookie>\S+) (?P<scookie>\S+) "
        r"(?P<state>\S{4}) (?P<conns>[\d+/]+) (?P<queues>[\d/]+)(?: \{(?P<captured>[^}]*)\})?(?: \{(?P<answered>[^}]*)\})? "
        r'"(?:(?P<method>[A-Z_\-]+) (?P<target>.*?)(?: HTTP/(?P<version>[\d.]+))?|<BADREQ>|[^"]*)"(?P<more>.*)$'
    ),
    "tcp": (
        rf"{_HEAD} (?P<backend>[^\s/]+)/(?P<server>\S*) (?P<timers>[\d+/-]+) (?P<bytes>\+?\d+) "
        rf"(?P<state>\S{{2}}) (?P<conns>[\d+/]+) (?P<queues>[\d/]+)(?P<more>.*)$"
    ),
    "error": rf"{_HEAD}/(?P<bind>\S+): (?P<said>.*)$",
    "connect": rf"^Connect from (?P<client>{_IP}):(?P<cport>\d+) to (?P<dst>{_IP}):(?P<dport>\d+) \((?P<frontend>[^/)]+)/(?P<mode>\w+)\)",
}

source = Source(
    name="haproxy.proxy",
    title={"ja": "HAProxy(負荷分散)", "en": "HAProxy"},
    zone_hint="dmz",
    shape=patterns(_TABLE, ("haproxy",)),
    recognise=rf"{_HEAD[1:]}(?: [^\s/]+/\S* [\d+/-]+ |/\S+: )|\bConnect from \S+:\d+ to \S+:\d+ \(",
    leftovers="haproxy",
    constants={"event.kind": "event", "service.type": "haproxy"},
    rename={
        "cport": "source.port",
        "dst": "destination.ip",
        "dport": "destination.port",
        "bytes": "http.response.bytes",
        "version": "http.version",
        "text": "message",
    },
    ignore=("client", "clock", "method", "target", "status", "pattern", "tls", "said"),
)


@source.derive
def line(raw: Raw) -> dict[str, pl.Expr]:
    """One connection or request."""
    web_log, failed = raw["pattern"] == "http", raw["pattern"] == "error"
    asked = web.request(raw["method"], raw["target"], raw["status"])
    clock = e.local(raw["clock"].str.to_datetime("%d/%b/%Y:%H:%M:%S%.f", time_unit="us", strict=False))
    odd = pl.when(asked["url.path"].is_null()).then(raw["target"].str.extract(r"^([^?]*)"))
    return {
        **asked,
        "url.path": e.first(asked["url.path"], odd),
        "@timestamp": e.time_or(clock, pl.col("header.timestamp")),
        "source.ip": e.ip(raw["client"]),
        "event.action": raw["pattern"],
        "event.reason": raw["said"],
        "event.category": pl.when(web_log).then(e.texts("web")).otherwise(e.texts("network")),
        "event.type": pl.when(web_log)
        .then(asked["event.type"])
        .when(failed)
        .then(e.texts("connection", "error"))
        .otherwise(e.texts("connection")),
        "event.outcome": pl.when(failed).then(pl.lit("failure")).otherwise(asked["event.outcome"]),
        "network.transport": pl.lit("tcp"),
        "host.name": pl.col("header.host"),
        "process.name": e.first(pl.col("header.app"), pl.lit("haproxy")),
        "process.pid": pl.col("header.pid"),
    }
