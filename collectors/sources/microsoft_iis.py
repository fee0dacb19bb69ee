"""Microsoft IIS: access logs (IIS format and W3C extended with the default columns), FTP, and HTTP.SYS's errors.

Source: Microsoft, "IIS Log File Formats", "W3C Extended Log File Format", "Format of the HTTP Server API Error Logs" and
"Types of Errors Logged by the HTTP Server API". The IIS format has local time as `month/day/year, hour:minute:second`;
all others have UTC. The `#Fields` line of a W3C file arrives like any other and is left out; other selections of columns
are declared as a mapping of one's own (docs/sources.md).
"""

import polars as pl

from collectors import expressions as e
from collectors import web
from collectors.shapes import patterns
from collectors.source import Raw, Source

_ADDRESS = r"[0-9A-Fa-f.:]+(?:%[\w.\-]+)?"  # with the interface of a link-local one
_TIME = r"^(?P<day>\d{4}-\d\d-\d\d) (?P<clock>\d\d:\d\d:\d\d) "
_NAMES = r"(?:(?P<service>(?:W3SVC|FTPSVC)\d+) )?(?:(?P<host>[A-Za-z]\S*) )?"
_IIS = (
    r"^(?P<client>[^,]+), (?P<user>[^,]*), (?P<date>\d{1,2}/\d{1,2}/\d{2,4}), "
    r"(?P<clock>\d{1,2}:\d\d:\d\d), (?P<service>[^,]+), (?P<host>[^,]+), "
    r"(?P<server>[^,]+), (?P<taken>\d+), (?P<inbytes>\d+), (?P<outbytes>\d+), (?P<status>\d+), "
    r"(?P<win32>\d+), (?:\[\d+\])?(?P<method>[^,]+), (?P<target>[^,]+), (?P<query>[^,]*),?"
)
_W3C = (
    rf"{_TIME}{_NAMES}(?:(?P<server>{_ADDRESS}) )?(?P<method>[A-Z_\-]+) (?P<target>\S+) "
    rf"(?P<query>\S+) (?P<port>\d+) +(?P<user>\S+) (?P<client>{_ADDRESS}) (?:HTTP/(?P<version>"
    r"[\d.]+) )?(?P<agent>\S+) (?:(?:(?P<cookie>\S+) )??(?P<referrer>\S+) (?:(?P<vhost>[A-Za-z]\S*) )?)?"
    r"(?P<status>\d{3}) (?P<substatus>\d+) (?P<win32>\d+)(?: (?P<outbytes>\d+) (?P<inbytes>\d+))?(?: (?P<taken>\d+))?"
    r"(?: (?P<more>.+))?$"
)
_FTP = (
    rf"{_TIME}(?P<client>{_ADDRESS}) (?P<user>\S+) {_NAMES}(?P<server>{_ADDRESS}) (?P<port>\d+) (?P<method>[A-Za-z]+) "
    r"(?P<target>\S+) (?P<status>\d{3}|-) (?P<win32>\d+)(?: (?P<substatus>\d+))?"
    r"(?: (?P<outbytes>\d+) (?P<inbytes>\d+) (?P<taken>\d+))?(?: (?P<session>[0-9a-f\-]{36}|-) (?P<fullpath>\S+))?"
    r"(?: (?P<more>.+))?$"
)
_HTTPERR = (
    rf"{_TIME}(?P<client>{_ADDRESS}|-) (?P<cport>\d+|-) (?P<server>{_ADDRESS}|-) (?P<port>\d+|-) (?:HTTP/(?P<version>\d[\d.]*)|HTTP/\S+|-) "
    r"(?P<method>\S+) (?P<target>.+?) (?:(?P<stream>\d+|-) )?(?P<status>\d{3}|-) (?P<site>\S+) (?P<reason>[A-Z]\w+|-) (?P<queue>\S+)"
    r"(?: (?P<more>.+))?$"
)

