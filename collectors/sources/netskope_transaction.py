"""Netskope transaction events: one HTTP request a line, comma-separated as the S3 and Log Streaming exports write it.

Facts: Netskope, "Transaction Event Fields": the fields of format 1 in this order; later formats add fields at the end, which
are left in `event.original`. Times are GMT. `cs-bytes` came from the client, `sc-bytes` from the server.
"""

import polars as pl

from collectors import expressions as e
from collectors import times, web
from collectors.shapes import delimited
from collectors.source import Raw, Source

_FIELDS = (
    "date", "time", "time-taken", "cs-bytes", "sc-bytes", "bytes", "c-ip", "s-ip", "cs-username", "cs-method",
    "cs-uri-scheme", "cs-uri-query", "cs-user-agent", "cs-content-type", "sc-status", "sc-content-type", "cs-dns",
    "cs-host", "cs-uri", "cs-uri-port", "cs-referer", "x-cs-session-id", "x-cs-access-method", "x-cs-app",
    "x-s-country", "x-s-latitude", "x-s-longitude", "x-s-location", "x-s-region", "x-s-zipcode", "x-c-country",
    "x-c-latitude", "x-c-longitude", "x-c-location", "x-c-region", "x-c-zipcode", "x-c-os", "x-c-browser",
    "x-c-browser-version", "x-c-device", "x-cs-site", "x-cs-timestamp", "x-cs-page-id", "x-cs-userip",
    "x-cs-traffic-type", "x-cs-tunnel-id", "x-category", "x-other-category", "x-type", "x-server-ssl-err",
    "x-client-ssl-err", "x-transaction-id", "x-request-id", "x-cs-sni", "x-cs-domain-fronted-sni", "x-category-id",
    "x-other-category-id", "x-sr-headers-name", "x-sr-headers-value",
)  # fmt: skip
_FEWEST = 25
"""Values that a line must have: up to where the server stands."""
_READ = (
    "date", "time", "cs-bytes", "sc-bytes", "c-ip", "s-ip", "cs-username", "cs-method", "cs-uri-scheme", "cs-uri-query",
    "cs-user-agent", "sc-status", "cs-host", "cs-uri", "cs-uri-port", "cs-referer", "x-cs-userip",
)  # fmt: skip

source = Source(
    name="netskope.transaction",
    title={"ja": "Netskope トランザクションログ", "en": "Netskope transaction events"},
    zone_hint="cloud",
    shape=delimited(_FIELDS, header="date", least=_FEWEST),
    always=r'(?:^|\s)"?\d{4}-\d\d-\d\d"?,"?\d\d:\d\d:\d\d"?,',
    recognise=r"^\d{4}-\d\d-\d\d,\d\d:\d\d:\d\d,\d+,\d+,\d+,\d+,[0-9A-Fa-f.:]+,[0-9A-Fa-f.:-]+,",
    leftovers="netskope.transaction",
    constants={
        "event.kind": "event",
        "observer.vendor": "Netskope",
        "observer.type": "proxy",
        "network.direction": "egress",
    },
    rename={"x-cs-app": "service.name", "x-transaction-id": "event.id", "x-c-os": "user_agent.os.full"},
    ignore=_READ,
)


@source.derive
def request(raw: Raw) -> dict[str, pl.Expr]:
    """The request, its answer, and both ends."""
    scheme, host, path = e.present(raw["cs-uri-scheme"]), e.present(raw["cs-host"]), e.present(raw["cs-uri"])
    whole = (
        pl.when(path.str.starts_with("/"))
        .then(pl.concat_str(scheme, pl.lit("://"), host, path))
        .otherwise(path)
    )
    asked = web.request(raw["cs-method"], whole, raw["sc-status"])
    stamp = pl.concat_str(raw["date"], raw["time"], separator=" ")
    inner, outer = e.ip(e.present(raw["x-cs-userip"])), e.ip(raw["c-ip"])
    user = e.present(raw["cs-username"])
    return {
        **asked,
        "@timestamp": e.time_or(times.parsed(stamp, [times.ISO], "UTC")),
        "url.domain": e.first(host, asked["url.domain"]),
        "url.query": e.first(asked["url.query"], e.present(raw["cs-uri-query"])),
        "source.ip": e.first(inner, outer),
        "source.nat.ip": pl.when(inner.is_not_null()).then(outer),
        "source.bytes": e.whole(raw["cs-bytes"]),
        "destination.ip": e.ip(raw["s-ip"]),
        "destination.port": e.whole(raw["cs-uri-port"]),
        "destination.domain": host,
        "destination.bytes": e.whole(raw["sc-bytes"]),
        "network.protocol": scheme,
        "user.name": user,
        "user.email": pl.when(user.str.contains("@", literal=True)).then(user),
        "user_agent.original": e.present(raw["cs-user-agent"]),
        "http.request.referrer": e.present(raw["cs-referer"]),
    }
