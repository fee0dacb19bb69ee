"""PAN-OS logs in any form (CSV, CEF, JSON) as frames of one set of names."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import polars as pl

from collectors import syslog
from collectors.paloalto.columns import CEF, CSV, FLOWS, HEAD, JSON, LABELS, SESSION, TYPES
from collectors.shapes import cef, json_fields, rows

_HIGH = re.compile(r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d)$")
_CSV = (
    r"^[^,]*,\d{1,4}/\d{1,2}/\d{2,4} \d{1,2}:\d\d(?::\d\d)?,[^,]*,[A-Z]+,"  # a spreadsheet shortens the time
)


@dataclass(frozen=True, slots=True)
class PanOs:
    """A line is ours when it is a PAN-OS CSV log, a CEF line of Palo Alto Networks, or a JSON object with a log type."""

    def read(self, intake: pl.DataFrame) -> Sequence[pl.DataFrame]:
        """Frames with the names of `columns.CSV`, whatever the form; what has no such name keeps its own."""
        split = syslog.split(intake)
        message = pl.col("message")
        frames = [
            *self._csv(split.filter(message.str.contains(_CSV))),
            *self._cef(split.filter(message.str.contains(r"CEF:\d\|Palo Alto Networks\|"))),
            *self._json(split.filter(message.str.contains(r'^\s*\{.*"LogType"\s*:'))),
        ]
        return [frame for frame in frames if frame.height]

    def _csv(self, lines: pl.DataFrame) -> Sequence[pl.DataFrame]:
        if not lines.height:
            return []
        found = []
        for frame in rows(7).read(lines.with_columns(pl.col("message").str.replace_all(r"\\+\"", '"'))):
            for (kind,), part in frame.group_by("c3", maintain_order=True):
                found.append(_named(part, _columns(str(kind))))
        return found

    def _cef(self, lines: pl.DataFrame) -> Sequence[pl.DataFrame]:
        if not lines.height:
            return []
        return [_renamed(_labelled(_typed(frame)), CEF) for frame in cef().read(lines)]

    def _json(self, lines: pl.DataFrame) -> Sequence[pl.DataFrame]:
        return [_renamed(frame, JSON) for frame in json_fields().read(lines)] if lines.height else []


def _columns(kind: str) -> Mapping[int, str]:
    """The columns of a log type; of one that no document names only the head."""
    return CSV.get(kind, SESSION if kind in FLOWS else HEAD)


def _typed(frame: pl.DataFrame) -> pl.DataFrame:
    """The log type and its subtype: the data lake writes them in this order, PAN-OS's own template the other way."""
    one, other = pl.col("cef.class"), pl.col("cef.name")
    turned = other.str.to_uppercase().is_in(TYPES) & ~one.str.to_uppercase().is_in(TYPES)
    kind, sub = pl.when(turned).then(other).otherwise(one), pl.when(turned).then(one).otherwise(other)
    return frame.with_columns(kind.str.to_uppercase().alias("type"), sub.alias("subtype")).drop(
        "cef.class", "cef.name"
    )


def _named(part: pl.DataFrame, names: Mapping[int, str]) -> pl.DataFrame:
    """The columns that the log type names; of the rest only the time with a zone, wherever it stands."""
    columns = [name for name in part.columns if re.fullmatch(r"c\d+", name)]
    high = [
        next((value for value in reversed(row) if value and _HIGH.match(value)), None)
        for row in part.select(columns).rows()
    ]
    kept = [pl.col(f"c{place}").alias(name) for place, name in names.items() if f"c{place}" in columns]
    others = [name for name in part.columns if name not in columns]
    return part.select(*others, *kept).with_columns(pl.Series("iso", high, dtype=pl.String))


def _renamed(frame: pl.DataFrame, names: Mapping[str, str]) -> pl.DataFrame:
    """Columns under their common names; of two with one name the first that has a value counts."""
    found: dict[str, list[pl.Expr]] = {}
    for name in frame.columns:
        target = names.get(name, name)
        value = pl.col(name)
        filled = (
            pl.when(value.cast(pl.String) != "").then(value) if frame.schema[name] == pl.String else value
        )
        found.setdefault(target, []).append(filled)
    return frame.select(pl.coalesce(values).alias(name) for name, values in found.items())


def _labelled(frame: pl.DataFrame) -> pl.DataFrame:
    """`cs1=allow cs1Label=Rule` as `rule`, where all lines of the frame have the same label."""
    made = []
    for label in [name for name in frame.columns if name.endswith("Label")]:
        value = label.removesuffix("Label")
        if value not in frame.columns:
            continue
        named = (
            pl.col(label)
            .str.replace_all(" ", "")
            .replace_strict(LABELS, default=None, return_dtype=pl.String)
        )
        made += [
            pl.when(named == name).then(pl.col(value)).alias(f"__{name}_{value}")
            for name in dict.fromkeys(LABELS.values())
        ]
    if not made:
        return frame
    whole = frame.with_columns(made)
    merged = []
    for name in sorted(set(LABELS.values())):
        parts = [column for column in whole.columns if column.startswith(f"__{name}_")]
        if parts and name not in frame.columns:
            merged.append(pl.coalesce(parts).alias(name))
    return whole.with_columns(merged).select(pl.exclude("^__.*$"))
