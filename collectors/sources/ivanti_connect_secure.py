"""Ivanti (Pulse) Connect Secure: event, user access and administration logs, in WELF and in the standard format.

Source: Ivanti Connect Secure, "Log Monitoring" (formats Standard and WELF) and its log message codes; WebTrends Enhanced
Log Format. `realm` is the sign-in realm and stands for the user's domain; what the message alone tells is read from
it. The time is the gateway's own clock without a zone. Bare values of WELF may hold blanks (`ivs=Default Network`).
"""

import polars as pl

from collectors import expressions as e
from collectors import times
from collectors.shapes import either, key_value, patterns
from collectors.source import Raw, Source

_STANDARD = (
    r"(?P<time>\d{4}-\d\d-\d\d \d\d:\d\d:\d\d) - (?P<vpn>\S*) - \[(?P<src>[^\]]*)\] "
    r"(?:(?P<ivs>[^\[\]]*?)::)?(?P<user>.*?)\((?P<realm>[^()]*)\)\[(?P<roles>[^\]]*)\](?:\[[^\]]*\])? - (?P<msg>.*)$"
)

source = Source(
    name="ivanti.connect_secure",
    title={"ja": "Ivanti Connect Secure(旧 Pulse、SSL-VPN)", "en": "Ivanti Connect Secure (Pulse)"},
    zone_hint="telework",
    shape=either(r"\bvpn=", key_value(needs=["vpn"]), patterns({"standard": _STANDARD})),
    recognise=(
        r'\bid=firewall time="[^"]+" pri=\d+ fw=\S+ vpn='
        r"|\d\d:\d\d:\d\d - \S* - \[[^\]]*\] [^\[]*\([^()]*\)\[[^\]]*\](?:\[[^\]]*\])? - "
    ),
    constants={"event.kind": "event", "observer.vendor": "Ivanti", "observer.type": "vpn"},
    rename={
        "fw": "observer.ip",
        "vpn": "observer.name",
        "msg": "message",
    },
    leftovers="ivanti",
    ignore=("id", "time", "src", "dst", "user", "realm", "dstname", "proto", "arg", "op", "result", "ivs", "agent",
            "duration", "roles", "sent", "rcvd", "text", "pattern"),
)  # fmt: skip
_IP = r"([0-9]{1,3}(?:\.[0-9]{1,3}){3}|[0-9A-Fa-f]*:[0-9A-Fa-f:.]+?)"
_FAILED = (
    r"(?i)\b(?:fail(?:ed|ure)?|rejected|denied|unauthenticated|invalid|not allowed|locked|blocked|unable)\b"
)
_SUCCESS = r"(?i)\b(?:succeeded|successful(?:ly)?|passed|started|allowed|webrequest ok)\b"
_SIGNS = r"(?i)log(?:in|out|ged)|authenticat|session|sign"
_ENDS = r"(?i)logout|logged out|session (?:ended|timed out|timeout|terminated)"
_CATEGORIES = {
    "ADM": ("configuration",),
    "WEB": ("web", "network"),
    "FBR": ("file",),
    "NWC": ("network", "session"),
}


@source.derive
def header(raw: Raw) -> dict[str, pl.Expr]:
    """What stands in front of the message. A bare value with blanks ends where the next name begins."""
    line, said = pl.col("message"), raw["msg"]
    user = e.first(line.str.extract(r"\buser=([^=]*?) realm="), raw["user"])
    virtual = e.first(line.str.extract(r"\bivs=([^=]*?) user="), raw["ivs"])
    seconds = e.whole(raw["duration"])
    return {
        "@timestamp": e.time_or(
            times.parsed(raw["time"], ["%Y-%m-%d %H:%M:%S"], times.zone()), pl.col("header.timestamp")
        ),
        "message": said,
        "event.code": said.str.extract(r"^([A-Z]{3}\d{4,6}):"),
        "event.reason": said.str.extract(r"Reason: ?'?([^']+?)'?\.?\s*$"),
        "event.duration": pl.when(seconds.is_between(0, 10**9)).then(seconds) * 1_000_000_000,
        "user.name": e.present(user),
        "user.domain": e.present(raw["realm"]),
        "user.roles": e.present(raw["roles"]).str.split(",").list.eval(pl.element().str.strip_chars()),
        "user_agent.original": e.present(raw["agent"]),
        "network.protocol": e.present(raw["proto"]),
        "http.response.status_code": e.whole(e.first(raw["result"], said.str.extract(r"\bresult=(\d{3})\b"))),
        "ivanti.ivs": e.present(virtual),
    }


