"""IBM AIX audit subsystem: records that `auditpr` prints, one a line.

Source: IBM AIX documentation, "auditpr command", "Auditing overview" and /etc/security/audit/events (events and the form of
their tails). Columns are event, command or login, and real and login user, status, time; the tail depends on the event.
"""

import polars as pl

from collectors import expressions as e
from collectors.shapes import patterns
from collectors.source import Raw, Source

_LINE = (
    r"^(?P<front>.*? )?(?P<event>(?:[A-Z]{1,6}_[A-Za-z0-9_]+))\s+(?P<command>\S+)\s+(?P<login>\S+)\s+(?P<group>\S+)\s+"
    r"(?P<status>OK|FAIL\w*)\s+(?P<clock>\d{1,2} \w{3} \d{4} \d\d:\d\d:\d\d\.\d+)\s+(?:No associated roles|\S+)\s*(?P<tail>.*)$"
)

source = Source(
    name="ibm.aix_audit",
    title={"ja": "IBM AIX(監査)", "en": "IBM AIX audit"},
    zone_hint="internal",
    shape=patterns({"line": _LINE}),
    recognise=r"\b[A-Z]{1,6}_[A-Za-z0-9_]+\s+\S+\s+\S+\s+\S+\s+(?:OK|FAIL)\w*\s+\d{1,2} [A-Za-z]{3} \d{4} ",
    leftovers="ibm.aix",
    constants={"event.kind": "event", "observer.vendor": "IBM", "observer.product": "AIX"},
    rename={"event": "event.action", "group": "group.name", "tail": "event.reason", "text": "message"},
    ignore=("front", "command", "login", "status", "clock", "pattern"),
)
_PEOPLE = ["FILE_Link", "FS_Mkdir", "TCP_kaccept", "TCP_kbind", "TCP_klisten", "TCP_kconnect"]


@source.derive
def record(raw: Raw) -> dict[str, pl.Expr]:
    """Who ran what on which file, or took a connection from where."""
    tail = raw["tail"]
    whole = pl.concat_str(e.first(raw["front"], pl.lit("")), pl.lit(" "), tail)
    clock = (
        raw["clock"].str.to_titlecase().str.to_datetime("%d %b %Y %H:%M:%S%.f", time_unit="us", strict=False)
    )
    end = tail.str.extract_groups(r"\b(?:Port|to|from) ((?:\d{1,3}\.){3}\d{1,3}) (\d{1,5})\b").struct
    name, opened = raw["event"], tail.str.contains("^fd\\d+ ")
    file = e.first(
        whole.str.extract(r"\bfilename (\S+)"),
        tail.str.extract(r"\b(?:dir|directory): (\S+)"),
        tail.str.extract(r"event detected (\S+)"),
        tail.str.extract(r"^fd\d+ (/\S+)"),
        pl.when(name.str.starts_with("SRC_")).then(tail.str.extract(r"^(\S+)")),
        pl.when(name.is_in(["FILE_Open", "FILE_Unlink", "FILE_Rename", "FILE_Mode", "FILE_Owner"])).then(
            tail.str.extract(r"(/\S+)")
        ),
    )
    asked = e.first(tail.str.extract(r"\bcmd = (.*?)(?: time = |$)"), tail.str.extract(r"\bname (.*)$"))
    return {
        "@timestamp": e.time_or(*e.own_clock(clock)),
        "host.name": pl.col("header.host"),
        "user.name": pl.when(name.is_in(_PEOPLE)).then(raw["command"]).otherwise(raw["login"]),
        "user.id": tail.str.extract(r"\beuid: (-?\d+)"),
        "process.name": raw["command"],
        "process.pid": e.whole(tail.str.extract(r"\bpid(?: =|:) (\d+)")),
        "process.command_line": asked,
        "file.name": file,
        "file.path": file.str.extract("^(/.*)$"),
        "source.ip": pl.when(opened).then(end.field("1")),
        "source.port": pl.when(opened).then(e.whole(end.field("2"))),
        "event.category": pl.when(name.str.starts_with("USER_"))
        .then(e.texts("authentication"))
        .when(name.str.contains("^(?:FILE|FS|S)_"))
        .then(e.texts("file"))
        .when(name.str.starts_with("TCP"))
        .then(e.texts("network"))
        .otherwise(e.texts("process")),
        "event.type": pl.when(name.str.contains("(?i)mkdir|create|link|add"))
        .then(e.texts("creation"))
        .when(name.str.contains("(?i)rmdir|unlink|remove|delete"))
        .then(e.texts("deletion"))
        .when(name.str.contains("(?i)write|mode|owner|chang|set"))
        .then(e.texts("change"))
        .otherwise(e.texts("info")),
        "event.outcome": pl.when(raw["status"] == "OK").then(pl.lit("success")).otherwise(pl.lit("failure")),
    }
