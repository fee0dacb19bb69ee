"""Syslog headers of a whole frame of lines: RFC 5424, RFC 3164 and what devices really send.

Known forms besides the two RFCs: ISO time stamps as rsyslog writes them, a year after the day or before
the month (Cisco), sequence numbers and clock marks before the time (Cisco IOS), no host, no priority,
a priority and nothing else (FortiGate, ASA), the time of macOS's unified log (`log stream --style syslog`).
Sources: RFC 5424, RFC 3164, Cisco "System Message Logging", rsyslog's RSYSLOG_FileFormat.
"""

from datetime import timedelta

import polars as pl

from collectors import times as clocks
from collectors.zone_words import OFFSETS
from hinomi import ecs

_PRI = r"^<(?P<pri>\d{1,3})>"
_ELEMENT = r'\[[^\]"\\ ]+(?: [^\]"=\\ ]+="(?:[^"\\]|\\.)*")*\]'
_FIELD = r"[!-~]{1,255}"
_RFC5424 = (
    rf"^(?P<all><(?P<pri>\d{{1,3}})>[1-9]\d? (?P<iso>{_FIELD}) (?P<host>{_FIELD}) (?P<app>{_FIELD}) "
    rf"(?P<pid>{_FIELD}) (?P<msgid>{_FIELD}) (?P<structured>-|(?:{_ELEMENT})+)(?: \x{{feff}}?|$))"
)
_MONTH = "Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec"
_MACOS = r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{6}[+-]\d{4}"
_ISO = rf"(?P<iso>\d{{4}}-\d\d-\d\dT\d\d:\d\d:\d\d(?:[.,]\d{{1,9}})?(?:Z|[+-]\d\d:?\d\d)?|{_MACOS})"
_BSD = (
    rf"(?:(?P<year1>\d{{4}}) )?(?P<month>{_MONTH}) +(?P<day>\d{{1,2}}) (?:(?P<year2>\d{{4}}) )?"
    r"(?P<time>\d\d:\d\d:\d\d(?:\.\d{1,9})?)"
)
_HOST = r"(?: +(?P<host>[0-9A-Za-z_.:\-]*[0-9A-Za-z_.\-]))?"
_TAG = r"(?P<app>[0-9A-Za-z_./()@\-]{1,64})(?:\[(?P<pid>[^\]\s]{0,64})\])?:(?: +|$)"
_IOS = r"(?::|\d{1,12}: (?:(?P<device>[0-9A-Za-z_.\-]+): )?)?[*.]?"  # sequence number, host, mark of a clock not set
_RFC3164 = rf"^(?P<all>(?:<(?P<pri>\d{{1,3}})> ?)?{_IOS}(?:{_ISO}|{_BSD}):?{_HOST}(?: *: +| +|$)(?:{_TAG})?)"
_TAG_ONLY = rf"^(?P<all><(?P<pri>\d{{1,3}})> *(?:{_TAG})?)"
_STARTS_WITH_TIME = rf"^(?:<\d{{1,3}}> ?)?{_IOS}(?:\d{{4}}-\d\d-\d\dT|{_MACOS} |(?:\d{{4}} )?(?:{_MONTH}) )"

_LEVEL = r"(?i:emerg|alert|crit|critical|err|error|warn|warning|notice|info|debug|verbose|trivia)"
_INNER = rf"^(?:<\d{{1,3}}>|{_IOS}(?:{_ISO}|{_BSD}):?(?: +[0-9A-Za-z_.:\-]*[0-9A-Za-z_.\-])?(?: *: +%[A-Z]|(?: +{_LEVEL})? +{_TAG}))"
"""What a relay left behind its own header: another with a priority, or one that is whole (time, host, program), or Cisco's."""
_OWN_CLOCK = rf"^\S+ {_LEVEL} "
"""A program's own time and level, which is no header from a host called `info`."""

HEADER: dict[str, pl.DataType] = {
    "header.pri": pl.Int64(),
    "header.timestamp": ecs.TIME,
    "header.host": pl.String(),
    "header.app": pl.String(),
    "header.pid": pl.String(),
    "header.msgid": pl.String(),
    "header.structured": pl.String(),
    "header.offset": pl.String(),
}
"""offset: from UTC as the header's time stamp has it (`Z`, `+09:00`); null where it has none."""
_TEXTS = ("host", "app", "pid", "msgid", "structured")
_MONTH_NUMBERS = {name: f"{number:02d}" for number, name in enumerate(_MONTH.split("|"), 1)}
_AHEAD = timedelta(days=2)  # how far a sender's clock may run ahead before its year must be the last one
_PLACE = "_place"
_RELAYS = 3
"""Headers behind the first one that are taken off."""
_OFFSET = r"(Z|[+-]\d\d:?\d\d)$"


