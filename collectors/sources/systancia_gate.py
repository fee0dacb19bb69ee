"""Systancia Gate and Cleanroom: sign-ins to its portal, applications opened through it, what was done in a session.

Source: its syslog lines (French texts): `text org:…, user:name@directory, ip:…` of the mediation controller, and
`name@directory text` of the session's agent. Some senders write letters as HTML references.
"""

import polars as pl

from collectors import expressions as e
from collectors.shapes import patterns
from collectors.source import Raw, Source

_TABLE = {
    "portal": r"^(?P<what>.*?) org:(?P<org>[^,]*), user:(?P<who>[^,]*), ip:(?P<src>[0-9A-Fa-f.:]+)",
    "session": r"^(?P<who>[^\s@]+@[^\s@]+) (?P<what>(?:Process|SSO|Window|Application|Session|Clipboard|File)\b.*)$",
}

source = Source(
    name="systancia.gate",
    title={"ja": "Systancia Gate・Cleanroom(リモート接続)", "en": "Systancia Gate, Cleanroom"},
    zone_hint="internal",
    shape=patterns(_TABLE),
    recognise=r" org:[^,]*, user:[^,]*, ip:",
    leftovers="systancia.gate",
    constants={"event.kind": "event", "observer.vendor": "Systancia"},
    rename={"what": "event.reason", "org": "organization.name", "text": "message"},
    ignore=("who", "src", "pattern"),
)


@source.derive
def deed(raw: Raw) -> dict[str, pl.Expr]:
    """Who opened or closed what, from where."""
    what, who = raw["what"], raw["who"].str.extract_groups(r"^([^@]*)@?(.*)$").struct
    name = e.present(who.field("1"))
    failed = what.str.contains(r"(?i)^[EÉ]chec|^&#201;chec|erreur|refus")
    ends = what.str.contains(r"(?i)^D(?:é|&#233;)connexion|^Fermeture|\bend\b|closed")
    starts = what.str.contains(r"(?i)^Connexion|^Lancement|^Ouverture|\bstart\b")
    program = what.str.extract(r'^Process \w+: "([^"]+)"')
    things = what.str.contains(r"(?i)application|^Process")
    return {
        "@timestamp": e.time_or(pl.col("header.timestamp")),
        "host.name": pl.col("header.host"),
        "user.name": name,
        "user.domain": pl.when(name.is_not_null()).then(e.present(who.field("2"))),
        "source.ip": e.ip(raw["src"]),
        "process.executable": program,
        "process.name": program,
        "event.category": pl.when(things).then(e.texts("process")).otherwise(e.texts("session")),
        "event.type": pl.when(ends)
        .then(e.texts("end"))
        .when(starts | failed)
        .then(e.texts("start"))
        .otherwise(e.texts("info")),
        "event.outcome": pl.when(failed).then(pl.lit("failure")).when(ends | starts).then(pl.lit("success")),
    }
