"""Squid `access.log`: native, common and combined formats.

Source: Squid, "Log Formats" (squid.conf directive `logformat`) and "Squid result codes". A native line may
carry more columns than the ten of the default (`logformat squid` with referrer and user agent behind).
"""

import polars as pl

from collectors import expressions as e
from collectors.narrow import DOCUMENT, EDGE, Text, Verbatim
from collectors.shapes import patterns
from collectors.source import Raw, Source

_NATIVE = (
    r"^\s*(?P<epoch>\d{9,11}(?:\.\d{1,9})?)\s+(?P<elapsed>-?\d+)\s+(?P<client>\S+)"
    r"\s+(?P<result>[A-Z][A-Z_]*)/(?P<status>\d{3}|-)"
    r"\s+(?P<bytes>\d+|-)\s+(?P<method>\S+)\s+(?P<url>\S+)\s+(?P<user>\S+)"
    r"\s+(?P<hierarchy>[A-Z_]+)/(?P<server>\S+)"
    r'(?:\s+(?P<mime>[^\s"]+))?\s*(?:"(?P<referrer>[^"]*)" "(?P<agent>[^"]*)")?'
)
_COMMON = (
    r"^\s*(?P<client>\S+) (?P<ident>\S+) (?P<user>\S+) \[(?P<clock>[^\]]+)\] "
    r'"(?P<method>[A-Z_-]+) (?P<url>\S+)(?: HTTP/(?P<version>[\d.]+))?" '
    r'(?P<status>\d{3}|-) (?P<bytes>\d+|-)(?: "(?P<referrer>[^"]*)" "(?P<agent>[^"]*)")?(?: '
    r"(?P<result>[A-Z][A-Z_]*):(?P<hierarchy>[A-Z_]+))?"
)

_FIELDS = (
    *("text", "pattern", "epoch", "elapsed", "client", "result", "status", "bytes", "method", "url", "user"),
    *("hierarchy", "server", "mime", "referrer", "agent", "ident", "clock", "version"),
)

source = Source(
    name="squid.access",
    title={"ja": "Squid プロキシ", "en": "Squid proxy"},
    zone_hint="internet",
    shape=patterns({"native": _NATIVE, "common": _COMMON}),
    recognise=(
        r"^\s*\d{9,11}\.\d{3}\s+-?\d+\s+\S+\s+[A-Z_]+/\d{3}\s"
        r'|\] "[A-Z_-]+ \S+(?: HTTP/[\d.]+)?" (?:\d{3}|-) (?:\d+|-) .*\b[A-Z]+_[A-Z_]+:[A-Z]+_?[A-Z_]*\s*$'
    ),
    constants={
        "event.kind": "event",
        "network.direction": "egress",
        "observer.product": "Squid",
        "observer.type": "proxy",
    },
    verbatim=Verbatim(
        columns={
            "http.request.method": Text(before=rf'(?:{EDGE}|")', after=EDGE, filled=True),
            "http.response.status_code": Text(before=f"(?:{EDGE}|/)", after=EDGE, number=True),
            "url.original": Text(before=EDGE, after=rf'(?:{EDGE}|")', filled=True),
            "url.domain": Text(filled=True),
            "url.path": Text(filled=True),
            "url.extension": Text(before=r"\.", after="[^a-z0-9]", filled=True),
            "user_agent.original": Text(before=f'"{EDGE}*', after=f'{EDGE}*"', filled=True),
            "destination.ip": Text(filled=True),
        },
        always=(DOCUMENT,),
        escapes=False,
        signs=" -~",
        own="a-z0-9_-",
    ),
    leftovers="squid",
    ignore=_FIELDS,
)
_CLOCKS = ("%d/%b/%Y:%H:%M:%S %z", "%d/%b/%Y %H:%M:%S %z")
# Days before months only where the first number can be no month: squid itself never writes numbers here.
_LOCAL_CLOCKS = ("%m/%d/%Y %H:%M:%S", "%d/%m/%Y %H:%M:%S", "%d/%b/%Y:%H:%M:%S", "%d/%b/%Y %H:%M:%S")


