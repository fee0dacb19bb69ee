"""Flow records as lines of plain `key=value` pairs, which is written and read a column at a time."""

from collections.abc import Mapping

import polars as pl

_UNWRITABLE = r'["\\\x00-\x1f\x7f]'


def of_frame(frame: pl.DataFrame) -> list[bytes]:
    """A line a row: each column that is not null, in order. Characters that a quoted value cannot hold become `?`."""
    pairs = [pl.concat_str([pl.lit(f"{name}="), _value(name, kind)]) for name, kind in frame.schema.items()]
    joined = pl.concat_str(pairs, separator=" ", ignore_nulls=True).cast(pl.Binary)
    return frame.select(joined)[:, 0].to_list()


def of_mapping(record: Mapping[str, object]) -> bytes:
    """The same of one record whose values hold no blanks."""
    return " ".join(f"{name}={value}" for name, value in record.items()).encode()


def _value(name: str, kind: pl.DataType) -> pl.Expr:
    if kind != pl.String:
        return pl.col(name).cast(pl.String)
    text = pl.col(name).str.replace_all(_UNWRITABLE, "?")
    return (
        pl.when(text.str.contains(r"[^!-~]"))
        .then(pl.concat_str([pl.lit('"'), text, pl.lit('"')]))
        .otherwise(text)
    )
