r"""Kaspersky Endpoint Security: events of its components as text, one `Name: value` a line.

Source: Kaspersky, "Kaspersky Endpoint Security for Windows: event texts", as Security Center forwards them to syslog (lines
parted by CR LF, some senders write `\r\n` in letters). Paths and names stand together (`Object`) or apart.
"""

import polars as pl

from collectors import expressions as e
from collectors.shapes import lines
from collectors.source import Raw, Source

source = Source(
    name="kaspersky.endpoint",
    title={"ja": "Kaspersky Endpoint Security", "en": "Kaspersky Endpoint Security"},
    zone_hint="internal",
    shape=lines(r"(?:^|\\r\\n|\n)\s*Result description: "),
    recognise=r"(?:^|\\r\\n|\n|[\s:])Result description: (?:Detected|Deleted|Blocked|Disinfected|Not processed|Allowed|Terminated|Moved)",
    constants={"observer.vendor": "Kaspersky", "observer.product": "Endpoint Security"},
    rename={"text": "message"},
)


def _said(name: str) -> pl.Expr:
    """The value behind a name, up to the line's end."""
    text = pl.col("text").str.replace_all(r"\\r\\n|\r\n", "\n")
    return e.present(text.str.extract(rf"(?m)^\s*{name}: *(.*?)\s*$"))


def _joined(folder: pl.Expr, name: pl.Expr) -> pl.Expr:
    return pl.concat_str(folder.str.strip_chars_end("\\"), name, separator="\\")


@source.derive
def event(raw: Raw) -> dict[str, pl.Expr]:
    """What was found where, who was signed in, what was done."""
    raw["text"]
    result, found, reason = _said("Result description"), _said("Name"), _said("Reason")
    whole = _said("Object")
    path = e.first(whole, _joined(_said("Path to object"), _said("Object name")), _said("Object name"))
    program = _joined(_said("Application path"), found)
    user = _said("User").str.replace(r" \(.*\)$", "").str.extract_groups(r"^(?:(.*)\\)?([^\\]+)$").struct
    malware = _said("Type").is_not_null()
    stopped = result.str.contains("(?i)deleted|blocked|disinfected|terminated|moved")
    return {
        "@timestamp": e.time_or(pl.col("header.timestamp")),
        "host.name": pl.col("header.host"),
        "event.kind": pl.when(malware).then(pl.lit("alert")).otherwise(pl.lit("event")),
        "event.action": result,
        "event.reason": e.first(reason, _said("Event type")),
        "event.provider": _said("Component"),
        "event.category": pl.when(malware).then(e.texts("malware")).otherwise(e.texts("process")),
        "event.type": pl.when(stopped).then(e.texts("info", "denied")).otherwise(e.texts("info")),
        "rule.name": pl.when(malware).then(found),
        "threat.software.name": pl.when(malware).then(found),
        "file.path": path.str.extract(r"^(.*[\\/].*)$"),
        "file.name": path.str.extract(r"([^\\/]+)$"),
        "file.hash.md5": _said("MD5"),
        "file.hash.sha256": _said("SHA256"),
        "process.executable": program,
        "process.name": pl.when(program.is_not_null()).then(found),
        "process.pid": e.whole(_said("Process ID")),
        "user.name": user.field("2"),
        "user.domain": user.field("1"),
    }