@source.derive
def access(raw: Raw) -> dict[str, pl.Expr]:
    """What both formats say, each with its own clock."""
    seconds = raw["epoch"].cast(pl.Float64, strict=False) * 1000
    epoch = pl.from_epoch(seconds.round().cast(pl.Int64, strict=False), "ms").dt.replace_time_zone("UTC")
    clocks = _clocks(raw["clock"]) if "clock" in raw else []
    size = e.whole(raw["bytes"])
    return {
        "@timestamp": e.time_or(epoch, *clocks, pl.col("header.timestamp")),
        **_request(raw["method"], raw["url"], raw["status"], raw["result"]),
        **_ends(raw["client"], raw["user"], raw["method"], raw["url"], raw["server"]),
        "event.duration": e.whole(raw["elapsed"]) * 1_000_000,
        "http.response.bytes": size,
        "destination.bytes": size,
        "http.response.mime_type": e.present(raw["mime"]),
        "http.version": raw["version"],
        "http.request.referrer": e.present(raw["referrer"]),
        "user_agent.original": e.present(raw["agent"]),
        "observer.hostname": pl.col("header.host"),
        "event.action": raw["result"],
        "squid.hierarchy_code": raw["hierarchy"],
    }


def _clocks(text: pl.Expr) -> list[pl.Expr]:
    zoned = [text.str.to_datetime(form, time_unit="us", time_zone="UTC", strict=False) for form in _CLOCKS]
    naive = [e.local(text.str.to_datetime(form, time_unit="us", strict=False)) for form in _LOCAL_CLOCKS]
    return [*zoned, *naive]


def _request(method: pl.Expr, url: pl.Expr, status: pl.Expr, result: pl.Expr) -> dict[str, pl.Expr]:
    """The request and how it ended. CONNECT names host and port, which are no URL."""
    tunnel = (method == "CONNECT") | url.str.starts_with("error:")
    code, asked = e.whole(status), pl.when(method != "NONE").then(e.present(method))
    parts = e.url_columns(pl.when(~tunnel).then(e.present(url)))
    denied = status.is_in(["401", "403", "407"]) | result.str.contains("DENIED", literal=True)
    broken = result.str.contains(
        "ABORTED|TIMEDOUT|INVALID|FAIL|^NONE"
    )  # by the proxy; a server's 404 is let through
    host = url.str.extract(r"^\[?([^\]/]+?)\]?:\d+$")
    return {
        **parts,
        "url.domain": pl.when(method == "CONNECT").then(host).otherwise(parts["url.domain"]),
        "http.request.method": asked,
        "http.response.status_code": code,
        "event.category": e.texts("web", "network"),
        "event.type": pl.when(denied)
        .then(e.texts("access", "denied"))
        .when(broken)
        .then(e.texts("access", "error"))
        .otherwise(e.texts("access", "allowed")),
        "event.outcome": pl.when(code.is_between(1, 399))
        .then(pl.lit("success"))
        .when(code >= 400)
        .then(pl.lit("failure"))
        .otherwise(pl.lit("unknown")),
        "network.transport": pl.when(asked.is_not_null()).then(pl.lit("tcp")),
    }


def _ends(client: pl.Expr, user: pl.Expr, method: pl.Expr, url: pl.Expr, peer: pl.Expr) -> dict[str, pl.Expr]:
    """Client, person and the server behind; the server is what the hierarchy column names, else the URL's."""
    asked = (
        pl.when(method == "CONNECT")
        .then(url)
        .str.extract_groups(r"^(?:\w+://)?\[?([^\]/]+?)\]?:(\d+)/?$")
        .struct
    )
    reached, host = e.present(peer), asked.field("1")
    # NTLM writes DOMAIN\\name, Kerberos name@REALM.
    who = e.present(user).str.extract_groups(r"^(?:([^\\]+)\\+)?([^@]+)(?:@(.+))?$").struct
    domain, name = e.first(who.field("1"), who.field("3")), who.field("2")
    return {
        "source.ip": e.ip(client),
        "source.domain": e.not_ip(client),
        "user.name": name,
        "user.domain": domain,
        "source.user.name": name,
        "destination.ip": e.first(e.ip(reached), e.ip(host)),
        "destination.domain": e.first(e.not_ip(host), e.not_ip(reached)),
        "destination.port": asked.field("2"),
    }
