"""i-FILTER (Digital Arts) Ver.9 and 10, D-SPA, i-FILTER@Cloud: access log and block log in their standard form.

Source: Digital Arts FAQ 4301 (access log, 35 columns, blanks between), 5614 (i-FILTER@Cloud) and 2800 (block log, 17 columns).
Text that is not ASCII, and content types, are URL-encoded. Administrators can choose other columns: a line that does not
begin like the standard one is rejected. Columns whose meaning the public page does not tell are kept as `column_<number>`.
"""

import polars as pl

from collectors import expressions as e
from collectors import times
from collectors.shapes import own_clock, patterns
from collectors.source import Raw, Source
from collectors.web import request

_ACCESS = (
    r"^(?P<logged>[A-Z][a-z]{2} +\d{1,2} \d\d:\d\d:\d\d) (?P<pid>\d+) (?P<version>\d+/\d*/\S*) (?P<parent>\S+) (?P<server>\S+) "
    r"(?P<peer_ip>\S+) (?P<client>\S+) (?P<computer>\S+) (?P<user>\S+) \[(?P<clock>[^\]]+)\] (?P<status>-?\d+) (?P<column_13>\S+) "
    r"(?P<column_14>\S+) (?P<action>[A-Za-z_\-]+) (?P<reason>\S+) (?P<category>\S+) (?P<middle>[^\"]*?) ?"
    r'"(?P<method>[A-Z]+) (?P<url>[^" ]+)(?: HTTP/(?P<http>[\d.]+))?" ?(?P<referrer>\S+)'
    r" (?P<agent>\S+) (?P<type>\S+) (?P<identity>\S+)(?P<more>.*)$"
)
_BLOCK = (
    r"^(?P<pid>\d+) (?P<client>[0-9A-Fa-f.:]+) (?P<user>\S+) (?P<group>\S+) (?P<column_5>\S+)"
    r" \[?(?P<clock>\d\d/[A-Z][a-z]{2}/\d{4}:\d\d:\d\d:\d\d [+-]\d{4})\]? "
    r"(?P<url>\S+) (?P<action>[A-Za-z_\-]+) (?P<reason>\S+) (?P<category>\S+) (?P<more>.*)$"
)
_OWN = r"^[A-Z][a-z]{2} +\d{1,2} \d\d:\d\d:\d\d \d+ \d+/\d*/"

source = Source(
    name="digitalarts.ifilter",
    title={"ja": "i-FILTER・D-SPA(デジタルアーツ)", "en": "Digital Arts i-FILTER and D-SPA"},
    zone_hint="internet",
    shape=own_clock(_OWN, patterns({"access": _ACCESS, "block": _BLOCK})),
    recognise=(rf'(?:{_OWN}|^<\d+>.*: ?[A-Z][a-z]{{2}} +\d{{1,2}} [\d:]{{8}} \d+ \d+/\d*/).*\[\d\d/[A-Z][a-z]{{2}}/\d{{4}}'
rf':|^\d+ [0-9A-Fa-f.:]+ \S+ \S+ \S+ \[?\d\d/[A-Z][a-z]{{2}}/\d{{4}}:[\d:]{{8}} [+-]\d{{4}}\]?'
rf' \S+ [a-z_\-]+ \d+ \d+ '),
    leftovers="digitalarts.ifilter",
    constants={"event.kind": "event", "observer.vendor": "Digital Arts", "observer.type": "proxy", "network.protocol": "http"},
    rename={
        "category": "digitalarts.ifilter.category",
        "reason": "digitalarts.ifilter.filter_reason",
        "middle": "digitalarts.ifilter.columns",
        "group": "group.name",
        "version": "observer.version",
    },
    ignore=("logged", "parent", "server", "peer_ip", "client", "computer", "user", "clock", "status", "action", "method", "url",
            "http", "referrer", "agent", "type", "pattern", "text", "pid"),
)  # fmt: skip


def _plain(value: pl.Expr) -> pl.Expr:
    """The commonest of URL encoding's signs taken back; the rest stays as it was written."""
    text = e.present(value).str.replace_all("+", " ", literal=True)
    for code, sign in (("%20", " "), ("%2F", "/"), ("%3B", ";"), ("%3D", "="), ("%28", "("), ("%29", ")"),
                       ("%2C", ","), ("%3A", ":"), ("%2B", "+"), ("%25", "%")):  # fmt: skip
        text = text.str.replace_all(code, sign, literal=True)
    return text


@source.derive
def asked(raw: Raw) -> dict[str, pl.Expr]:
    """Who asked for which page, and whether they got it."""
    spoken = request(raw["method"], raw["url"], raw["status"])
    server = raw["server"].str.extract_groups(r"^(\d{1,3}(?:\.\d{1,3}){3})(?::(\d+))?$").struct
    blocked = raw["action"].str.to_lowercase().str.contains("block|deny|reject")
    client = e.ip(raw["client"])
    return {
        **spoken,
        "@timestamp": e.time_or(
            times.parsed(raw["clock"], ["%d/%b/%Y:%H:%M:%S %z"], times.zone()), pl.col("header.timestamp")
        ),
        "observer.hostname": pl.col("header.host"),
        "source.ip": client,
        "client.ip": client,
        "source.domain": e.present(raw["computer"]),
        "source.nat.ip": pl.when(e.ip(raw["peer_ip"]) != client).then(e.ip(raw["peer_ip"])),
        "destination.ip": server.field("1"),
        "destination.port": server.field("2"),
        "destination.domain": e.not_ip(spoken["url.domain"]),
        "user.name": e.present(raw["user"]),
        "process.pid": e.whole(raw["pid"]),
        "http.version": raw["http"],
        "http.request.referrer": e.present(raw["referrer"]),
        "http.response.mime_type": _plain(raw["type"]).str.extract(r"^([^;\s]+)"),
        "user_agent.original": _plain(raw["agent"]),
        "event.action": raw["action"].str.to_lowercase(),
        "event.category": e.texts("web", "network"),
        "event.type": pl.when(blocked)
        .then(e.texts("access", "denied"))
        .otherwise(e.texts("access", "allowed")),
        "event.outcome": pl.when(blocked).then(pl.lit("failure")).otherwise(spoken["event.outcome"]),
    }
