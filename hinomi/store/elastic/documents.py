"""Batches as documents, and documents as rows and frames."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import polars as pl
import polars.selectors as cs

from hinomi import ecs
from hinomi.batch import Batch
from hinomi.store.elastic import schema
from hinomi.store.elastic.bulk import Item

_EARLIEST = datetime(1970, 1, 1, tzinfo=UTC)
_SLICE = 2_000
_FORM = "%Y-%m-%dT%H:%M:%S%.9fZ"


def items(batch: Batch, namespace: str) -> Iterator[Item]:
    """A document an event: flat dotted names, nulls left out, times with nanoseconds. Made a slice at a time."""
    for start in range(0, len(batch), _SLICE):
        part = Batch(batch.dataset, batch.frame.slice(start, _SLICE), batch.origin)
        ids = part.frame["event.id"].to_list()
        yield from map(Item, _indices(part, namespace), ids, _bodies(part.frame).to_list())


def _bodies(frame: pl.DataFrame) -> pl.Series:
    """Each row as JSON in UTF-8: as text Python would read it over, only to write it as bytes again. The columns that every
    row has become one text; each other column becomes `"name":value`, and those without a value drop out. No row passes
    through Python: four times as fast as a dict an event."""
    said = frame.select(_value(name, dtype) for name, dtype in frame.schema.items())
    several = ecs.parted(said)
    full = [column.name for column in said if not column.null_count() and column.name not in several]
    some = [column.name for column in said if 0 < column.null_count() < said.height]
    parts = [_inside(pl.struct(cs.by_name(full))).alias("{")] if full else []
    for name in [*some, *(name for name in several if name not in some)]:
        column = cs.by_name(name)
        told = _either(column) if name in several else _inside(pl.struct(column))
        parts.append(pl.when(column.is_not_null()).then(told).alias(name))
    whole = pl.concat_str(pl.lit("{"), pl.concat_str(parts, separator=",", ignore_nulls=True), pl.lit("}"))
    return said.select(whole.alias("body").cast(pl.Binary))["body"]


def _value(name: str, dtype: Any) -> pl.Expr:
    """A column as JSON can say it. By its very name: to `pl.col`, `*` and `^…$` are patterns."""
    value: pl.Expr = cs.by_name(name)
    if isinstance(dtype, pl.Datetime):
        if name == "@timestamp":  # date_nanos begins in 1970
            value = pl.max_horizontal(value, pl.lit(_EARLIEST).cast(dtype)).alias(name)
        return value.dt.strftime(_FORM)
    if dtype == pl.Float64:  # JSON has no word for these
        return pl.when(value.is_finite()).then(value).alias(name)
    return value


def _inside(row: pl.Expr) -> pl.Expr:
    """What stands between the braces of a row's JSON."""
    return row.struct.json_encode().str.strip_prefix("{").str.strip_suffix("}")


def _either(column: pl.Expr) -> pl.Expr:
    """The same of a vendor's texts, some of which are several values: those become a list."""
    listed = _inside(pl.struct(column.str.split(ecs.BETWEEN)))
    several = column.str.contains(ecs.BETWEEN, literal=True)
    return pl.when(several).then(listed).otherwise(_inside(pl.struct(column)))


def places(batch: Batch, namespace: str) -> list[Item]:
    """Where the events of a batch are, without their bodies."""
    ids = batch.frame["event.id"].to_list()
    return [
        Item(index, identity, b"") for index, identity in zip(_indices(batch, namespace), ids, strict=True)
    ]


def _indices(batch: Batch, namespace: str) -> list[str]:
    """The index of each event; its day and that on which it came are few pairs, mostly one, so each is worked out once."""
    came = (
        "event.created" if "event.created" in batch.frame.columns else "event.ingested"
    )  # a replay keeps the first
    days = batch.frame.select(
        pl.col("@timestamp").dt.truncate("1d").alias("at"),
        pl.coalesce(came, "event.ingested").dt.truncate("1d").alias("in"),
    )
    names = {
        (at, came): schema.index(batch.dataset, namespace, schema.event_day(at, came))
        for at, came in days.unique().iter_rows()
    }
    if len(names) == 1:
        return list(names.values()) * len(batch)
    return [names[pair] for pair in days.iter_rows()]


def row(source: Mapping[str, Any]) -> dict[str, Any]:
    """A document as a flat dict with zoned times."""
    fields = ecs.fields()
    return {
        name: datetime.fromisoformat(value) if _is_date(fields, name) and isinstance(value, str) else value
        for name, value in source.items()
    }


def _is_date(fields: Mapping[str, ecs.Field], name: str) -> bool:
    field = fields.get(name)
    return field is not None and field.kind == "date"


def frame(sources: Sequence[Mapping[str, Any]]) -> pl.DataFrame:
    """Documents as a frame, each column in the type that its name has."""
    names = dict.fromkeys(name for source in sources for name in source)
    columns = []
    for name in names:
        columns.append(_column(name, [source.get(name) for source in sources]))
    return ecs.conform(pl.DataFrame(columns))


def _column(name: str, values: list[Any]) -> pl.Series:
    want = ecs.column_type(name)
    if isinstance(want, pl.Datetime):
        return pl.Series(name, values, dtype=pl.String).str.to_datetime(
            time_unit="ns", time_zone="UTC", strict=False
        )
    if want is None:
        return _vendors(name, values)
    return pl.Series(name, values, dtype=want, strict=False)


def _vendors(name: str, values: list[Any]) -> pl.Series:
    """A vendor's field, of which some documents may hold several values: each text as it is, each list as one text."""
    listed = [isinstance(value, list) for value in values]
    single = [None if many else value for many, value in zip(listed, values, strict=True)]
    texts = pl.Series(name, single, dtype=pl.String, strict=False)
    if not any(listed):
        return texts
    lists = [value if many else None for many, value in zip(listed, values, strict=True)]
    joined = ecs.conform(pl.Series(name, lists, dtype=pl.List(pl.String), strict=False).to_frame())
    return texts.zip_with(texts.is_not_null(), joined.to_series())
