"""A line as its product wrote it, out of what stands around it: line ends, counts, a container's clock, a shipper's JSON document.

What shippers write was read in Docker's pages on its json-file and fluentd logging drivers, Grafana's on the form of container
runtimes (CRI), fluent-plugin-parser-cri's, and in Filebeat's documents.
"""

from collections.abc import Callable, Iterator

import polars as pl

from collectors import around
from hinomi import ecs

LONGEST_TEXT = 100_000
"""Characters of a line of text that are read for fields: no product writes longer ones, and a sender who does buys
no more than a tenth of a second of the tower's time. `event.original` keeps the whole line."""


def too_long(line: pl.Expr) -> pl.Expr:
    """Whether a line is longer than what is read of it. Documents (JSON) are read whole: half of one is none."""
    document = line.str.head(_ENVELOPE).str.contains("{", literal=True) & line.str.contains(r"\}\]?\s{0,9}$")
    return (line.str.len_bytes() > LONGEST_TEXT) & ~document.fill_null(False)


_ENVELOPE = 1_000
"""Characters within which a document begins, behind a syslog header or what a shipper writes."""


def cut(lines: pl.Series) -> pl.Series:
    """Which of the lines are too long (Boolean); what they hold is looked at only where any is long at all."""
    if (lines.str.len_bytes().max() or 0) <= LONGEST_TEXT:  # type: ignore[operator]
        return pl.repeat(False, lines.len(), eager=True)
    return lines.to_frame().select(too_long(pl.col(lines.name)).fill_null(False)).to_series()


_BEFORE = r"^(?:[1-9]\d{0,5} (?P<line><\d{1,3}>)|\d{4}-\d\d-\d\dT[\d:.]{8,18}(?:Z|[+-]\d\d:\d\d) std(?:out|err) [FP] )"
"""A count of octets (RFC 6587) that a relay or a file kept; a container runtime's time, stream and mark of a full or parted line."""


def without_surroundings(rows: pl.DataFrame) -> pl.DataFrame:
    """The intake without what files and relays leave around a line (a byte order mark, line ends, NUL, blanks, a count), and with
    a blank for `ecs.BETWEEN`: no sender parts a text into several values by it (JSON's escape of it: `json_text.read`)."""
    line = pl.col("message").str.replace_all(ecs.BETWEEN, " ", literal=True)
    line = line.str.strip_chars_start("\ufeff \t").str.strip_chars_end("\r\n\0 ")
    bare = _unescaped(rows.with_columns(line.alias("message")))
    if not bare.select(pl.col("message").str.contains(_BEFORE).any()).item():
        return bare
    return bare.with_columns(pl.col("message").str.replace(_BEFORE, "${line}"))


_BARE_QUOTE = r'(?:^|[^\\])"'


def _unescaped(rows: pl.DataFrame) -> pl.DataFrame:
    """Lines that somebody's JSON had as text, as they were: a JSON string, or a text of which every quotation mark is escaped."""
    line = pl.col("message")
    string = line.str.contains(r'^"(?:[^"\\]|\\.)*"$')
    escaped = line.str.contains('\\"', literal=True) & ~line.str.contains(_BARE_QUOTE)
    if not rows.select((string | escaped).any()).item():
        return rows
    read = pl.concat_str(pl.lit('{"line":'), line, pl.lit("}")).str.json_path_match("$.line")
    read = read.str.replace_all(ecs.BETWEEN, " ", literal=True).str.strip_chars_end("\r\n\0 ")
    whole = (
        pl.when(string)
        .then(pl.coalesce(read, line))
        .when(escaped)
        .then(line.str.replace_all('\\"', '"', literal=True))
        .otherwise(line)
    )
    return rows.with_columns(whole.alias("message"))


_FILEBEAT = '"filebeat"'
"""In every document of Filebeat (`agent.type`, `@metadata.beat`)."""
_TEXT = r'"(?:[^"\\]|\\.)*"'
_CONTAINERS = rf'"(?:stream|time|date|attrs|_p|logtag|container_id|container_name|source)"\s*:\s*(?:{_TEXT}|[\d.]+|\{{[^{{}}]*\}})\s*'
_NOTHING_ELSE = (
    rf'^\{{\s*(?:{_CONTAINERS},\s*)*"(?:message|log)"\s*:\s*{_TEXT}\s*'
    rf'(?:,\s*{_CONTAINERS})*(?:,\s*"kubernetes"\s*:\s*\{{.*)?\}}$'
)
_LONE = rf'^\{{\s*"(?:message|log)"\s*:\s*{_TEXT}\s*\}}$'
_OF_A_CONTAINER = r'"(?:stream|attrs|_p|logtag|container_id|container_name|kubernetes)"\s*:'
"""A document that says a line and nothing else, or at most of which container: Docker's, Fluentd's and Fluent Bit's. A program's
own has a time or a source beside its `message`, too: that is none of a container."""
_AROUND_EVENT = rf'(?:"(?:time|host|source|sourcetype|index)"\s*:\s*(?:{_TEXT}|[\d.]+|null)|"fields"\s*:\s*\{{[^{{}}]*\}})\s*'
_EVENT_TEXT = rf'^\{{\s*(?:{_AROUND_EVENT},\s*)*"event"\s*:\s*{_TEXT}\s*(?:,\s*{_AROUND_EVENT})*\}}$'
_SPLUNKS = r'"(?:sourcetype|index)"\s*:'
"""What is sent to Splunk's HTTP Event Collector with a text for its event (Splunk, "Format events for HTTP Event Collector"). A
program's own document has an `event` that is a text, too, and no `sourcetype` or `index` beside it, or other names."""
_LINES = ("$.event.original", "$.message")
"""Where shippers keep the line, opened before the document is read: ECS's own place, Filebeat and Logstash. Docker and Fluent
Bit have it in `log`, which is an object in ECS."""
_EXPORTED = ("$.result._raw", "$._raw")
"""The line in Splunk's exports."""
_RECORDS = ("log", "result", "_source", "data", "event")
"""Objects that are a record: what Fluent Bit took apart (`log`), in Splunk's exports (`result`) and what is sent to it (`event`),
a hit of Elasticsearch (`_source`), CloudEvents (`data`). Texts of these names are not opened: anybody's document has such, with
what a visitor typed."""
NAMES = frozenset(path.split(".")[1] for path in (*_LINES, *_EXPORTED)) | {*_RECORDS}
"""Names below which a document may carry a line or a record."""


