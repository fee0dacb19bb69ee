"""systemd journal as JSON: `journalctl -o json`, systemd-journal-remote, and shippers that keep its field names.

Source: systemd.journal-fields(7). Fields that begin with `_` are the journal's own word, others the program's. A message
that is no text comes as a list of numbers: kept as it is. Sign-ins and sudo are better read by `linux.auth`, which takes
the same lines as syslog.
"""

import polars as pl

from collectors import expressions as e
from collectors.shapes import json_fields
from collectors.shapes.lines import either, lines
from collectors.source import Raw, Source

_LEVELS = dict(
    enumerate(("emergency", "alert", "critical", "error", "warning", "notice", "informational", "debug"))
)
_NEEDS = r'"(?:__REALTIME_TIMESTAMP|_SOURCE_REALTIME_TIMESTAMP|_BOOT_ID)"\s*:'

source = Source(
    name="linux.journald",
    title={"ja": "systemd ジャーナル(journald)", "en": "systemd journal"},
    shape=either(_NEEDS, json_fields(), lines(r"^\b\B")),
    recognise=_NEEDS,
    leftovers="journald",
    constants={"event.kind": "event", "event.category": ["host"], "event.type": ["info"]},
    rename={
        "MESSAGE": "message",
        "MESSAGE_ID": "event.code",
        "_HOSTNAME": "host.name",
        "_MACHINE_ID": "host.id",
        "_EXE": "process.executable",
        "_CMDLINE": "process.command_line",
        "_PID": "process.pid",
        "_UID": "user.id",
        "_GID": "user.group.id",
        "_AUDIT_LOGINUID": "user.audit.id",
        "_SYSTEMD_UNIT": "service.name",
        "_TRANSPORT": "journald.transport",
        "CODE_FILE": "log.origin.file.name",
        "CODE_LINE": "log.origin.file.line",
        "CODE_FUNC": "log.origin.function",
    },
    ignore=("__REALTIME_TIMESTAMP", "_SOURCE_REALTIME_TIMESTAMP", "PRIORITY", "SYSLOG_IDENTIFIER", "_COMM",
            "SYSLOG_FACILITY"),
)  # fmt: skip


@source.derive
def facts(raw: Raw) -> dict[str, pl.Expr]:
    """When, how urgent, by which program. The sender's clock, else the journal's."""
    clocks = [
        pl.from_epoch(e.whole(raw[name]), "us").dt.replace_time_zone("UTC")
        for name in ("_SOURCE_REALTIME_TIMESTAMP", "__REALTIME_TIMESTAMP")
    ]
    level = e.whole(raw["PRIORITY"])
    return {
        "@timestamp": e.time_or(*clocks),
        "log.level": level.replace_strict(_LEVELS, default=None, return_dtype=pl.String),
        "log.syslog.severity.code": level,
        "log.syslog.facility.code": e.whole(raw["SYSLOG_FACILITY"]),
        "process.name": e.first(raw["SYSLOG_IDENTIFIER"], raw["_COMM"]),
        "event.outcome": pl.when(raw["MESSAGE"].str.contains(r"(?i)^failed |\bfailed with\b")).then(
            pl.lit("failure")
        ),
    }
