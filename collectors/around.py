"""What stands around a line and says of it what the line does not: when, and on which host.

A container's document has the time at which the line was written (`time` of Docker, `date` of Fluent Bit, seconds since 1970), a
relay's header time and host. Only gaps are filled: what a line says itself stays.
"""

import polars as pl

from collectors import syslog, times
from hinomi import ecs

_TIME, _HOST = "around.timestamp", "around.host"
_TARGETS = {_TIME: "@timestamp", _HOST: "host.name"}
_SAID_AT = ("$.time", "$.date")
NOTHING = pl.DataFrame(schema={"row": pl.UInt32, _TIME: ecs.TIME, _HOST: pl.String})
"""Of lines that came alone."""


def with_document(rows: pl.DataFrame, host: pl.Expr) -> pl.DataFrame:
    """Rows whose `message` is a JSON document, with when it says that its line was written, and on which host."""
    said = pl.coalesce(pl.col("message").str.json_path_match(path) for path in _SAID_AT)
    time = times.parsed(said, (times.ISO, "epoch"), times.zone())
    return rows.with_columns(time.alias(_TIME), host.alias(_HOST))


def with_header(rows: pl.DataFrame) -> pl.DataFrame:
    """Rows behind a syslog header, with its time and host; where it says none, with what they had before."""
    before = {name: [name] if name in rows.columns else [] for name in _TARGETS}
    told = syslog.split(rows).select(
        pl.coalesce("header.timestamp", *before[_TIME]).alias(_TIME),
        pl.coalesce("header.host", *before[_HOST]).alias(_HOST),
    )
    return rows.with_columns(told.get_columns())


def apart(rows: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """The rows without what stands around them, and that: `NOTHING`'s columns."""
    named = [name for name in _TARGETS if name in rows.columns]
    if not named:
        return rows, NOTHING
    return rows.drop(named), rows.select(pl.col("row").cast(pl.UInt32), *named)


def filled(frame: pl.DataFrame, rows: pl.Series, around: pl.DataFrame) -> pl.DataFrame:
    """ECS columns of these rows (UInt32) with `@timestamp` and `host.name` from around where they are empty."""
    if not around.height:
        return frame
    told = rows.alias("row").to_frame().join(around, on="row", how="left", maintain_order="left")
    return frame.with_columns(
        _completed(frame, target, told[name])
        for name, target in _TARGETS.items()
        if told[name].null_count() < len(rows)
    )


def _completed(frame: pl.DataFrame, target: str, other: pl.Series) -> pl.Series:
    if target not in frame.columns:
        return other.alias(target)
    own = frame[target]
    return own.zip_with(own.is_not_null(), other.cast(own.dtype))