@source.derive
def ends(raw: Raw) -> dict[str, pl.Expr]:
    """Client, what it went to and asked for; the address and machine that a VPN session or host check names."""
    said = raw["msg"]
    asked = said.str.extract(
        r"\b(?:[Rr]equest url|Request: [A-Z]+|WebRequest [^,]*, [A-Z]+ to|URL:?) '?(\S+?)[.,']*(?:\s|$)"
    )
    url = e.url_columns(asked)
    tunnel = said.str.extract(rf"with IPv[46] address(?:es)? {_IP}(?:[,.]?\s|,|$)")
    machine = e.first(said.str.extract(r"on host '([^']+)'"), tunnel)
    mac = said.str.extract(r"address:? ['\[]([0-9A-Fa-f]{2}(?:[-:][0-9A-Fa-f]{2}){5})['\]]")
    written = said.str.extract(r"(\d+) bytes written"), said.str.extract(r"(\d+) bytes read")
    return {
        **url,
        "url.domain": e.first(url["url.domain"], said.str.extract(r"\bHost: ([^\s,]+)")),
        "http.request.method": said.str.extract(r"\b(?:Request: |WebRequest [^,]*, )([A-Z]+) "),
        "source.ip": e.first(e.ip(e.present(raw["src"])), said.str.extract(rf"from (?:IP )?'?{_IP}'?[. ]")),
        "source.bytes": e.first(
            e.whole(raw["sent"]), e.whole(written[1]), e.whole(said.str.extract(r"\bsent=(\d+)"))
        ),
        "destination.bytes": e.first(
            e.whole(raw["rcvd"]), e.whole(written[0]), e.whole(said.str.extract(r"\breceived=(\d+)"))
        ),
        "destination.ip": e.first(
            e.ip(raw["dst"]),
            said.str.extract(rf"trying to connect to '{_IP}'"),
            said.str.extract(rf"\bClosed connection to {_IP} "),
        ),
        "destination.domain": e.not_ip(e.first(e.present(raw["dstname"]), e.present(raw["dst"]))),
        "rule.name": said.str.extract(r"^[A-Z0-9]+: Host Checker policy '([^']+)'"),
        "host.ip": pl.when(e.ip(machine).is_not_null()).then(pl.concat_list(machine)),
        "host.mac": mac.str.to_uppercase().str.replace_all(":", "-", literal=True).str.split(","),
        "host.name": said.str.extract(r"(?i)\bhostname:? '?([A-Za-z0-9._\-]+)"),
    }


@source.derive
def meaning(raw: Raw) -> dict[str, pl.Expr]:
    """event.*, from the message's family (AUT, NWC, WEB, ADM …) and what its text says."""
    said = raw["msg"]
    family = said.str.extract(r"^([A-Z]{3})\d")
    ended, signing = said.str.contains(_ENDS), said.str.contains(_SIGNS)
    failed, worked = said.str.contains(_FAILED), said.str.contains(_SUCCESS)
    known = e.listed(family, _CATEGORIES)
    return {
        "event.category": pl.when(known.is_not_null())
        .then(known)
        .when(signing)
        .then(e.texts("authentication", "session"))
        .otherwise(e.texts("network")),
        "event.type": pl.when(ended)
        .then(e.texts("end"))
        .when(failed)
        .then(e.texts("denied"))
        .when(signing & worked)
        .then(e.texts("start"))
        .when(family == "ADM")
        .then(e.texts("change"))
        .otherwise(e.texts("info")),
        "event.outcome": pl.when(failed).then(pl.lit("failure")).when(worked).then(pl.lit("success")),
    }