_NAME = r"([0-9A-Za-z_./()@\-]{1,64})"
_PROGRAMS = (
    rf"^(?:<\d{{1,3}}> ?)?(?:(?:{_MONTH}) +\d{{1,2}} (?:\d{{4}} )?[\d:.]{{8,18}}|\d{{4}}-\d\d-\d\dT\S+) [!-~]+ {_NAME}"
    r"(?:\[[^\]\s]{0,64}\])?:(?: |$)",
    rf"^<\d{{1,3}}>[1-9]\d? \S+ \S+ {_NAME} ",
)


def program(message: pl.Expr) -> pl.Expr:
    """The program that a line's own header names, "" where it has none that does: enough to put together lines that are alike,
    at a seventh of what `split` costs."""
    named = pl.coalesce(message.str.extract(form) for form in _PROGRAMS)
    return pl.when(named != "-").then(named).fill_null("")


def split(intake: pl.DataFrame, *, zone: str = "") -> pl.DataFrame:
    """The intake with `header.*` columns (see `HEADER`) and `message` without its header.

    intake: `message` String, `received` Datetime(ns, UTC), any others; same rows in the same order come
    back. zone: of time stamps without an offset ("": the process's own). A year that is not written is the latest that makes no
    time lie more than two days after `received`. A line without a header keeps its message, all nulls.
    A frame that was split before comes back as it is. Of a shipper's JSON document (Filebeat, omelasticsearch)
    the line is what it holds as `message`. Behind a relay's header stands mostly the sender's own: then that counts.
    """
    if "header.pri" in intake.columns:
        return intake
    zone = zone or clocks.zone()
    whole = _once(_unwrapped(intake).with_row_index(_PLACE), zone)
    headed = pl.any_horizontal(pl.col("header.pri").is_not_null(), pl.col("header.timestamp").is_not_null())
    message = pl.col("message")
    relayed = headed & message.str.contains(_INNER) & ~message.str.contains(_OWN_CLOCK)
    for _ in range(_RELAYS):
        inner = whole.filter(relayed.fill_null(False))
        if not inner.height:
            break
        whole = pl.concat([whole.filter(~relayed.fill_null(False)), _relayed(inner, zone)]).sort(_PLACE)
    return whole.drop(_PLACE)


def _relayed(outer: pl.DataFrame, zone: str) -> pl.DataFrame:
    """Lines that a relay passed on with their own header behind its own: theirs says more, the relay's what theirs lacks."""
    relay = outer.select(_PLACE, *(pl.col(name).alias(f"relay.{name}") for name in HEADER))
    found = _once(outer.drop(*HEADER), zone).join(relay, on=_PLACE, how="left", maintain_order="left")
    timed = pl.col("header.timestamp").is_not_null()
    offset = pl.when(timed).then(pl.col("header.offset")).otherwise(pl.col("relay.header.offset"))
    kept = ("header.pri", "header.timestamp", "header.host")
    return found.with_columns(
        offset.alias("header.offset"), *(pl.coalesce(name, f"relay.{name}").alias(name) for name in kept)
    ).select(outer.columns)


def _once(rows: pl.DataFrame, zone: str) -> pl.DataFrame:
    """`split` of one header."""
    message = pl.col("message")
    form = (
        pl.when(message.str.contains(r"^<\d{1,3}>[1-9]\d? "))
        .then(pl.lit(_RFC5424))
        .when(message.str.contains(_STARTS_WITH_TIME))
        .then(pl.lit(_RFC3164))
        .when(message.str.contains(_PRI))
        .then(pl.lit(_TAG_ONLY))
        .otherwise(pl.lit(""))
    )
    parts = []
    for (pattern,), part in rows.group_by(form.alias("form"), maintain_order=True):
        parts.append(_headed(part, str(pattern), zone) if pattern else bare(part))
    if not parts:
        return bare(rows)
    whole = parts[0] if len(parts) == 1 else pl.concat(parts)
    return whole if whole[_PLACE].is_sorted() else whole.sort(_PLACE)


def bare(intake: pl.DataFrame) -> pl.DataFrame:
    """Lines that are taken as they are: all of `header.*` is null."""
    return intake.with_columns(pl.lit(None, dtype=kind).alias(name) for name, kind in HEADER.items())


_BEFORE = rf"^(?:<\d{{1,3}}>|(?:{_ISO}|{_BSD}) \d*[A-Za-z_.:\-][0-9A-Za-z_.:\-]* )"


def behind(intake: pl.DataFrame) -> pl.DataFrame:
    """`split` of lines that need no header (CSV, JSON): the header is taken off where a priority, or a time and a host, tell
    one for sure (a number behind a time is a year). A column of their own that is a time stays."""
    headed = pl.col("message").str.contains(_BEFORE).fill_null(False)
    if "header.pri" in intake.columns or not intake.select(headed.any()).item():
        return intake
    parts = [split(intake.filter(headed)), bare(intake.filter(~headed))]
    return pl.concat(parts).sort("row") if "row" in intake.columns else pl.concat(parts)


