"""Ivanti (Pulse) Connect Secure: the WELF form of its event, user access and administration logs.

Source: Ivanti Connect Secure, "Log Monitoring" and its log message codes; WebTrends Enhanced Log Format. `realm` is the
sign-in realm and stands for the user's domain; what the message alone tells is read from it.
"""

import polars as pl

from collectors import expressions as e
from collectors.shapes import key_value
from collectors.source import Raw, Source

source = Source(
    name="ivanti.connect_secure",
    title={"ja": "Ivanti Connect Secure(旧 Pulse、SSL-VPN)", "en": "Ivanti Connect Secure (Pulse)"},
    zone_hint="telework",
    shape=key_value(needs=["vpn"]),
    recognise=r'\bid=firewall time="[^"]+" pri=\d+ fw=\S+ vpn=',
    constants={"event.kind": "event", "observer.vendor": "Ivanti", "observer.type": "vpn"},
    rename={
        "fw": "observer.ip",
        "vpn": "observer.name",
        "agent": "user_agent.original",
        "sent": "source.bytes",
        "rcvd": "destination.bytes",
        "msg": "message",
    },
    leftovers="ivanti",
    ignore=("id", "time", "src", "dst", "user", "realm", "dstname", "proto", "arg", "op", "result"),
)
_IP = r"([0-9]{1,3}(?:\.[0-9]{1,3}){3}|[0-9A-Fa-f]*:[0-9A-Fa-f:.]+?)"
_FAILED = r"(?i)\b(?:fail(?:ed|ure)?|rejected|denied|unauthenticated|invalid|not allowed|locked)\b"
_SUCCESS = r"(?i)\b(?:succeeded|successful(?:ly)?|passed|login succeeded|started)\b"


@source.derive
def line(raw: Raw) -> dict[str, pl.Expr]:
    """Who, from where, and what the message says."""
    said = raw["msg"]
    url, code = said.str.extract(r"\burl (\S+?)\.? came from"), said.str.extract(r"^([A-Z]{3}\d{4,6}):")
    checked = said.str.extract(r"on host '([^']+)'")
    signing = said.str.contains(r"(?i)log(?:in|out|ged)|authenticat|session|sign")
    ended = said.str.contains(r"(?i)logout|logged out|session (?:ended|timed out|terminated)")
    failed, worked = said.str.contains(_FAILED), said.str.contains(_SUCCESS)
    clock = e.local(raw["time"].str.to_datetime("%Y-%m-%d %H:%M:%S", time_unit="us", strict=False), "UTC")
    return {
        "@timestamp": e.time_or(clock, pl.col("header.timestamp")),
        "event.code": code,
        "source.ip": e.ip(raw["src"]),
        "destination.ip": e.first(e.ip(raw["dst"]), said.str.extract(rf"trying to connect to '{_IP}'")),
        "destination.domain": e.present(raw["dstname"]),
        "user.name": e.present(raw["user"]),
        "user.domain": e.present(raw["realm"]),
        "user.roles": e.present(raw["roles"]).str.split(","),
        "url.path": url,
        "url.original": url,
        "rule.name": said.str.extract(r"^[A-Z0-9]+: Host Checker policy '([^']+)'"),
        "host.ip": pl.when(checked.is_not_null()).then(pl.concat_list(checked)),
        "host.mac": said.str.extract(r"address '([0-9A-Fa-f]{2}(?:[-:][0-9A-Fa-f]{2}){5})'").str.split(","),
        "event.reason": said.str.extract(r"Reason: '([^']*)'"),
        "network.protocol": e.present(raw["proto"]),
        "event.category": pl.when(signing)
        .then(e.texts("authentication", "session"))
        .otherwise(e.texts("network")),
        "event.type": pl.when(ended)
        .then(e.texts("end"))
        .when(failed)
        .then(e.texts("denied"))
        .when(signing & worked)
        .then(e.texts("start"))
        .otherwise(e.texts("info")),
        "event.outcome": pl.when(failed).then(pl.lit("failure")).when(worked).then(pl.lit("success")),
    }


source.refine(e.related)
