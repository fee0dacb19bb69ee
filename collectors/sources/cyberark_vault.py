"""CyberArk Digital Vault and Privileged Session Manager, as LEEF (the `LEEF.xsl` translator).

Source: CyberArk, "Vault audit action codes", "Integrate with SIEM: LEEF". `ExtraDetails` holds `name=value;` pairs of a
session: its ends, its protocol, the command that was typed.
"""

import polars as pl

from collectors import expressions as e
from collectors.shapes import leef
from collectors.source import Raw, Source

source = Source(
    name="cyberark.vault",
    title={"ja": "CyberArk Digital Vault(特権ID)", "en": "CyberArk Digital Vault"},
    zone_hint="internal",
    shape=leef("Cyber-Ark"),
    recognise=r"[12]\.0\|Cyber-?Ark\|",
    leftovers="cyberark.vault",
    constants={"event.kind": "event", "observer.vendor": "CyberArk", "observer.product": "Digital Vault"},
    rename={
        "leef.code": "event.code",
        "leef.product_version": "observer.version",
        "Action": "event.action",
        "sev": "event.severity",
        "externalId": "session.id",
    },
    ignore=("leef.version", "leef.vendor", "leef.product", "usrName", "src", "shost", "dhost", "File", "app"),
)
_SESSIONS = r"(?i)\b(?:connect|disconnect|logon|logoff|session (?:start|end))"


def _detail(raw: Raw, name: str) -> pl.Expr:
    return e.present(raw["ExtraDetails"].str.extract(rf"(?:^|;)\s*{name}=((?:[^;\\]|\\.)*)"))


@source.derive
def deed(raw: Raw) -> dict[str, pl.Expr]:
    """Who did what to which secret, from where to where."""
    what = raw["Action"]
    far, spoken = e.first(e.present(raw["dhost"]), _detail(raw, "DstHost")), _detail(raw, "Protocol")
    failed = what.str.contains(r"(?i)\bfail|denied|violation|error")
    session, ends = what.str.contains(_SESSIONS), what.str.contains("(?i)disconnect|logoff|end")
    changes = what.str.contains(r"(?i)\b(?:change|update|add|delete|create|rename|store|reset)")
    return {
        "@timestamp": e.time_or(pl.col("header.timestamp")),
        "host.name": pl.col("header.host"),
        "user.name": e.first(e.present(raw["usrName"]), _detail(raw, "User")),
        "user.target.name": e.first(e.present(raw["TargetUser"]), e.present(raw["duser"])),
        "source.ip": e.first(e.ip(raw["src"]), e.ip(raw["shost"]), e.ip(_detail(raw, "SrcHost"))),
        "destination.ip": e.ip(far),
        "destination.domain": e.not_ip(far),
        "network.protocol": e.first(e.present(raw["app"]), spoken).str.to_lowercase(),
        "file.name": e.present(raw["File"]),
        "file.path": e.present(raw["File"]),
        "process.command_line": _detail(raw, "Command"),
        "event.reason": e.first(e.present(raw["Reason"]), e.present(raw["reason"]), _detail(raw, "Command")),
        "event.category": pl.when(session)
        .then(e.texts("session"))
        .when(changes)
        .then(e.texts("configuration"))
        .otherwise(e.texts("iam")),
        "event.type": pl.when(session & ends)
        .then(e.texts("end"))
        .when(session)
        .then(e.texts("start"))
        .when(changes)
        .then(e.texts("change"))
        .otherwise(e.texts("info")),
        "event.outcome": pl.when(failed).then(pl.lit("failure")).otherwise(pl.lit("success")),
    }
