"""Times as products write them, vectorised: ISO 8601, seconds since 1970, Japanese dates, strptime patterns.

Japanese forms: `2026/11/20 3時14分`, `2026年11月20日(金) 午後3時14分05秒`, `令和8年11月20日`,
`R8.11.20 03:14`, `㋿8年11月20日`, with half- or full-width signs; also fourteen digits (`20261120031405`), thousandths behind a
comma, `JST` behind the time, and 24:00, which is the midnight after. Eras: the cabinet's ordinances on the names of eras
(昭和 from 1926, 平成 from 1989, 令和 from 2019; 元年 is the first year). A date alone is its midnight.
午前12時 is midnight and 午後12時 noon, as clocks with two halves show it.
"""

import re
from collections.abc import Sequence
from datetime import UTC, datetime
from zoneinfo import available_timezones

import polars as pl

from hinomi.ecs import TIME

ZONE = "Asia/Tokyo"
"""The zone of times that name none, where nothing else is said."""
_in_use = ZONE


def zone() -> str:
    """The zone in which this process reads times that name none."""
    return _in_use


def use(name: str) -> None:
    """Read them in this zone from now on. Raises ValueError for a zone that there is not."""
    global _in_use
    check(name)
    _in_use = name


def check(name: str) -> None:
    """Raises ValueError for a zone that there is not."""
    if name not in available_timezones():
        raise ValueError(
            f"時間帯「{name}」はありません(例: Asia/Tokyo)。|there is no time zone {name}, such as Asia/Tokyo"
        )


JAPANESE = "japanese"
ISO = "iso8601"
EPOCHS = {"epoch": 1, "epoch_ms": 10**3, "epoch_us": 10**6, "epoch_ns": 10**9}
NAMED = (JAPANESE, ISO, *EPOCHS)

_ERAS = {"昭和": 1925, "平成": 1988, "令和": 2018, "S": 1925, "H": 1988, "R": 2018}
_WIDE = {chr(ord(narrow) + 0xFEE0): narrow for narrow in "0123456789:/.,-()RHSTAMPJ"}
_WIDE |= {"\u3000": " ", "㋿": "令和", "㍻": "平成", "㍼": "昭和"}
_DIGITS_ALONE = r"^(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)$"
_JST = r"\s*\(?JST\)?$"
_FORM = (
    r"^\s*(昭和|平成|令和|[SHR])?\s?(\d{1,4}|元)\s?[年/.\-]\s?(\d{1,2})\s?[月/.\-]\s?(\d{1,2})\s?日?"
    r"(?:\s?\([日月火水木金土祝・]+\))?"
    r"(?:[\sT]*(午前|午後|AM|PM)?\s?(\d{1,2})\s?[時:]\s?(?:(\d{1,2})\s?分?(?:\s?:?\s?(\d{1,2}(?:[.,]\d{1,9})?)\s?秒?)?)?)?\s*$"
)
_YEARS = (1900, 2200)
_SAMPLE = datetime(2026, 11, 20, 3, 14, 5, tzinfo=UTC)
_EPOCH_ABOUT = (10**8, 10**10)  # seconds of 1973 to 2286: other numbers are no times


def parsed(text: pl.Expr, formats: Sequence[str], zone: str) -> pl.Expr:
    """Datetime(ns, UTC) of a text column, by the first format that fits; null where none does.

    formats: entries of `NAMED` or strptime patterns; zone: of times that name none.
    """
    forms = tuple(formats)
    return text.map_batches(lambda series: _read(series, forms, zone), return_dtype=TIME, is_elementwise=True)


def _read(text: pl.Series, formats: Sequence[str], zone: str) -> pl.Series:
    """The times of a column. Each step is done once, and a later format only where an earlier one left gaps."""
    written = text.cast(pl.String).str.strip_chars().rename("text").to_frame()
    found = pl.Series("time", [None] * len(text), dtype=TIME)
    for form in formats:
        wanted = found.is_null() & written["text"].is_not_null()
        if not wanted.any():
            break
        stamps = _groups(written) if form == JAPANESE else written
        read = stamps.select(_by(form, zone).alias("time")).select(kept(pl.col("time")))["time"]
        found = read if found.null_count() == len(found) else found.zip_with(found.is_not_null(), read)
    return found.rename(text.name)


def kept(stamp: pl.Expr) -> pl.Expr:
    """The time where nanoseconds since 1970 can hold it; beyond, Polars would count from the other end."""
    return pl.when(stamp.dt.year().is_between(*_YEARS)).then(stamp).cast(TIME)


def flaw(pattern: str) -> str | None:
    """Why a format cannot be used, in English; None when it can."""
    if pattern in NAMED:
        return None
    if "%" not in pattern:
        return f"neither one of {', '.join(NAMED)} nor a strptime pattern"
    plain = _python(pattern)
    try:
        datetime.strptime(_SAMPLE.strftime(plain), plain).replace(tzinfo=UTC)
    except ValueError as error:
        return str(error)
    return None


def _python(pattern: str) -> str:
    """The pattern in Python's directives, to check it: chrono's `%.f`, `%3f`, `%T`, `%F` are not Python's."""
    plain = re.sub(r"%\.?[369]?f", "%f", pattern)
    return plain.replace("%T", "%H:%M:%S").replace("%F", "%Y-%m-%d").replace("%:z", "%z").replace("%e", "%d")