def _unwrapped(intake: pl.DataFrame) -> pl.DataFrame:
    """Lines that came inside a JSON document, taken out of it, with a blank for `ecs.BETWEEN`, as `json_text.read` has it."""
    message = pl.col("message")
    document = message.str.starts_with("{")
    if not intake.select(document.any()).item():
        return intake
    inside = pl.when(document).then(message).str.json_path_match("$.message")
    inside = inside.str.replace_all(ecs.BETWEEN, " ", literal=True)
    return intake.with_columns(pl.coalesce(inside, message).alias("message"))


def _headed(part: pl.DataFrame, pattern: str, zone: str) -> pl.DataFrame:
    """The lines of one form. One that began like it but is not of it has its priority taken off, if any."""
    found = part.select(pl.col("message").str.extract_groups(pattern).alias("h")).unnest("h")
    names = found.columns
    if "device" in names:  # Cisco's switches name themselves before their own time
        named = pl.col("device").is_not_null()
        found = found.with_columns(
            pl.when(named).then(pl.col("host")).alias("word"), pl.coalesce("device", "host").alias("host")
        )
    texts = [
        _text(name).alias(f"header.{name}")
        if name in names
        else pl.lit(None, pl.String).alias(f"header.{name}")
        for name in _TEXTS
    ]
    header = found.with_columns(part["received"]).select(
        pl.col("pri").cast(pl.Int64).alias("header.pri"),
        _timestamp(names, zone).alias("header.timestamp"),
        *texts,
        (pl.col("iso").str.extract(_OFFSET) if "iso" in names else pl.lit(None, pl.String)).alias(
            "header.offset"
        ),
        pl.col("all").fill_null("").alias("_all"),
    )
    missed = found["all"].is_null()
    whole = pl.concat([part, header], how="horizontal").with_columns(
        pl.col("message").str.strip_prefix(pl.col("_all"))
    )
    whole = whole.drop("_all").select(*part.columns, *HEADER)
    if pattern == _TAG_ONLY or not missed.any():
        return whole
    return pl.concat([whole.filter(~missed), _only_priority(part.filter(missed), zone)])


def _only_priority(part: pl.DataFrame, zone: str) -> pl.DataFrame:
    with_pri = part["message"].str.contains(_PRI)
    return pl.concat([_headed(part.filter(with_pri), _TAG_ONLY, zone), bare(part.filter(~with_pri))])


def _text(name: str) -> pl.Expr:
    value = pl.col(name)
    return pl.when((value != "-") & (value != "")).then(value)


def _timestamp(names: list[str], zone: str) -> pl.Expr:
    times = []
    if "iso" in names:
        times.append(_iso(zone))
    if "month" in names:
        times.append(_worded(zone) if "device" in names else _bsd(zone))
    return pl.coalesce(times) if times else pl.lit(None, dtype=ecs.TIME)


def _iso(zone: str) -> pl.Expr:
    text = pl.col("iso").str.replace(",", ".", literal=True).str.replace(r"Z$", "+00:00")
    text = text.str.replace(" ", "T", literal=True)
    offset = text.str.contains(r"[+-]\d\d:?\d\d$")
    aware = pl.when(offset).then(text).str.to_datetime("%Y-%m-%dT%H:%M:%S%.f%z", time_unit="ns", strict=False)
    local = pl.when(~offset).then(text).str.to_datetime("%Y-%m-%dT%H:%M:%S%.f", time_unit="ns", strict=False)
    return pl.coalesce(aware.dt.convert_time_zone("UTC"), _zoned(local, zone))


def _worded(zone: str) -> pl.Expr:
    """The time of a switch that wrote its name before the time and a zone word behind it."""
    offset = pl.col("word").replace_strict(OFFSETS, default=None, return_dtype=pl.Int64)
    said = _bsd("UTC") - pl.duration(minutes=offset, time_unit="ns")
    return pl.when(offset.is_not_null()).then(said).otherwise(_bsd(zone))


def _bsd(zone: str) -> pl.Expr:
    given = pl.coalesce("year1", "year2").cast(pl.Int32)
    here = pl.col("received").dt.convert_time_zone(zone).dt.year()
    latest = pl.col("received") + _AHEAD
    candidates = [
        pl.when(time <= latest).then(time)
        for time in (_in_year(here + 1, zone), _in_year(here, zone), _in_year(here - 1, zone))
    ]
    return pl.when(given.is_not_null()).then(_in_year(given, zone)).otherwise(pl.coalesce(candidates))


def _in_year(year: pl.Expr, zone: str) -> pl.Expr:
    month = pl.col("month").replace_strict(_MONTH_NUMBERS, default=None, return_dtype=pl.String)
    text = pl.format("{}-{}-{}T{}", year, month, pl.col("day").str.zfill(2), pl.col("time"))
    return _zoned(text.str.to_datetime("%Y-%m-%dT%H:%M:%S%.f", time_unit="ns", strict=False), zone)


def _zoned(naive: pl.Expr, zone: str) -> pl.Expr:
    return naive.dt.replace_time_zone(zone, ambiguous="earliest", non_existent="null").dt.convert_time_zone(
        "UTC"
    )
