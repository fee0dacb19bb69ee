"""Squid `access.log`: native, common and combined formats.

Source: Squid, "Log Formats" (squid.conf directive `logformat`) and "Squid result codes". A native line may
carry more columns than the ten of the default (`logformat squid` with referrer and user agent behind).
"""

import polars as pl

from collectors import expressions as e
from collectors.shapes import lines
from collectors.source import Raw, Source

_NATIVE = (
    r"^\s*(?P<epoch>\d{9,11}(?:\.\d{1,9})?)\s+(?P<elapsed>-?\d+)\s+(?P<client>\S+)"
    r"\s+(?P<result>[A-Z][A-Z_]*)/(?P<status>\d{3}|-)"
    r"\s+(?P<bytes>\d+|-)\s+(?P<method>\S+)\s+(?P<url>\S+)\s+(?P<user>\S+)"
    r"\s+(?P<hierarchy>[A-Z_]+)/(?P<peer>\S+)"
    r'(?:\s+(?P<mime>[^\s"]+))?\s*(?:"(?P<referrer>[^"]*)" "(?P<agent>[^"]*)")?'
)
_COMMON = (
    r"^\s*(?P<client>\S+) (?P<ident>\S+) (?P<user>\S+) \[(?P<clock>[^\]]+)\] "
    r'"(?P<method>[A-Z_-]+) (?P<url>\S+)(?: HTTP/(?P<version>[\d.]+))?" '
    r'(?P<status>\d{3}|-) (?P<bytes>\d+|-)(?: "(?P<referrer>[^"]*)" "(?P<agent>[^"]*)")?(?: '
    r"(?P<result>[A-Z][A-Z_]*):(?P<hierarchy>[A-Z_]+))?"
)
_NATIVE_LIKE = r"^\s*\d{9,11}(?:\.\d+)?\s+-?\d+\s+\S+\s+[A-Z_]+/(?:\d{3}|-)\s"
_COMMON_LIKE = r'^\s*\S+ \S+ \S+ \[[^\]]+\] "[A-Z_-]+ \S+[^"]*" (?:\d{3}|-) '

source = Source(
    name="squid.access",
    title={"ja": "Squid プロキシ", "en": "Squid proxy"},
    zone_hint="internet",
    shape=lines(f"{_NATIVE_LIKE}|{_COMMON_LIKE}"),
    recognise=r"^\s*\d{9,11}\.\d{3}\s+-?\d+\s+\S+\s+[A-Z_]+/\d{3}\s",
    constants={
        "event.kind": "event",
        "network.direction": "egress",
        "observer.product": "Squid",
        "observer.type": "proxy",
    },
    ignore=("text",),
)
_CLOCKS = ("%d/%b/%Y:%H:%M:%S %z", "%d/%b/%Y %H:%M:%S %z")
# Days before months only where the first number can be no month: squid itself never writes numbers here.
_LOCAL_CLOCKS = ("%m/%d/%Y %H:%M:%S", "%d/%m/%Y %H:%M:%S", "%d/%b/%Y:%H:%M:%S", "%d/%b/%Y %H:%M:%S")


@source.derive
def access(raw: Raw) -> dict[str, pl.Expr]:
    """The whole line: one regular expression a format."""
    native, common = (raw["text"].str.extract_groups(pattern).struct for pattern in (_NATIVE, _COMMON))

    def of(name: str) -> pl.Expr:
        return pl.coalesce(native.field(name), common.field(name))

    seconds = native.field("epoch").cast(pl.Float64, strict=False) * 1000
    epoch = pl.from_epoch(seconds.round().cast(pl.Int64, strict=False), "ms").dt.replace_time_zone("UTC")
    return {
        "@timestamp": e.time_or(epoch, *_clocks(common.field("clock")), pl.col("received")),
        **_request(of("method"), of("url"), of("status")),
        **_ends(of("client"), of("user"), of("method"), of("url"), native.field("peer")),
        "event.duration": e.whole(native.field("elapsed")) * 1_000_000,
        "http.response.bytes": e.whole(of("bytes")),
        "destination.bytes": e.whole(of("bytes")),
        "http.response.mime_type": e.present(native.field("mime")),
        "http.version": common.field("version"),
        "http.request.referrer": e.present(of("referrer")),
        "user_agent.original": e.present(of("agent")),
        "event.action": of("result"),
        "squid.hierarchy_code": of("hierarchy"),
    }


def _clocks(text: pl.Expr) -> list[pl.Expr]:
    zoned = [text.str.to_datetime(form, time_unit="ns", time_zone="UTC", strict=False) for form in _CLOCKS]
    naive = [e.local(text.str.to_datetime(form, time_unit="ns", strict=False)) for form in _LOCAL_CLOCKS]
    return [*zoned, *naive]


def _request(method: pl.Expr, url: pl.Expr, status: pl.Expr) -> dict[str, pl.Expr]:
    """The request and how it ended. CONNECT names host and port, which are no URL."""
    tunnel = (method == "CONNECT") | url.str.starts_with("error:")
    code = e.whole(status)
    denied = status.is_in(["401", "403", "407"])
    return {
        **e.url_columns(pl.when(~tunnel).then(e.present(url))),
        "http.request.method": e.present(method),
        "http.response.status_code": code,
        "event.category": e.texts("web", "network"),
        "event.type": pl.when(denied)
        .then(e.texts("access", "denied"))
        .otherwise(e.texts("access", "allowed")),
        "event.outcome": pl.when(code.is_between(1, 399))
        .then(pl.lit("success"))
        .when(code >= 400)
        .then(pl.lit("failure"))
        .otherwise(pl.lit("unknown")),
        "network.transport": pl.when(e.present(method).is_not_null()).then(pl.lit("tcp")),
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
    domain, name = e.domain_user(e.present(user))
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


source.refine(e.related)
