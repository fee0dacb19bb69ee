"""Records of one kind read a name at a time: what `collectors.records` says of one record, of all of them at once.

A record's meaning is made of twenty values and more. Asked record by record, each costs a call and a cell of a mapping that is
taken apart again; asked name by name it costs a pass over a column, and many of one kind say the same in all rows.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import polars as pl

from collectors import records
from collectors.framed import plain_name, typed
from hinomi.ecs import column_type

Texts = Sequence[str | None]
Values = Sequence[Any]
Cells = Mapping[str, Values]
Columns = Mapping[str, Values | pl.Series]
"""ECS field → a value a record."""

_STRINGS = {str, type(None)}
_SECONDS = r"^(?:19|20)\d\d-\d\d-\d\d[T ][0-2]\d:[0-5]\d:[0-5]\d(?:\.\d{1,9})?Z?$"
"""Times that Polars reads as Python does; of a fraction both keep microseconds."""


@dataclass(slots=True)
class Many:
    """Objects, None where a record has none. Lists that are given out are shared: nobody may change them."""

    nodes: Sequence[dict[str, Any] | None]
    nothing: list[None] = field(init=False)
    _names: dict[str, None] = field(init=False)
    _cells: dict[str, Values] = field(init=False)
    _read: dict[str, Texts] = field(default_factory=dict)

    def __post_init__(self) -> None:
        shapes = dict.fromkeys(tuple(node) for node in self.nodes if node)
        self.nothing = [None] * len(self.nodes)
        self._names = {name: None for shape in shapes for name in shape}
        alike = len(shapes) == 1 and all(self.nodes)
        cells = zip(*[node.values() for node in self.nodes if node], strict=True) if alike else ()
        self._cells = dict(zip(self._names, cells, strict=True)) if alike else {}

    def have(self, *names: str) -> bool:
        """Whether any of the records has any of these names."""
        return any(name in self._names for name in names)

    def values(self, name: str) -> Values:
        """What the records hold under a name; `nothing` where none of them has it."""
        if name not in self._names:
            return self.nothing
        if name not in self._cells:
            self._cells[name] = [node.get(name) if node else None for node in self.nodes]
        return self._cells[name]

    def below(self, name: str) -> "Many":
        """The objects under a name."""
        return Many([value if type(value) is dict else None for value in self.values(name)])

    def text(self, name: str) -> Texts:
        """`records.text` of each."""
        if name not in self._read:
            self._read[name] = _texts(self.values(name), self.nothing)
        return self._read[name]

    def every(self, value: Any) -> Values:
        """The same value for all."""
        return [value] * len(self.nodes)


def _texts(values: Values, nothing: list[None]) -> Texts:
    kinds = set(map(type, values))
    if kinds == {str} and records.NOTHING.isdisjoint(map(str.strip, values)):
        return values
    if kinds == {type(None)}:
        return nothing
    if kinds <= {int, float}:
        return list(map(str, values))
    return [records.text(value) for value in values]


def first(*columns: Texts) -> Texts:
    """Of each record the first of these that says something."""
    found, *others = columns
    for other in others:
        if None not in found:
            return found
        found = [one or two for one, two in zip(found, other, strict=True)]
    return found


def known(function: Callable[[Any], Any], *columns: Values) -> Values:
    """A pure function's value of each record, asked once of each distinct text, or of each pair of texts."""
    rows = columns[0] if len(columns) == 1 else list(zip(*columns, strict=True))
    if not all(set(map(type, column)) <= _STRINGS for column in columns):
        return [function(row) for row in rows]
    answers = {row: function(row) for row in set(rows)}
    return [answers[row] for row in rows]


def addresses(*columns: Values) -> tuple[Texts, Sequence[int | None]]:
    """IP addresses and ports: of each record those of the first that is an address, see `records.first_address`."""
    found = known(records.address, columns[0])
    for column in columns[1:]:
        if any(column) and (None, None) in found:
            others = known(records.address, column)
            found = [one if one[0] else other for one, other in zip(found, others, strict=True)]
    return [ip for ip, _ in found], [port for _, port in found]


def urls(values: Values) -> Cells:
    """`url.*` of those that are addresses of the web."""
    return spread([records.url(value) for value in values])


def spread(flats: Sequence[Mapping[str, Any]]) -> dict[str, Values]:
    """A mapping a record as columns."""
    names = dict.fromkeys(name for flat in flats for name in flat)
    return {name: [flat.get(name) for flat in flats] for name in names}


def gathered(columns: Columns) -> Iterator[dict[str, Any]]:
    """Columns as a mapping a record."""
    cells = zip(*columns.values(), strict=True)
    return (dict(zip(columns, row, strict=True)) for row in cells)


def laid_over(columns: dict[str, Values | pl.Series], flats: Sequence[Mapping[str, Any]]) -> None:
    """What each record's own mapping says, in the place of what the columns say."""
    for name in dict.fromkeys(name for flat in flats for name in flat):
        below = columns.get(name, [None] * len(flats))
        columns[name] = [flat.get(name, value) for flat, value in zip(flats, below, strict=True)]


def made(columns: Columns, records: Many) -> list[pl.Series]:
    """The columns in the types of their names. What says nothing is none; what two fields share is made once."""
    found: list[pl.Series] = []
    shared: dict[tuple[int, str], pl.Series] = {}
    for name, values in columns.items():
        if values is records.nothing:
            continue
        if isinstance(values, pl.Series):
            found.append(values.alias(plain_name(name)))
            continue
        key = id(values), str(column_type(name))
        if key not in shared:
            shared[key] = typed(name, values)
        found.append(shared[key].alias(plain_name(name)))
    return found


def first_times(*columns: Values) -> pl.Series:
    """Of each record the first of these that is a time."""
    found, *others = columns
    read = times(found)
    for other in others:
        if not read.null_count():
            break
        read = pl.select(pl.coalesce(read, times(other))).to_series()
    return read


def times(values: Values) -> pl.Series:
    """`records.time` of each."""
    if set(map(type, values)) == {str}:
        texts = pl.Series(values, dtype=pl.String)
        if texts.str.contains(_SECONDS).all():
            plain = texts.str.strip_suffix("Z").str.replace("T", " ", literal=True)
            return plain.str.to_datetime(
                "%Y-%m-%d %H:%M:%S%.f", time_unit="us", strict=False
            ).dt.replace_time_zone("UTC")
    return typed("@timestamp", [records.time(value) for value in values])
