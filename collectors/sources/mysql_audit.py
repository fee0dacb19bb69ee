"""MySQL and MariaDB audit: MariaDB's `server_audit` (file or syslog), MySQL Enterprise Audit as JSON.

Source: MariaDB, "MariaDB Audit Plugin - Log Format" (timestamp, serverhost, username, host, connectionid, queryid, operation,
database, object, retcode) and MySQL, "Audit Log File Formats" (JSON). Times are the server's own, without a zone.
"""

import polars as pl

from collectors import expressions as e
from collectors import times
from collectors.shapes import either, json_fields, patterns
from collectors.source import Raw, Source

_LINE = (
    r"^(?P<clock>\d{8} \d\d:\d\d:\d\d)?,?(?P<server>[^,]*),(?P<user>[^,]*),(?P<host>[^,]*),(?P<connection>\d+),(?P<query_id>\d+),"
    r"(?P<operation>CONNECT|FAILED_CONNECT|DISCONNECT|QUERY|READ|WRITE|CREATE|ALTER|RENAME|DROP|CHANGEUSER|PROXY_CONNECT),"
    r"(?P<database>[^,]*),(?:'(?P<statement>(?:[^'\\]|\\.)*)'?|(?P<object>[^,]*)),(?P<code>\d+)(?:,.*)?$"
)
_JSON = r'"class"\s*:\s*"(?:connection|general|table_access|audit|message)"'

source = Source(
    name="mysql.audit",
    title={"ja": "MySQL・MariaDB(監査ログ)", "en": "MySQL and MariaDB audit log"},
    zone_hint="internal",
    shape=either(_JSON, json_fields(), patterns({"line": _LINE})),
    recognise=rf"{_JSON}.*\"connection_id\"|\d,(?:CONNECT|FAILED_CONNECT|DISCONNECT|QUERY|READ|WRITE|CREATE|ALTER|RENAME|DROP),[^,]*,",
    leftovers="mysql",
    constants={"event.kind": "event", "observer.product": "MySQL"},
    ignore=("clock", "server", "user", "host", "operation", "statement", "text", "pattern", "timestamp", "event", "code",
            "account.user", "account.host", "login.user", "login.ip", "database", "object", "connection"),
)  # fmt: skip
_SIGN_INS = ["connect", "failed_connect", "changeuser", "proxy_connect"]
_TYPES = {
    "read": ("access",), "write": ("change",), "create": ("creation",), "alter": ("change",), "rename": ("change",),
    "drop": ("deletion",), "connect": ("start",), "failed_connect": ("start",), "disconnect": ("end",),
    "changeuser": ("change",),
}  # fmt: skip


@source.derive
def facts(raw: Raw) -> dict[str, pl.Expr]:
    """When, who, from where; which statement on which object."""
    clock = times.parsed(raw["clock"], ["%Y%m%d %H:%M:%S"], times.zone())
    written = times.parsed(raw["timestamp"], [times.ISO], times.zone())
    host = e.present(e.first(raw["host"], raw["login.ip"], raw["account.host"]))
    header = pl.col("header.timestamp") if "header.timestamp" in raw else clock
    return {
        "@timestamp": e.time_or(clock, written, header),
        "host.name": e.present(raw["server"]),
        "user.name": e.present(e.first(raw["user"], raw["account.user"], raw["login.user"])),
        "source.ip": e.ip(host),
        "source.domain": e.not_ip(host),
        "mysql.connection_id": e.first(raw["connection"], raw["connection_id"]),
        "mysql.database": e.present(
            e.first(raw["database"], raw["connection_data.db"], raw["table_access_data.db"])
        ),
        "mysql.object": e.present(e.first(raw["object"], raw["table_access_data.table"])),
        "mysql.statement": e.first(
            raw["statement"], raw["general_data.query"], raw["table_access_data.query"]
        ),
    }


@source.derive
def meaning(raw: Raw) -> dict[str, pl.Expr]:
    """event.*; a return code other than 0 is the number of MySQL's error."""
    verb = e.first(
        raw["operation"].str.to_lowercase(),
        pl.when(raw["class"] == "general").then(pl.lit("query")),
        raw["event"].str.to_lowercase(),
    )
    code = e.first(raw["code"], raw["connection_data.status"], raw["general_data.status"])
    sign_in = verb.is_in(_SIGN_INS)
    return {
        "event.action": verb,
        "event.code": code,
        "event.category": pl.when(sign_in)
        .then(e.texts("database", "authentication"))
        .otherwise(e.texts("database")),
        "event.type": e.first(e.listed(verb, _TYPES), e.texts("info")),
        "event.outcome": pl.when((verb == "failed_connect") | (e.whole(code) != 0))
        .then(pl.lit("failure"))
        .otherwise(pl.lit("success")),
    }
