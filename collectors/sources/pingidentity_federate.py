"""PingFederate: audit log (with bars, or name="value") and server log.

Written from knowledge of the format and an open collection of real logs; no vendor document was read. The default audit
pattern has the fields in this order behind bars; `log4j2.xml` may write them as name="value". Server log: time, tracking
id, level, class, text.
"""

import polars as pl

from collectors import expressions as e
from collectors import times
from collectors.shapes import either, key_value, own_clock, patterns
from collectors.source import Raw, Source

_CLOCK = r"(?P<clock>\d{4}-\d\d-\d\d \d\d:\d\d:\d\d[.,]\d{3})"
_BARS = (
    "trackingid", "event", "subject", "ip", "app", "connectionid", "protocol", "pfhost", "role", "status", "adapterid",
    "description", "responsetime",
)  # fmt: skip
_TABLE = {
    "audit": rf"^{_CLOCK} ?\|" + r"\|".join(rf" *(?P<{name}>[^|]*?) *" for name in _BARS) + r"(?:\||$)",
    "server": (
        rf"^{_CLOCK} +(?:(?P<trackingid>tid:\S+) +)?(?P<level>TRACE|DEBUG|INFO|WARN|ERROR|FATAL) +\[(?P<class>[^\]]+)\] "
        r"(?P<said>(?:(?P<method>GET|POST|PUT|DELETE|HEAD|OPTIONS|PATCH): (?P<url>https?://\S+))?(?s:.*))$"
    ),
}
_SIGN_IN = [
    "SSO",
    "AUTHN_ATTEMPT",
    "AUTHN_SESSION_CREATED",
    "OAuth",
    "STS",
    "AUTHN_REQUEST",
    "PWD_RESET_REQUEST",
]

source = Source(
    name="pingidentity.federate",
    title={"ja": "PingFederate", "en": "PingFederate"},
    zone_hint="internal",
    shape=either(r'\btrackingid="', key_value('"'), own_clock(rf"^{_CLOCK}", patterns(_TABLE))),
    recognise=(
        r'\btrackingid="[^"]*".*\bpfhost="|^\d{4}-\d\d-\d\d [\d:]+,\d{3} ?\| ?tid:|'
        r"^\d{4}-\d\d-\d\d [\d:]+,\d{3} +tid:\S+ +[A-Z]+ +\[(?:org\.sourceid|com\.pingidentity)\."
    ),
    leftovers="pingidentity.federate",
    constants={"event.kind": "event", "observer.vendor": "Ping Identity", "observer.product": "PingFederate"},
    ignore=("text", "clock", "said", "method", "url", "level", "event", "subject", "ip", "protocol", "pfhost", "status", "pattern"),
)  # fmt: skip


@source.derive
def deed(raw: Raw) -> dict[str, pl.Expr]:
    """Who signed in where, or what the server said."""
    clock = e.first(raw["clock"], pl.col("message").str.extract(_CLOCK))
    stamp = times.parsed(clock.str.replace(",", ".", literal=True), [times.ISO], times.zone())
    serves, event, linked = (
        raw["pattern"].fill_null("") == "server",
        e.present(raw["event"]),
        e.present(raw["connectionid"]),
    )
    address = e.first(raw["url"], pl.when(linked.str.contains("^https?://")).then(linked))
    asked = e.url_columns(address)
    signs_in = event.is_in(_SIGN_IN).fill_null(False)
    category = pl.when(serves).then(e.texts("web")).when(signs_in).then(e.texts("authentication"))
    return {
        **asked,
        "@timestamp": e.time_or(stamp, pl.col("header.timestamp")),
        "event.action": event,
        "event.category": category.otherwise(e.texts("iam")),
        "event.type": pl.when(signs_in).then(e.texts("start")).otherwise(e.texts("info")),
        "event.outcome": e.mapped(raw["status"], {"success": "success", "failure": "failure"}),
        "event.reason": e.present(raw["description"]),
        "user.name": e.present(raw["subject"]),
        "source.ip": e.ip(e.present(raw["ip"])),
        "client.ip": e.ip(e.present(raw["ip"])),
        "host.name": e.first(e.present(raw["pfhost"]), pl.when(serves).then(asked["url.domain"])),
        "network.protocol": e.present(raw["protocol"]).str.to_lowercase(),
        "destination.domain": e.first(e.present(raw["X-Forwarded-Host"]), e.present(raw["X-Forwarded-Vip"])),
        "http.request.method": raw["method"],
        "log.level": raw["level"],
        "log.logger": raw["class"],
        "message": raw["said"],
    }