def _line(document: pl.Expr) -> pl.Expr:
    """The line that a shipper's document carries."""
    texts = [document.str.json_path_match(path) for path in _LINES]
    log = pl.when(~_has_object(document, "log")).then(document.str.json_path_match("$.log"))
    sent = pl.when(of_event_collector(document)).then(document.str.json_path_match("$.event"))
    return pl.coalesce(*texts, log, sent)


def of_event_collector(document: pl.Expr) -> pl.Expr:
    """Whether a document is what is sent to Splunk's HTTP Event Collector around a text."""
    return document.str.contains(_EVENT_TEXT) & document.str.contains(_SPLUNKS)


def _record(document: pl.Expr) -> pl.Expr:
    """The record, or the line, that an export carries."""
    lines = [document.str.json_path_match(path) for path in _EXPORTED]
    objects = [
        pl.when(_has_object(document, name)).then(document.str.json_path_match(f"$.{name}"))
        for name in _RECORDS
    ]
    return pl.coalesce(*lines, *objects)


def _has_object(document: pl.Expr, name: str) -> pl.Expr:
    """Whether an object stands below this name. Inside a text no quotation mark follows a brace or a comma: JSON escapes it."""
    return document.str.contains(rf'[{{,]\s*"{name}"\s*:\s*\{{')


def first_carried(rows: pl.DataFrame) -> pl.DataFrame:
    """The lines in the documents that are to be opened before they are read: no product's own, or one that any source of JSON
    would take for its own."""
    line = pl.col("message")
    filebeat, lone = line.str.contains(_FILEBEAT, literal=True), line.str.contains(_LONE)
    # In steps: where a document begins tells of nearly all that they are none, what stands somewhere in it costs a search.
    begun = rows.filter(line.str.starts_with("{")).filter(
        filebeat | line.str.contains(_NOTHING_ELSE) | lone | line.str.contains(_EVENT_TEXT)
    )
    ours = filebeat | line.str.contains(_OF_A_CONTAINER) | lone | of_event_collector(line)
    return _opened(begun.filter(ours), _line)


def _opened(rows: pl.DataFrame, carried: Callable[[pl.Expr], pl.Expr]) -> pl.DataFrame:
    """Of these rows, JSON documents as what they carry: what Filebeat or Docker writes around another product's record, with
    the time that the document says (`around`)."""
    documents = rows.filter(pl.col("message").str.starts_with("{"))
    if not documents.height:
        return documents
    inside = carried(pl.col("message")).alias("message")
    sender = pl.when(of_event_collector(pl.col("message"))).then(
        pl.col("message").str.json_path_match("$.host")
    )
    opened = around.with_document(documents, sender).with_columns(inside)
    return without_surroundings(opened.drop_nulls("message"))


_CLOCK = r"(?:[A-Z][a-z]{2} +\d{1,2} (?:\d{4} )?\d\d:\d\d:\d\d|\d{4}-\d\d-\d\dT[\d:.]{8,18}(?:Z|[+-]\d\d:\d\d)) [^ ]+ "
_RELAY = rf"^(?:<\d{{1,3}}>(?:1 (?:[^ ]+ ){{5}}(?:-|(?:\[[^\]]*\])+) |{_CLOCK}| )?|{_CLOCK})\x{{feff}}?"
_RELAYS = 2


def otherwise(rows: pl.DataFrame) -> Iterator[pl.DataFrame]:
    """Lines that were not understood, in the other ways in which they may be read: as what a document carries, and
    without a relay's header, which takes a line's own first word for the name of a program (`fatal: `, `INFO: `). The header's
    time and host stay known (`around`)."""
    if not rows.height:
        return
    lines = _opened(rows, _line)
    yield lines
    records = _opened(rows, _record)
    yield records
    rest = pl.concat([lines, records, rows], how="diagonal").unique("row", keep="first", maintain_order=True)
    for _ in range(_RELAYS):
        headed = rest.filter(pl.col("message").str.contains(_RELAY))
        if not headed.height:
            return
        rest = around.with_header(headed).with_columns(pl.col("message").str.replace(_RELAY, ""))
        yield rest


def within_reach(rows: pl.DataFrame) -> pl.DataFrame:
    """The intake with only the beginning of lines that are too long."""
    longer = cut(rows["message"])
    if not longer.any():
        return rows
    line = pl.col("message")
    return rows.with_columns(
        pl.when(longer).then(line.str.head(LONGEST_TEXT)).otherwise(line).alias("message")
    )
