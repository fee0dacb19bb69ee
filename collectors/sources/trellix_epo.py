"""Trellix (formerly McAfee) ePolicy Orchestrator on premises: events of its agents as XML, one document a message.

Source: Trellix, "ePolicy Orchestrator Product Guide: Syslog" and the common event format of its agents (`EPOEvent`:
`MachineInfo`, `SoftwareInfo`, `Event`, each with common and custom fields; `UpdateEvents` of the updater). `GMTTime` is
UTC. A tag that stands twice in a document is read where it stands first.
"""

import polars as pl

from collectors import expressions as e
from collectors import times
from collectors.shapes import lines
from collectors.source import Raw, Source

source = Source(
    name="trellix.epo",
    title={"ja": "Trellix(旧 McAfee)ePO", "en": "Trellix (McAfee) ePO"},
    zone_hint="internal",
    shape=lines(r"(?i)<(?:EPOEvent|UpdateEvents)\b"),
    recognise=r"(?i)<(?:EPOEvent|UpdateEvents)\b",
    constants={"observer.vendor": "Trellix", "observer.product": "ePolicy Orchestrator"},
    ignore=("text",),
)
_KEPT = (
    "ThreatCategory",
    "ThreatType",
    "ThreatHandled",
    "ThreatSeverity",
    "AgentGUID",
    "BladeName",
    "DetectionMessage",
)
_SCRUB = {"none", "_", "not available", ""}


def _tag(name: str) -> pl.Expr:
    """The text of an element; null where it is missing, empty, or says that there is none."""
    found = pl.col("text").str.extract(rf"<{name}>\s*([^<]*?)\s*</{name}>")
    plain = found.str.replace_all("&lt;", "<").str.replace_all("&gt;", ">").str.replace_all("&amp;", "&")
    return pl.when(~plain.str.to_lowercase().is_in(list(_SCRUB))).then(plain)


def _base(path: pl.Expr) -> pl.Expr:
    return path.str.extract(r"([^/\\]+)$")


@source.derive
def machine(raw: Raw) -> dict[str, pl.Expr]:
    """When, on which machine, who."""
    raw["text"]  # read by every element
    mac = _tag("RawMACAddress").str.extract(r"^([0-9A-Fa-f]{12})$")
    address = e.ip(_tag("IPAddress"))
    people = _tag("UserName")
    account = pl.when(~people.str.contains(",", literal=True)).then(
        people
    )  # all who are signed in: nobody acted
    return {
        "@timestamp": e.time_or(
            times.parsed(_tag("GMTTime"), ["%Y-%m-%dT%H:%M:%S"], "UTC"), pl.col("header.timestamp")
        ),
        "host.name": _tag("MachineName"),
        "host.ip": pl.when(address.is_not_null()).then(pl.concat_list(address)),
        "host.mac": pl.when(mac.is_not_null()).then(pl.concat_list(mac)),
        "host.os.full": _tag("OSName"),
        "user.name": account.str.extract(r"([^\\]+)$"),
        "user.domain": account.str.extract(r"^([^\\]+)\\"),
        **{f"trellix.epo.{name}": _tag(name) for name in _KEPT},
    }


@source.derive
def ends(raw: Raw) -> dict[str, pl.Expr]:
    """Where it came from and what it was aimed at: machines, processes, files."""
    raw["text"]
    process, file = _tag("TargetProcessName"), e.first(_tag("TargetFileName"), _tag("TargetPath"))
    parent, digest = (
        _tag("SourceProcessName"),
        e.first(_tag("TargetHash"), _tag("FileMD5Hash"), _tag("SourceHash")),
    )
    six = (_tag("SourceIPV6"), _tag("TargetIPV6"))
    return {
        "source.ip": e.first(e.ip(_tag("SourceIPV4")), e.ip(six[0])),
        "source.port": e.whole(_tag("SourcePort")),
        "source.mac": _tag("SourceMAC"),
        "source.domain": _tag("SourceHostName"),
        "source.user.name": _tag("SourceUserName"),
        "destination.ip": e.first(e.ip(_tag("TargetIPV4")), e.ip(six[1])),
        "destination.port": e.whole(_tag("TargetPort")),
        "destination.mac": _tag("TargetMAC"),
        "destination.domain": _tag("TargetHostName"),
        "network.transport": _tag("TargetProtocol").str.to_lowercase().str.extract("^(tcp|udp|icmp)$"),
        "user.target.name": _tag("TargetUserName"),
        "process.executable": process,
        "process.name": _base(process),
        "process.parent.executable": parent,
        "process.parent.name": _base(parent),
        "file.path": file,
        "file.name": e.first(_base(_tag("TargetFileName")), _tag("TargetName")),
        "file.size": e.whole(_tag("TargetFileSize")),
        "file.hash.md5": digest.str.extract("^([0-9A-Fa-f]{32})$").str.to_lowercase(),
        "file.hash.sha1": _tag("FileSHA1Hash").str.extract("^([0-9A-Fa-f]{40})$"),
        "url.original": e.first(_tag("TargetURL"), _tag("SourceURL")),
    }


@source.derive
def meaning(raw: Raw) -> dict[str, pl.Expr]:
    """event.*: the agent's event id, what it found, what it did about it."""
    update = raw["text"].str.contains(r"(?i)<UpdateEvents\b")
    taken = e.first(_tag("ThreatActionTaken"), pl.col("text").str.extract("<ThreatActionTaken>(none)<"))
    stopped = taken.str.contains(r"(?i)^(?:blocked|deleted|cleaned|quarantined|denied|terminated)")
    return {
        "event.kind": pl.when(_tag("ThreatName").is_not_null())
        .then(pl.lit("alert"))
        .otherwise(pl.lit("event")),
        "event.code": _tag("EventID"),
        "event.severity": e.whole(_tag("Severity")),
        "event.action": taken,
        "event.reason": e.first(_tag("DetectionMessage"), _tag("ThreatName"), _tag("Error")),
        "event.category": pl.when(update)
        .then(e.texts("configuration"))
        .otherwise(e.texts("intrusion_detection")),
        "event.type": pl.when(update)
        .then(e.texts("change"))
        .when(stopped)
        .then(e.texts("info", "denied"))
        .otherwise(e.texts("info")),
        "rule.name": e.first(_tag("AnalyzerRuleName"), _tag("ThreatName")),
        "rule.id": e.first(_tag("AnalyzerRuleID"), _tag("RuleID")),
        "message": e.first(_tag("NaturalLangDescription"), _tag("ThreatName")),
    }
