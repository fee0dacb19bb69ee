"""Any line behind a syslog header that no source knows better: who said it, when, how urgent, and the text.

Source: RFC 5424 and RFC 3164 (priority = facility * 8 + severity). Products whose texts are not public (`docs/sources/`)
arrive so: searchable by host and program, counted, watched for silence, and ready for a declared mapping.
"""

import polars as pl

from collectors import expressions as e
from collectors.shapes import lines
from collectors.source import Raw, Source

_LEVELS = ("emergency", "alert", "critical", "error", "warning", "notice", "informational", "debug")
_FACILITIES = ("kern", "user", "mail", "daemon", "auth", "syslog", "lpr", "news", "uucp", "cron", "authpriv", "ftp",
               "ntp", "security", "console", "clock", *(f"local{n}" for n in range(8)))  # fmt: skip

source = Source(
    name="generic.syslog",
    title={"ja": "syslog 形式(汎用)", "en": "syslog (any product)"},
    shape=lines(r"\S"),
    recognise=(
        r"^<\d{1,3}>|^(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec) [ \d]\d \d\d:\d\d:\d\d "
        r"|^\d{4}-\d\d-\d\dT[\d:.]{8,18}(?:Z|[+-]\d\d:\d\d) [!-~]+ [0-9A-Za-z_./()@\-]{1,64}(?:\[[^\]\s]{0,64}\])?: "
    ),
    leftovers="syslog",
    constants={"event.kind": "event"},
    rename={"text": "message"},
)


@source.derive
def header(raw: Raw) -> dict[str, pl.Expr]:
    """All that the header says. Without one the line is kept with the time of its arrival."""
    pri = pl.col("header.pri")
    sane = pl.when(pri.is_between(0, 191)).then(pri)
    return {
        "@timestamp": e.time_or(pl.col("header.timestamp"), pl.col("received")),
        "host.name": pl.col("header.host"),
        "host.ip": e.ip(pl.col("peer")),
        "process.name": pl.col("header.app"),
        "process.pid": e.whole(pl.col("header.pid")),
        "event.code": pl.col("header.msgid"),
        "log.level": (sane % 8).replace_strict(dict(enumerate(_LEVELS)), return_dtype=pl.String),
        "log.syslog.priority": sane,
        "log.syslog.severity.code": sane % 8,
        "log.syslog.facility.code": sane // 8,
        "log.syslog.facility.name": (sane // 8).replace_strict(
            dict(enumerate(_FACILITIES)), return_dtype=pl.String
        ),
        "syslog.structured_data": pl.col("header.structured"),
    }
