r"""Ivanti Connect Secure (Pulse Connect Secure): sign-ins, host checks, VPN tunnels, web requests, administration.

Source: Ivanti, "Connect Secure Administration Guide", Logging and Monitoring (formats Standard, WELF and W3C)
and "Syslog Message IDs". The message is `ID12345: text`; who and from where stands in front of it, what
happened in the text alone. The time is the gateway's own clock without a zone: where a syslog header brings a
time, that one counts, else the line's is taken as UTC.
"""

import polars as pl

from collectors import expressions as e
from collectors import times
from collectors.shapes import either, key_value, patterns
from collectors.source import Raw, Source

_STANDARD = (
    r"(?P<time>\d{4}-\d\d-\d\d \d\d:\d\d:\d\d) - (?P<vpn>\S*) - \[(?P<src>[^\]]*)\] "
    r"(?P<user>.*?)\((?P<realm>[^()]*)\)\[(?P<roles>[^\]]*)\] - (?P<msg>.*)$"
)

source = Source(
    name="ivanti.connect_secure",
    title={"ja": "Ivanti Connect Secure(SSL-VPN)", "en": "Ivanti Connect Secure (SSL VPN)"},
    zone_hint="perimeter",
    shape=either(
        r"\btime=.*\bmsg=", key_value(needs=("vpn", "msg")), patterns({"standard": _STANDARD})
    ),
    recognise=(
        r'\bid=firewall .*\bvpn=\S.*\bmsg="?[A-Z]{3}\d{5}:'
        r"|\d\d:\d\d:\d\d - \S* - \[[^\]]*\] .*\([^()]*\)\[[^\]]*\] - "
    ),
    leftovers="ivanti.connect_secure",
    constants={"event.kind": "event", "observer.vendor": "Ivanti", "observer.type": "vpn"},
    ignore=("id", "time", "text", "pattern", "src", "dst", "user", "realm", "roles", "msg", "fw", "vpn", "dstname",
            "agent", "ivs", "arg", "sent", "rcvd", "proto", "type", "duration", "result"),
)  # fmt: skip
_IP = r"([0-9A-Fa-f]*[.:][0-9A-Fa-f.:]*[0-9A-Fa-f])"


@source.derive
def header(raw: Raw) -> dict[str, pl.Expr]:
    """What stands in front of the message. Bare values may hold blanks: they end where the next name begins."""
    line = pl.col("message")
    user = e.first(line.str.extract(r"\buser=([^=]*?) realm="), raw["user"])
    realm = e.present(raw["realm"])
    roles = e.present(raw["roles"]).str.split(",").list.eval(pl.element().str.strip_chars())
    text = raw["msg"].str.replace(r"^[A-Z]{3}\d{5}:\s*", "")
    agent = raw["agent"]
    return {
        "@timestamp": e.time_or(
            pl.col("header.timestamp"), times.parsed(raw["time"], ["%Y-%m-%d %H:%M:%S"], "UTC")
        ),
        "message": raw["msg"],
        "event.code": raw["msg"].str.extract(r"^([A-Z]{3}\d{5})"),
        "event.provider": e.first(e.present(raw["proto"]), e.present(raw["type"])),
        "event.reason": e.first(text.str.extract(r"\bReason: ?'?(.+?)'?\s*$"), text),
        "event.duration": e.whole(raw["duration"]) * 1_000_000_000,
        "user.name": e.present(user.str.replace(r"^.+?::", "")),
        "user.domain": realm,
        "user.roles": pl.when(roles.list.len() > 0).then(roles),
        "user_agent.original": e.present(agent),
        "observer.ip": e.ip(raw["fw"]),
        "observer.hostname": e.present(raw["vpn"]),
        "ivanti.connect_secure.virtual_system": e.present(
            e.first(line.str.extract(r"\bivs=([^=]*?) user="), raw["ivs"])
        ),
        "http.response.status_code": e.whole(raw["result"]),
        "ivanti.connect_secure.argument": e.present(raw["arg"]),
    }


