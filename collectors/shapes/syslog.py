"""Syslog headers split off, vectorised: RFC 5424, RFC 3164 (BSD), and ISO times as rsyslog writes them.

A line without a header passes unchanged. RFC 3164 has neither year nor zone: the year is the one that puts
the line closest before its arrival, the zone is the city's.
"""

import polars as pl

from hinomi.ecs import TIME

ZONE = "Asia/Tokyo"
HEADER = ("timestamp", "host", "app", "pid", "priority", "structured")

_PRI = r"(?:<(?P<priority>\d{1,3})>)?"
_RFC5424 = (
    r"^(?P<all><(?P<priority>\d{1,3})>1 (?P<time>\S+) (?P<host>\S+) (?P<app>\S+) (?P<pid>\S+) \S+ "
    r'(?P<structured>-|(?:\[(?:[^\]\\"]|\\.|"(?:[^"\\]|\\.)*")*\])+) ?\x{feff}?)'
)
_BSD_TIME = r"[A-Z][a-z]{2} +\d{1,2}(?: +\d{4})? \d\d:\d\d:\d\d(?:\.\d+)?(?: +\d{4}\b)?(?: [A-Z]{3,4}\b)?"
_ISO_TIME = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:[.,]\d+)?(?:Z|[+-]\d\d:?\d\d)?"
_TIMED = (
    rf"^(?P<all>{_PRI}(?:(?P<bsd>{_BSD_TIME})|(?P<iso>{_ISO_TIME})):?\s+"
    r"(?:(?P<host>[A-Za-z0-9][A-Za-z0-9_.:\-]*[A-Za-z0-9_\-]|[A-Za-z0-9])\s+:?\s*)?"
    r"(?:(?P<app>[A-Za-z][A-Za-z0-9_./()\-]*)(?:\[(?P<pid>\d+)\])?:(?:\s|$))?)"
)
_PRIORITY = r"^(?P<all><(?P<priority>\d{1,3})>)"


def split(intake: pl.DataFrame, zone: str = ZONE) -> pl.DataFrame:
    """The frame with `header.timestamp/host/app/pid/priority/structured` and the rest in `message`.

    header.timestamp is Datetime(ns, UTC), the others text, null where the line has none. A frame whose
    header was split already comes back as it is.
    """
    if "header.timestamp" in intake.columns:
        return intake
    text = pl.col("message")
    patterns = {"_new": _RFC5424, "_timed": _TIMED, "_bare": _PRIORITY}
    frame = intake.with_columns(
        text.str.extract_groups(regex).alias(name) for name, regex in patterns.items()
    )
    new, timed, bare = (pl.col(name).struct for name in ("_new", "_timed", "_bare"))
    head = pl.coalesce(new.field("all"), timed.field("all"), bare.field("all"))
    columns = {
        "timestamp": pl.coalesce(
            _iso(new.field("time"), zone), _iso(timed.field("iso"), zone), _bsd(timed.field("bsd"), zone)
        ),
        "host": _value(pl.coalesce(new.field("host"), timed.field("host"))),
        "app": _value(pl.coalesce(new.field("app"), timed.field("app"))),
        "pid": _value(pl.coalesce(new.field("pid"), timed.field("pid"))),
        "priority": pl.coalesce(new.field("priority"), timed.field("priority"), bare.field("priority")),
        "structured": _value(new.field("structured")),
    }
    rest = text.str.strip_prefix(head.fill_null("")).alias("message")
    named = [expr.alias(f"header.{name}") for name, expr in columns.items()]
    return frame.with_columns(*named, rest).drop("_new", "_timed", "_bare")


def _value(text: pl.Expr) -> pl.Expr:
    return pl.when(~text.is_in(["-", ""])).then(text)


def _iso(text: pl.Expr, zone: str) -> pl.Expr:
    """RFC 3339 and near forms; a time without zone is the city's."""
    plain = text.str.replace(",", ".", literal=True).str.replace(r"Z$", "+00:00")
    zoned = plain.str.to_datetime("%Y-%m-%dT%H:%M:%S%.f%#z", time_zone="UTC", time_unit="ns", strict=False)
    naive = plain.str.to_datetime("%Y-%m-%dT%H:%M:%S%.f", time_unit="ns", strict=False)
    return pl.coalesce(zoned, local(naive, zone)).cast(TIME)


def local(naive: pl.Expr, zone: str = ZONE) -> pl.Expr:
    """A naive local time as Datetime(ns, UTC)."""
    zoned = naive.dt.replace_time_zone(zone, ambiguous="earliest", non_existent="null")
    return zoned.dt.convert_time_zone("UTC")


def _bsd(text: pl.Expr, zone: str) -> pl.Expr:
    """`Nov 20 03:14:05`, with or without a year in the middle or behind."""
    month, day, clock = (
        text.str.extract(r"^([A-Z][a-z]{2}) +(\d{1,2}).*?(\d\d:\d\d:\d\d(?:\.\d+)?)", group)
        for group in (1, 2, 3)
    )
    written = text.str.extract(r" (\d{4})\b")
    arrived = pl.col("received").dt.convert_time_zone(zone)
    late = pl.col("received") + pl.duration(days=1)

    def at(year: pl.Expr) -> pl.Expr:
        full = pl.concat_str([year, month, day, clock], separator=" ")
        return local(full.str.to_datetime("%Y %b %d %H:%M:%S%.f", time_unit="ns", strict=False), zone)

    this, before = at(arrived.dt.year().cast(pl.String)), at((arrived.dt.year() - 1).cast(pl.String))
    guessed = pl.when(this <= late).then(this).otherwise(before)
    return pl.when(written.is_not_null()).then(at(written)).otherwise(guessed)
