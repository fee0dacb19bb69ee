"""The unit of flow: many events of one dataset as a frame of dotted ECS columns."""

from dataclasses import dataclass
from datetime import datetime

import polars as pl

from hinomi import ecs

REQUIRED: dict[str, pl.DataType] = {
    "@timestamp": ecs.TIME,
    "event.id": pl.String(),
    "event.original": pl.String(),
    "event.ingested": ecs.TIME,
    "event.dataset": pl.String(),
    "event.kind": pl.String(),
}

_NUL = "\u2400"
"""The sign for NUL, in its place."""
PLACE = ("__hinomi_file", "file_row_number")
"""Where a row is, as DuckDB tells it beside an event's columns: the first name is ours, the second its own."""
SIGNALS = "hinomi.signal"
DEAD_LETTERS = "hinomi.dead_letter"


@dataclass(frozen=True, slots=True)
class Batch:
    """Events of one dataset.

    dataset: the source's name, such as `fortinet.fortigate`; frame: one row an event, columns as
    `hinomi.ecs` types them; origin: the configured source that they came from, for health and counts.
    """

    dataset: str
    frame: pl.DataFrame
    origin: str = ""

    @classmethod
    def of(cls, dataset: str, frame: pl.DataFrame, *, origin: str = "", ingested: datetime) -> "Batch":
        """A batch with every required column present and every column in its type.

        `event.id` must be there already (ids come from positions, see `hinomi.identity`). A missing
        or unreadable `@timestamp` is filled with `ingested`, and said so in `event.reason` only by sources.
        """
        stamp = pl.lit(ingested).cast(ecs.TIME)
        defaults: dict[str, pl.Expr] = {
            "event.original": pl.lit(None, dtype=pl.String),
            "event.ingested": stamp,
            "event.dataset": pl.lit(dataset),
            "event.kind": pl.lit("event"),
            "@timestamp": stamp,
        }
        missing = [value.alias(name) for name, value in defaults.items() if name not in frame.columns]
        full = spelled_all(ecs.conform(frame.with_columns(missing) if missing else frame))
        full = full.with_columns(
            pl.col("@timestamp").fill_null(stamp), pl.col("event.kind").fill_null("event")
        )
        return cls(dataset, full, origin)

    def __len__(self) -> int:
        return self.frame.height

    def kinds(self) -> dict[str, str]:
        """Column → kind of value as `Events.fields` names them: keyword, long, float, boolean, date, or a list: long[]."""
        return {name: _kind(dtype) for name, dtype in self.frame.schema.items()}


def spelled(name: str) -> str:
    """The name, or what stands for one that DuckDB takes for another: it reads a name up to a NUL (JSON can write that), so that
    two fields of a record become one, and has two columns of its own, `PLACE`. No page could be made that shows such a record."""
    plain = name.replace("\0", _NUL)
    return plain + _NUL if plain.lower() in PLACE else plain


def spelled_all(frame: pl.DataFrame) -> pl.DataFrame:
    """The same columns, each with its name as it is `spelled`."""
    taken = set(frame.columns)
    names = {name: untaken(new, taken) for name in frame.columns if (new := spelled(name)) != name}
    return frame.rename(names) if names else frame


def untaken(name: str, taken: set[str]) -> str:
    """The name, or one made of it that is not taken yet; it is then."""
    while name in taken:
        name += _NUL
    taken.add(name)
    return name


def _kind(dtype: pl.DataType) -> str:
    if isinstance(dtype, pl.List):
        inner = dtype.inner
        assert isinstance(inner, pl.DataType)
        return f"{_kind(inner)}[]"
    if isinstance(dtype, pl.Datetime):
        return "date"
    if dtype == pl.Boolean:
        return "boolean"
    if dtype.is_integer():
        return "long"
    return "float" if dtype.is_float() else "keyword"
