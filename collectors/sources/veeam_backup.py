"""Veeam Backup & Replication: jobs, restores, settings, credentials, malware detection, as syslog events.

Facts: Veeam, "Veeam Backup & Replication Event Reference" (12.x: instance ids, names of values) and "Specifying
Syslog Servers". What happened is told by the description's verb, in which the reference is consistent.
`host.name` is the machine that an event is about, the backup server where it is about none.
"""

import polars as pl

from collectors import expressions as e
from collectors.source import Raw, Source
from collectors.veeam.events import VeeamEvents

source = Source(
    name="veeam.backup",
    title={"ja": "Veeam Backup & Replication", "en": "Veeam Backup & Replication"},
    zone_hint="internal",
    shape=VeeamEvents(),
    recognise=r"\[categoryId=\d+ instanceId=\d+ ",
    leftovers="veeam",
    constants={
        "event.kind": "event",
        "observer.vendor": "Veeam",
        "observer.product": "Backup & Replication",
    },
    rename={"text": "message", "instanceId": "event.code", "xml": "veeam.changes"},
    ignore=("Description", "UserName", "HostName", "VmName", "DateTime", "enterpriseId", "Version"),
)
# The description's words → event.category, event.type, event.outcome; the first that is in it counts.
_MEANINGS = (
    (r"(?i)malware|ransom|yara|suspicious|indicator.? of compromise", "malware", "info", ""),
    (r"(?i)\b(?:logged (?:in|on)|log-?on|log-?in|sign-?in|authenticat\w+|MFA|multi-factor)\b", "authentication", "info", ""),
    (r"(?i)restore point .*(?:created)", "file", "creation", "success"),
    (r"(?i)restore point .*(?:deleted|removed)", "file", "deletion", "success"),
    (r"(?i)\b(?:finished|completed|ended|stopped|cancell?ed)\b", "process", "end", ""),
    (r"(?i)\b(?:started|initiated|launched)\b", "process", "start", ""),
    (r"(?i)\b(?:user|role|group|account)\b.* has been (?:added|assigned|created)", "iam,configuration", "creation", ""),
    (r"(?i)\bha(?:s|ve) been (?:created|added|registered|imported|enabled)", "configuration", "creation", ""),
    (r"(?i)\bha(?:s|ve) been (?:changed|updated|modified|edited|upgraded|renamed|disabled|reset|moved)", "configuration", "change", ""),
    (r"(?i)\bha(?:s|ve) been (?:deleted|removed|unregistered)", "configuration", "deletion", ""),
)  # fmt: skip


@source.derive
def meaning(raw: Raw) -> dict[str, pl.Expr]:
    """event.* by what the description says; how a job ended by its last words."""
    said = raw["Description"]

    def of(part: int, rest: str) -> pl.Expr:
        found = pl.coalesce(
            pl.when(said.str.contains(words[0])).then(pl.lit(words[part])) for words in _MEANINGS
        )
        return found.fill_null(rest)

    kind, ended = (
        of(2, "info"),
        said.str.extract(r"(?i)\b(success|warning|fail(?:ed|ure)?|error)").str.to_lowercase(),
    )
    result = e.mapped(raw["Result"].str.to_lowercase(), {"true": "success", "false": "failure"})
    return {
        "@timestamp": e.time_or(
            pl.col("header.timestamp"),
            e.local(raw["DateTime"].str.to_datetime("%m/%d/%Y %H:%M:%S", time_unit="us", strict=False)),
        ),
        "event.category": of(1, "host").str.split(","),
        "event.type": pl.when(said.str.contains(r"(?i)\bfailed\b") & (kind == "info"))
        .then(e.texts("error"))
        .otherwise(kind.str.split(",")),
        "event.outcome": pl.when(ended.str.contains("fail|error"))
        .then(pl.lit("failure"))
        .when(ended.is_not_null())
        .then(pl.lit("success"))
        .otherwise(e.first(result, e.present(of(3, "")))),
        "event.reason": e.present(said),
    }  # fmt: skip


@source.derive
def parties(raw: Raw) -> dict[str, pl.Expr]:
    """Who did it and which machine it is about."""
    asked = said_by(raw["Description"])
    account = e.first(e.present(raw["UserName"]), asked, e.present(raw["param6"]))
    domain, name = e.domain_user(account)
    machine = e.present(e.first(raw["HostName"], raw["VmName"]))
    address = e.ip(machine)
    return {
        "user.name": name,
        "user.domain": domain,
        "host.name": e.first(e.not_ip(machine), pl.col("header.host")),
        "host.ip": pl.when(address.is_not_null()).then(pl.concat_list(address)),
        "observer.hostname": pl.col("header.host"),
        "process.name": pl.col("header.app"),
    }


def said_by(description: pl.Expr) -> pl.Expr:
    r"""The account at the end of `… has been started by user DOMAIN\name.`"""
    return description.str.extract(r"\bby (?:user )?([^\s\\]+\\[^\s\\]+?)\.?$")
