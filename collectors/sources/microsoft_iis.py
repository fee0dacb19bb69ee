"""Microsoft IIS: the IIS log format (fixed columns, commas) and W3C extended with the default columns.

Source: Microsoft, "IIS Log File Formats" and "W3C Extended Log File Format". The IIS format has local time as
`month/day/year, hour:minute:second`; W3C has UTC. The `#Fields` line of a W3C file arrives like any other and is left
out; other selections of columns are declared as a mapping of one's own (docs/sources.md).
"""

import polars as pl

from collectors import expressions as e
from collectors import web
from collectors.shapes import patterns
from collectors.source import Raw, Source

_IIS = (
    r"^(?P<client>[^,]+), (?P<user>[^,]*), (?P<date>\d{1,2}/\d{1,2}/\d{2,4}), "
    r"(?P<clock>\d{1,2}:\d\d:\d\d), (?P<service>[^,]+), (?P<host>[^,]+), "
    r"(?P<server>[^,]+), (?P<taken>\d+), (?P<inbytes>\d+), (?P<outbytes>\d+), (?P<status>\d+), "
    r"(?P<win32>\d+), (?P<method>[^,]+), (?P<target>[^,]+), (?P<query>[^,]*),?"
)
_W3C = (
    r"^(?P<day>\d{4}-\d\d-\d\d) (?P<clock>\d\d:\d\d:\d\d) (?:(?P<service>W3SVC\d+) )?(?:(?P<host>"
    r"[A-Za-z]\S*) )?(?P<server>[0-9A-Fa-f.:]+) (?P<method>[A-Z_\-]+) (?P<target>\S+) "
    r"(?P<query>\S+) (?P<port>\d+) (?P<user>\S+) (?P<client>[0-9A-Fa-f.:]+) (?:HTTP/(?P<version>"
    r"[\d.]+) )?(?P<agent>\S+) (?:(?P<cookie>\S+) )??(?P<referrer>\S+)(?: (?P<vhost>[A-Za-z]\S*))? "
    r"(?P<status>\d{3}) (?P<substatus>\d+) (?P<win32>\d+)(?: (?P<outbytes>\d+) (?P<inbytes>\d+))?(?: (?P<taken>\d+))?(?P<more>.*)$"
)

source = Source(
    name="microsoft.iis",
    title={"ja": "Microsoft IIS", "en": "Microsoft IIS"},
    zone_hint="dmz",
    shape=patterns({"w3c": _W3C, "iis": _IIS}),
    recognise=(
        r"^[^,]+, [^,]*, \d{1,2}/\d{1,2}/\d{2,4}, \d{1,2}:\d\d:\d\d, (?:W3SVC|MSFTPSVC)\d*, "
        r"|^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d (?:W3SVC\d+ )?(?:\S+ )?[0-9A-Fa-f.:]+ [A-Z]+ /\S* \S+ \d+ \S+ [0-9A-Fa-f.:]+ "
    ),
    leftovers="iis",
    constants={"event.kind": "event", "service.type": "iis"},
    rename={
        "host": "host.name",
        "inbytes": "http.request.bytes",
        "outbytes": "http.response.bytes",
        "port": "destination.port",
        "version": "http.version",
        "vhost": "destination.domain",
    },
    ignore=(
        "client",
        "cookie",  # may let somebody in
        "user",
        "date",
        "day",
        "clock",
        "status",
        "method",
        "target",
        "query",
        "server",
        "taken",
        "agent",
        "referrer",
        "pattern",
        "text",
    ),
)


@source.derive
def line(raw: Raw) -> dict[str, pl.Expr]:
    """One request."""
    query = e.present(raw["query"])
    target = (
        pl.when(query.is_null())
        .then(raw["target"])
        .otherwise(pl.concat_str(raw["target"], query, separator="?"))
    )
    client = e.ip(raw["client"])
    utc = pl.concat_str(raw["day"], raw["clock"], separator=" ").str.to_datetime(
        "%Y-%m-%d %H:%M:%S", time_unit="us", time_zone="UTC", strict=False
    )
    local = pl.concat_str(raw["date"], raw["clock"], separator=" ")
    iis = [
        e.local(local.str.to_datetime(form, time_unit="us", strict=False))
        for form in ("%m/%d/%Y %H:%M:%S", "%m/%d/%y %H:%M:%S")
    ]
    return {
        **web.request(raw["method"], target, raw["status"]),
        "@timestamp": e.time_or(utc, *iis),
        "client.ip": client,
        "source.ip": client,
        "destination.ip": e.ip(raw["server"]),
        "user.name": e.present(raw["user"]),
        "event.duration": e.whole(raw["taken"]) * 1_000_000,
        "user_agent.original": e.present(raw["agent"]).str.replace_all("+", " ", literal=True),
        "http.request.referrer": e.present(raw["referrer"]),
    }
