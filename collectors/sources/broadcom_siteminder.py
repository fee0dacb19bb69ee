"""Broadcom (CA) SiteMinder: the policy server's access log (`smaccess.log`): sign-ins, sign-offs, permissions.

Source: Broadcom, "Policy Server: smaccess log fields". A line is event, host, time in brackets, "address user", "agent
method resource", transaction or session, the reason's number. Reasons are `Sm_Api_Reason_t` of the C Authentication API.
"""

import polars as pl

from collectors import expressions as e
from collectors import times
from collectors.shapes import patterns
from collectors.source import Raw, Source

_EVENTS = r"(?:Auth|Az|Admin|Validate|Visit|EmsEvent)[A-Za-z]+"
_LINE = (
    rf'^(?P<event>{_EVENTS}) (?P<server>\S+) \[(?P<clock>[^\]]+)\] +"(?P<src>[0-9A-Fa-f.:]*) ?(?P<who>[^"]*)"'
    r' +"(?P<agent>\S*)(?: (?P<method>[A-Z]+) (?P<resource>[^"]*?)| *)"(?: \[(?P<session>[^\]]*)\] \[(?P<reason>\d+)\])?'
)

source = Source(
    name="broadcom.siteminder",
    title={"ja": "Broadcom SiteMinder", "en": "Broadcom SiteMinder"},
    zone_hint="internal",
    shape=patterns({"line": _LINE}),
    recognise=r"(?:^|\s)(?:Auth|Az|Validate)[A-Z][a-z]+ \S+ \[\d\d/[A-Z][a-z]{2}/\d{4}:",
    leftovers="broadcom.siteminder",
    constants={"event.kind": "event", "observer.vendor": "Broadcom", "observer.product": "SiteMinder"},
    rename={"event": "event.action", "method": "http.request.method", "text": "message"},
    ignore=("clock", "src", "who", "resource", "server", "pattern"),
)
_DEEDS = {
    "GET": "access",
    "HEAD": "access",
    "POST": "creation",
    "PUT": "change",
    "PATCH": "change",
    "DELETE": "deletion",
}


@source.derive
def access(raw: Raw) -> dict[str, pl.Expr]:
    """Who asked for what, and whether it was given. A user is a name, an address, or a directory's own name."""
    what, who = raw["event"], e.present(raw["who"])
    refused, given = what.str.contains("Reject|Challenge"), what.str.contains("Accept|Logout")
    signs = what.str.starts_with("Auth")
    named = e.first(who.str.extract(r"^(?:uid|cn|UID|CN)=([^,]+)"), who.str.extract(r"^([^@\\]+)(?:@|$)"))
    return {
        "@timestamp": e.time_or(times.parsed(raw["clock"], ["%d/%b/%Y:%H:%M:%S %z"], "UTC")),
        "host.name": raw["server"],
        "source.ip": e.ip(raw["src"]),
        "client.ip": e.ip(raw["src"]),
        "user.name": named,
        "user.email": who.str.extract(r"^(\S+@\S+)$"),
        "url.original": raw["resource"],
        "url.path": raw["resource"],
        "url.query": raw["resource"].str.extract(r"\?(.*)$"),
        "event.category": pl.when(signs).then(e.texts("authentication")).otherwise(e.texts("web")),
        "event.type": pl.when(what.str.contains("Logout"))
        .then(e.texts("end"))
        .when(signs)
        .then(e.texts("start"))
        .when(refused)
        .then(e.texts("access", "denied"))
        .otherwise(pl.concat_list(e.first(e.mapped(raw["method"], _DEEDS), pl.lit("access")))),
        "event.outcome": pl.when(refused)
        .then(pl.lit("failure"))
        .when(given)
        .then(pl.lit("success"))
        .otherwise(pl.lit("unknown")),
    }