source = Source(
    name="microsoft.iis",
    title={"ja": "Microsoft IIS", "en": "Microsoft IIS"},
    zone_hint="dmz",
    shape=patterns({"w3c": _W3C, "iis": _IIS, "ftp": _FTP, "httperr": _HTTPERR}),
    recognise=(
        r"^[^,]+, [^,]*, \d{1,2}/\d{1,2}/\d{2,4}, \d{1,2}:\d\d:\d\d, (?:W3SVC|MSFTPSVC)\d*, "
        r"|^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d (?:W3SVC\d+ )?(?:\S+ )?[0-9A-Fa-f.:]+ [A-Z]+ /\S* \S+ \d+ +\S+ [0-9A-Fa-f.:]+ "
        rf"|^\d{{4}}-\d\d-\d\d \d\d:\d\d:\d\d {_ADDRESS} \S+ (?:FTPSVC\d+ )?(?:[A-Za-z]\S* )?{_ADDRESS} \d+ "
        r"[A-Za-z]+ \S+ (?:\d{3}|-) \d+ \d"
        rf"|^\d{{4}}-\d\d-\d\d \d\d:\d\d:\d\d {_ADDRESS} \d+ {_ADDRESS} \d+ (?:HTTP/\S+|-) \S+ .+ (?:\d{{3}}|-) \S+ [A-Z]\w+ \S+"
    ),
    leftovers="iis",
    constants={"event.kind": "event", "service.type": "iis"},
    rename={
        "host": "host.name",
        "version": "http.version",
        "vhost": "destination.domain",
    },
    ignore=(
        "client",
        "cport",
        "port",
        "more",
        "stream",
        "session",
        "site",
        "queue",
        "fullpath",
        "reason",
        "cookie",  # may let somebody in
        "user",
        "inbytes",
        "outbytes",
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
    """When, from whom, to whom, how long."""
    client = e.ip(_address(raw["client"]))
    utc = pl.concat_str(raw["day"], raw["clock"], separator=" ").str.to_datetime(
        "%Y-%m-%d %H:%M:%S", time_unit="us", time_zone="UTC", strict=False
    )
    local = pl.concat_str(raw["date"], raw["clock"], separator=" ")
    iis = [
        e.local(local.str.to_datetime(form, time_unit="us", strict=False))
        for form in ("%m/%d/%Y %H:%M:%S", "%m/%d/%y %H:%M:%S")
    ]
    return {
        "@timestamp": e.time_or(utc, *iis),
        "client.ip": client,
        "source.ip": client,
        "source.port": e.present(raw["cport"]),
        "destination.ip": e.ip(_address(raw["server"])),
        "destination.port": e.present(raw["port"]),
        "user.name": e.present(raw["user"]),
        "event.duration": e.whole(raw["taken"]) * 1_000_000,
        **{f"iis.{name}": e.present(raw[name]) for name in ("more", "session", "site", "queue", "stream")},
        "iis.session": e.present(raw["session"]),
    }


def _address(value: pl.Expr) -> pl.Expr:
    """Without the interface of a link-local address, which ECS has no place for."""
    return value.str.replace(r"%.*$", "")


@source.derive
def request(raw: Raw) -> dict[str, pl.Expr]:
    """A request over HTTP and what became of it; HTTP.SYS writes those that no site ever saw, and connections that ended."""
    query, web_line = e.present(raw["query"]), ~_ftp(raw)
    target = (
        pl.when(query.is_null())
        .then(e.present(raw["target"]))
        .otherwise(pl.concat_str(raw["target"], query, separator="?"))
    )
    said = web.request(raw["method"], target, raw["status"])
    return {
        **{name: pl.when(web_line).then(value) for name, value in said.items()},
        **_ftp_command(raw, said),
        "event.type": pl.when(_dropped(raw))
        .then(e.texts("connection", "end"))
        .when(web_line)
        .then(said["event.type"])
        .otherwise(_ftp_types(raw)),
        "event.reason": e.present(raw["reason"]),
        "http.request.bytes": pl.when(web_line).then(raw["inbytes"]),
        "http.response.bytes": pl.when(web_line).then(raw["outbytes"]),
        "user_agent.original": e.present(raw["agent"]).str.replace_all("+", " ", literal=True),
        "http.request.referrer": e.present(raw["referrer"]),
    }


_FTP_TYPES = {
    "STOR": "creation",
    "STOU": "creation",
    "CREATED": "creation",
    "MKD": "creation",
    "APPE": "change",
    "RNTO": "change",
    "DELE": "deletion",
    "RMD": "deletion",
    "RETR": "access",
    "SENT": "access",
}
"""What a command does to a file; RFC 959, and IIS's own words for what was sent and created."""


def _dropped(raw: Raw) -> pl.Expr:
    """A connection that HTTP.SYS ended without an answer."""
    return (raw["pattern"] == "httperr") & e.present(raw["status"]).is_null()


def _ftp(raw: Raw) -> pl.Expr:
    return (raw["pattern"] == "ftp") | raw["service"].str.starts_with("MSFTPSVC").fill_null(False)


def _ftp_types(raw: Raw) -> pl.Expr:
    kind = e.mapped(raw["method"].str.to_uppercase(), _FTP_TYPES)
    return (
        pl.when(kind.is_not_null())
        .then(pl.concat_list(kind))
        .when(raw["method"] == "PASS")
        .then(e.texts("start"))
        .otherwise(e.texts("connection", "info"))
    )


def _ftp_command(raw: Raw, web_said: dict[str, pl.Expr]) -> dict[str, pl.Expr]:
    """A command of an FTP session: its file and outcome. Beside PASS the password is written as stars."""
    ftp, code = _ftp(raw), e.whole(raw["status"])
    on_file = ftp & raw["method"].str.to_uppercase().is_in(list(_FTP_TYPES))
    path = e.first(e.present(raw["fullpath"]), e.present(raw["target"]))
    return {
        "network.protocol": pl.when(ftp).then(pl.lit("ftp")),
        "event.action": pl.when(ftp).then(raw["method"]),
        "event.code": pl.when(ftp & (code > 0)).then(raw["status"]),
        "file.path": pl.when(on_file).then(path),
        "file.name": pl.when(on_file).then(path.str.extract(r"([^/\\]+)$")),
        "source.bytes": pl.when(ftp).then(raw["inbytes"]),
        "destination.bytes": pl.when(ftp).then(raw["outbytes"]),
        "event.category": pl.when(on_file)
        .then(e.texts("file"))
        .when(ftp & (raw["method"] == "PASS"))
        .then(e.texts("authentication"))
        .when(ftp | _dropped(raw))
        .then(e.texts("network"))
        .otherwise(web_said["event.category"]),
        "event.outcome": pl.when(ftp & (code >= 400))
        .then(pl.lit("failure"))
        .when(ftp & code.is_between(200, 299))
        .then(pl.lit("success"))
        .when(~ftp)
        .then(web_said["event.outcome"]),
    }
