"""PostgreSQL: server log (stderr, syslog, csvlog, jsonlog) with connections, statements and pgAudit's records.

Source: PostgreSQL, "Error Reporting and Logging" (log_line_prefix, csvlog and jsonlog columns) and pgaudit, "Format" of its
records. Prefixes understood: the default `%m [%p] ` and the common `%m [%p] %q%u@%d `, `%t [%p]: user=%u,db=%d,app=%a,client=%h `.
Statements of several lines continue on lines of their own that no prefix has: these are rejected and kept.
"""

import polars as pl

from collectors import expressions as e
from collectors import times
from collectors.shapes import either, json_fields, own_clock, patterns
from collectors.source import Raw, Source

_LEVEL = (
    r"(?P<level>LOG|ERROR|FATAL|PANIC|WARNING|NOTICE|INFO|DEBUG[1-5]?|STATEMENT|DETAIL|HINT|CONTEXT|QUERY)"
)
_CLOCK = (
    r"(?P<clock>\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(?:\.\d{1,6})?)(?: (?P<zone>[A-Z]{2,5}|[+-]\d\d(?::?\d\d)?))?"
)
_TABLE = {
    "csv": (
        rf'^{_CLOCK},"?(?P<user>[^",]*)"?,"?(?P<database>[^",]*)"?,(?P<pid>\d+),"?(?:(?P<client>[0-9A-Fa-f.:]+?)'
rf'(?::(?P<port>\d+))?|\[local\])?"?,'
        rf'(?P<session>[0-9a-f.]+),(?P<line>\d+),"(?P<tag>[^"]*)",[^,]*,[^,]*,[^,]*,{_LEVEL},'
rf'(?P<code>[0-9A-Z]{{5}}),"(?P<text2>(?:[^"]|"")*)"(?P<rest>.*)$'
    ),
    "line": (
        rf"^(?:\[\d+(?:-\d+)?\] )?(?:{_CLOCK} )?\[(?P<pid>\d+)(?:-\d+)?\]:? ?(?:\[\d+(?:-\d+)?\] )?"
        r"(?:user=(?P<user>[^,]*),db=(?P<database>[^,]*)(?:,app=(?P<application>[^,]*))?(?:,client="
r"(?P<client>\S*))? |(?P<user2>[^\s@\[\]]+)@(?P<database2>[^\s\[\]]+) )?"
        rf"{_LEVEL}: +(?:(?P<code>[0-9A-Z]{{2}}[0-9P][0-9A-Z]{{2}}): )?(?P<text2>.*)$"
    ),
}  # fmt: skip
_JSON = r'"error_severity"\s*:'

source = Source(
    name="postgresql.server",
    title={"ja": "PostgreSQL(接続・SQL・pgAudit)", "en": "PostgreSQL server and pgAudit"},
    zone_hint="internal",
    shape=either(_JSON, json_fields(), own_clock(r"^\d{4}-\d\d-\d\d ", patterns(_TABLE))),
    recognise=(rf"{_JSON}|\[\d+(?:-\d+)?\]:? (?:\S+ ){{0,2}}(?:LOG|ERROR|FATAL|PANIC|STATEMENT|DETAIL):"
rf" |^\d{{4}}-\d\d-\d\d [\d:.]+ \S+,[^,]*,[^,]*,\d+,.*,(?:LOG|ERROR|FATAL|PANIC|WARNING),[0-9A-Z]{{5}},"),
    leftovers="postgresql",
    constants={
        "event.kind": "event",
        "event.category": ["database"],
        "observer.product": "PostgreSQL",
    },
    ignore=(
        *("clock", "zone", "level", "user", "user2", "database", "database2", "pid", "client", "port", "text2"),
        *("pattern", "text", "message", "timestamp", "dbname", "error_severity", "remote_host", "remote_port"),
        *("state_code", "application", "application_name", "statement", "rest", "code"),
    ),
)  # fmt: skip
_AUDIT = r'AUDIT: (SESSION|OBJECT),(\d+),(\d+),([A-Z_]+),([^,]*),([^,]*),([^,]*),("(?:[^"]|"")*"|[^,]*)'
_SAID = r"(?:authorized|authenticated): .*?\b{0}=(\S+)"