@source.derive
def ends(raw: Raw) -> dict[str, pl.Expr]:
    """Client, what it went to, what it asked for; the text tells where the header does not."""
    text = raw["msg"]
    came = text.str.extract(rf"\b(?:from|source IP|[Aa]ddress|IP) '?{_IP}")
    asked = text.str.extract(r"\b(?:[Rr]equest url|Request: [A-Z]+|URL:?) (\S+?)[.,']?(?:\s|$)")
    url = e.url_columns(asked)
    host = text.str.extract(r"\bHost: ([^\s,]+)")
    mac = text.str.extract(r"\b(?:address|MAC address:?) '?([0-9A-Fa-f]{2}(?:[-:][0-9A-Fa-f]{2}){5})\b")
    checked, tunnel = text.str.contains("^AUT2480[34]:"), text.str.contains("^NWC2346[45]:")
    client = e.first(e.ip(e.present(raw["src"])), e.ip(came))
    given = text.str.extract(rf"IPv4 address:? {_IP}")
    return {
        **url,
        "url.domain": e.first(url["url.domain"], host),
        "source.ip": client,
        "source.bytes": e.first(e.whole(raw["sent"]), e.whole(text.str.extract(r"(\d+) bytes? written"))),
        "destination.bytes": e.first(e.whole(raw["rcvd"]), e.whole(text.str.extract(r"(\d+) bytes? read"))),
        "destination.ip": e.first(
            e.ip(e.present(raw["dst"])), e.ip(text.str.extract(rf"connect to '?{_IP}"))
        ),
        "destination.domain": e.not_ip(e.first(e.present(raw["dstname"]), e.present(raw["dst"]))),
        "http.request.method": text.str.extract(r"\bRequest: ([A-Z]+) "),
        "host.ip": pl.when(checked | tunnel).then(
            pl.concat_list(pl.when(tunnel).then(given).otherwise(client)).list.drop_nulls()
        ),
        "host.mac": pl.when(mac.is_not_null()).then(
            pl.concat_list(mac.str.to_uppercase().str.replace_all(":", "-", literal=True))
        ),
        "host.name": text.str.extract(r"\b[Hh]ostname:? '?([A-Za-z0-9._\-]+)"),
        "rule.name": text.str.extract(r"\b[Pp]olicy '([^']{1,200})'"),
    }


_SIGN_IN = r"(?i)\b(?:log[io]n|agent login|authentication)\b.{0,80}\b(?:succe|fail|reject|denied)"
_SIGN_OUT = r"(?i)^[A-Z]{3}\d{5}: ?(?:logout|(?:max )?session time|(?:.{0,40})logged out)"
_FAILED = r"(?i)\b(?:fail(?:ed|ure)?|rejected|denied|blocked|not allowed|invalid|unauthenticated|unable)\b"
_WENT_WELL = r"(?i)\b(?:succe(?:ss|ssful|ssfully|eded)|passed|allowed|connected|ok)\b"


@source.derive
def meaning(raw: Raw) -> dict[str, pl.Expr]:
    """event.*, from the message's family (AUT, NWC, WEB, ADM, SYS, LIC …) and what its text says."""
    text = raw["msg"]
    family = text.str.extract(r"^([A-Z]{3})\d{5}")
    sign_in, sign_out = text.str.contains(_SIGN_IN), text.str.contains(_SIGN_OUT)
    started = text.str.contains(r"(?i)\bsession started")
    ended = sign_out | text.str.contains(r"(?i)\bsession ended")
    failed, well = text.str.contains(_FAILED), text.str.contains(_WENT_WELL)
    kinds = {
        "NWC": ["network", "session"], "WEB": ["web"], "ADM": ["configuration"],
        "SYS": ["host"], "LIC": ["host"], "FBR": ["file"],
    }  # fmt: skip
    other = e.first(e.listed(family, kinds), e.texts("network"))
    return {
        "event.action": text.str.extract(
            r"^[A-Z]{3}\d{5}: ?([A-Za-z][A-Za-z ]{2,40}?)(?: '| for | on |[.:(]|$)"
        ),
        "event.category": pl.when(sign_in)
        .then(e.texts("authentication"))
        .when(sign_out)
        .then(e.texts("authentication", "session"))
        .otherwise(other),
        "event.type": pl.when(ended)
        .then(e.texts("end"))
        .when(sign_in | started)
        .then(e.texts("start"))
        .when(family == "ADM")
        .then(e.texts("change"))
        .otherwise(e.texts("info")),
        "event.outcome": pl.when(failed).then(pl.lit("failure")).when(well).then(pl.lit("success")),
    }


source.refine(e.related)
