"""PingFederate: audit log (with bars, or name="value"), log of the administrators and server log.

Facts, read: Ping Identity, "Security audit logging" (10.0 to 13.1, the head of each: events' names; a transaction id
behind the tracking id from 12.0 on); Datadog's integration for PingFederate (the default patterns of audit.log and
admin.log); Elastic integrations (ping_federate), example lines. name="value" and the server log (time, tracking id,
level, class, text): from an open collection of real logs. The CEF form of the audit log is left to `generic.cef`.
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
_EVENT = "OAuth|[A-Z][A-Z_]*"  # SSO, AUTHN_ATTEMPT, SRI_REVOKED: tells where the event stands, with or without a transaction


def _audit(*names: str, event: str = "[^|]*?") -> str:
    cells = (rf" *(?P<{name}>{event if name == 'event' else '[^|]*?'}) *" for name in names)
    return rf"^{_CLOCK} ?\|" + r"\|".join(cells) + r"(?:\||$)"


_TABLE = {
    "audit": _audit(*_BARS, event=_EVENT),
    "audit-12": _audit(_BARS[0], "transactionid", *_BARS[1:], event=_EVENT),
    "audit-other": _audit(*_BARS),
    "admin": (
        rf"^{_CLOCK} \| (?P<subject>[^|]*?) \| (?P<roles>[^|]*?) \| (?P<ip>[^|]*?) \| (?P<component>[^|]*?) \| "
        r"(?P<event>[^|]*?) \| (?P<eventdetailid>[^|]*?) \| (?P<said>.*)$"
    ),
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
    "AUTHN_SESSION_USED",
    "PWD_RESET_REQUEST",
]
_SIGN_OUT = ["SLO", "AUTHN_SESSION_DELETED", "SRI_REVOKED"]

source = Source(
    name="pingidentity.federate",
    title={"ja": "PingFederate", "en": "PingFederate"},
    zone_hint="internal",
    shape=either(r'\btrackingid="', key_value('"'), own_clock(rf"^{_CLOCK}", patterns(_TABLE))),
    recognise=(
        r'\btrackingid="[^"]*".*\bpfhost="|^\d{4}-\d\d-\d\d [\d:]+,\d{3} ?\| ?tid:|'
        r"^\d{4}-\d\d-\d\d [\d:]+,\d{3} \| [^|]* \| [^|]*(?:Admin|Auditor)[^|]* \| [0-9A-Fa-f.:]+ \| |"
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
    signs_out = event.is_in(_SIGN_OUT).fill_null(False)
    category = pl.when(serves).then(e.texts("web")).when(signs_in).then(e.texts("authentication"))
    category = category.when(signs_out).then(e.texts("session"))
    category = category.when(raw["pattern"] == "admin").then(e.texts("configuration"))
    return {
        **asked,
        "@timestamp": e.time_or(stamp, pl.col("header.timestamp")),
        "event.action": event,
        "event.category": category.otherwise(e.texts("iam")),
        "event.type": pl.when(signs_in).then(e.texts("start"))
        .when(signs_out).then(e.texts("end")).otherwise(e.texts("info")),
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
    }  # fmt: skip