@source.derive
def facts(raw: Raw) -> dict[str, pl.Expr]:
    """When, who, from where, on which database."""
    text = e.first(raw["text2"], raw["message_"])
    zoned = pl.concat_str(
        raw["clock"], e.first(raw["zone"].replace({"UTC": "+00:00", "GMT": "+00:00", "JST": "+09:00"}), pl.lit("")), separator=" "
    ).str.strip_chars()  # fmt: skip
    short = zoned.str.replace(r"([+-]\d\d)$", "${1}:00")
    json_clock = raw["timestamp"].str.replace(" UTC", "+00:00").str.replace(" JST", "+09:00")
    stamp = times.parsed(e.first(short, json_clock), [times.ISO], times.zone())
    bare = times.parsed(e.first(raw["clock"], raw["timestamp"]).str.slice(0, 23), [times.ISO], times.zone())
    host = e.present(
        e.first(raw["client"], raw["remote_host"], text.str.extract(r"connection received: host=(\S+)"))
    )
    return {
        "@timestamp": e.time_or(stamp, bare, pl.col("header.timestamp") if "header.timestamp" in raw else stamp),
        "host.name": pl.col("header.host") if "header.host" in raw else e.nothing(),
        "user.name": e.present(e.first(
            raw["user"], raw["user2"], text.str.extract(_SAID.format("user")),
            text.str.extract(r'authentication failed for user "([^"]+)"'), text.str.extract(r'role "([^"]+)" does not exist'),
        )).str.replace(r"^\[unknown\]$", ""),
        "postgresql.database": e.present(e.first(raw["database"], raw["database2"], raw["dbname"],
                                                text.str.extract(_SAID.format("database")))),
        "postgresql.application": e.present(e.first(raw["application"], raw["application_name"])),
        "source.ip": e.ip(host),
        "source.domain": e.not_ip(pl.when(host != "[local]").then(host)),
        "source.port": e.whole(e.first(raw["port"], raw["remote_port"], text.str.extract(r"connection received: host=\S+ port=(\d+)"))),
        "process.pid": e.whole(raw["pid"]),
        "log.level": e.first(raw["level"], raw["error_severity"]).str.to_lowercase(),
        "message": text,
    }  # fmt: skip


@source.derive
def meaning(raw: Raw) -> dict[str, pl.Expr]:
    """event.*: connections, refused ones, statements, pgAudit's class of a statement."""
    text, level = e.first(raw["text2"], raw["message_"]), e.first(raw["level"], raw["error_severity"])
    audit = text.str.extract_groups(_AUDIT).struct
    said = e.first(
        audit.field("8").str.strip_chars('"').str.replace_all('""', '"', literal=True),
        text.str.extract(r"(?s)^(?:duration: [\d.]+ ms +)?(?:statement|execute [^:]*|parse [^:]*|bind [^:]*): (.*)$"),
        pl.when(level == "STATEMENT").then(text), raw["statement"],
    )  # fmt: skip
    sign_in = text.str.contains(r"^connection (?:authorized|authenticated)|authentication failed|no pg_hba.conf entry"
r"|role .* does not exist|password authentication")  # fmt: skip
    bad = level.is_in(["ERROR", "FATAL", "PANIC"])
    return {
        "event.action": pl.when(sign_in).then(pl.lit("connect"))
        .when(text.str.starts_with("connection received")).then(pl.lit("connection-received"))
        .when(text.str.starts_with("disconnection")).then(pl.lit("disconnect"))
        .when(audit.field("5").is_not_null()).then(audit.field("5").str.to_lowercase())
        .when(said.is_not_null()).then(pl.lit("statement")),
        "event.code": e.first(raw["code"], raw["state_code"]),
        "event.category": pl.when(sign_in).then(e.texts("database", "authentication")).otherwise(e.texts("database")),
        "event.type": pl.when(sign_in | text.str.starts_with("connection received")).then(e.texts("start"))
        .when(text.str.starts_with("disconnection")).then(e.texts("end"))
        .when(audit.field("4").is_in(["WRITE", "DDL", "ROLE"])).then(e.texts("change"))
        .when(audit.field("4") == "READ").then(e.texts("access"))
        .when(bad).then(e.texts("error"))
        .otherwise(e.texts("info")),
        "event.outcome": pl.when(bad).then(pl.lit("failure"))
        .when(sign_in | audit.field("4").is_not_null()).then(pl.lit("success")),
        "postgresql.statement": said,
        "postgresql.audit.class": audit.field("4"),
        "postgresql.audit.object": e.present(audit.field("7")),
    }  # fmt: skip