def _by(form: str, zone: str) -> pl.Expr:
    """The times of the column `text` by one format; `japanese` reads the columns of `_groups`."""
    text = pl.col("text")
    if form == JAPANESE:
        stamp = _japanese()
        return pl.when(pl.col("jst")).then(local(stamp, ZONE)).otherwise(local(stamp, zone))
    if form == ISO:
        return iso(text, zone)
    if form in EPOCHS:
        return _epoch(text, EPOCHS[form])
    if form.startswith("%a "):  # The date says it, too; a weekday that contradicts it must not cost the time.
        text, form = text.str.replace(r"^[A-Za-z]{3,9},? ", ""), form.removeprefix("%a ")
    if re.search(r"%[:#]?z", form):
        return text.str.to_datetime(form, time_unit="us", time_zone="UTC", strict=False)
    if not re.search(r"%[HIkslT]", form):
        return local(text.str.to_date(form, strict=False).cast(pl.Datetime("us")), zone)
    return local(text.str.to_datetime(form, time_unit="us", strict=False), zone)


def iso(text: pl.Expr, zone: str) -> pl.Expr:
    """RFC 3339 and near forms (`T` or blank, comma or point, no zone)."""
    plain = text.str.replace(r"^(\d{4}-\d\d-\d\d)[ T]", "${1}T").str.replace(",", ".", literal=True)
    offset = plain.str.replace(r"\s?[zZ]$", "+00:00")
    zoned = offset.str.to_datetime("%Y-%m-%dT%H:%M:%S%.f%#z", time_unit="us", time_zone="UTC", strict=False)
    naive = plain.str.to_datetime("%Y-%m-%dT%H:%M:%S%.f", time_unit="us", strict=False)
    return pl.coalesce(zoned, local(naive, zone))


def local(naive: pl.Expr, zone: str) -> pl.Expr:
    """A naive local time as Datetime(ns, UTC); null for a time that the zone skipped."""
    zoned = naive.dt.replace_time_zone(zone, ambiguous="earliest", non_existent="null")
    return zoned.dt.convert_time_zone("UTC")


def _epoch(text: pl.Expr, per_second: int) -> pl.Expr:
    count = text.cast(pl.Decimal(38, 9), strict=False)
    low, high = (bound * per_second for bound in _EPOCH_ABOUT)
    sane = pl.when(count.is_between(low, high)).then(count)  # before the product, which could overflow
    nanoseconds = (sane * (10**9 // per_second)).cast(pl.Int64, strict=False)
    stamp = pl.from_epoch(nanoseconds, time_unit="ns")
    return stamp.dt.replace_time_zone("UTC")


_PARTS = ("era", "year", "month", "day", "half", "hour", "minute", "second")


def _groups(written: pl.DataFrame) -> pl.DataFrame:
    """The parts of Japanese times as columns."""
    narrow = pl.col("text").str.replace_many(list(_WIDE), list(_WIDE.values()))
    jst = narrow.str.contains(_JST).fill_null(False)
    bare = narrow.str.replace(_JST, "").str.replace(_DIGITS_ALONE, "${1}/${2}/${3} ${4}:${5}:${6}")
    parts = bare.str.extract_groups(_FORM).struct.rename_fields(_PARTS)
    return written.select(parts.alias("parts"), jst.alias("jst")).unnest("parts")


def _japanese() -> pl.Expr:
    era, year, month, day, half, hour, minute, second = map(pl.col, _PARTS)
    since = era.replace_strict(_ERAS, default=0, return_dtype=pl.Int64)
    full = pl.when(year == "元").then(1).otherwise(year.cast(pl.Int64, strict=False)) + since.fill_null(0)
    twelve = hour.cast(pl.Int64, strict=False)
    after = half.is_in(["午後", "PM"])
    shown = (
        pl.when(after & (twelve < 12))
        .then(twelve + 12)
        .when(half.is_in(["午前", "AM"]) & (twelve == 12))
        .then(0)
        .otherwise(twelve)
    )
    minutes, seconds = minute.fill_null("0"), second.str.replace(",", ".", literal=True)
    midnight = half.is_null() & (twelve == 24) & (minutes.cast(pl.Int64, strict=False) == 0)
    midnight &= seconds.fill_null("0").str.contains(r"^0+(?:\.0*)?$")
    stamp = pl.format(
        "{}-{}-{}T{}:{}:{}",
        full.cast(pl.String).str.zfill(4),
        month.str.zfill(2),
        day.str.zfill(2),
        pl.when(midnight).then(0).otherwise(shown).fill_null(0).cast(pl.String).str.zfill(2),
        minutes.str.zfill(2),
        pl.when(seconds.str.contains(r"^\d(?:\.|$)")).then("0" + seconds).otherwise(seconds).fill_null("00"),
    )
    sane = pl.when(full.is_between(*_YEARS)).then(stamp)
    read = sane.str.to_datetime("%Y-%m-%dT%H:%M:%S%.f", time_unit="us", strict=False)
    return pl.when(midnight).then(read.dt.offset_by("1d")).otherwise(read)
