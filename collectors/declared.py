"""Declared mappings: a YAML file that says how a product's CSV, JSON, key=value or CEF becomes ECS.

`<name>.source.yml` in `collectors/sources/` or in a city's own folder is a source like any other. The model
is `collectors.declaration`; `docs/` shows each key with an example.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import polars as pl

from collectors import declaration, times
from collectors import expressions as e
from collectors.declaration import Declaration, Target
from collectors.declaration_check import check
from collectors.shapes import cef, delimited, key_value
from collectors.shapes.json_fields import json_fields
from collectors.shapes.pairs import column_name
from collectors.source import ROW, Raw, Shape, Source
from hinomi import ecs

_WIDE_DIGITS = [chr(0xFF10 + digit) for digit in range(10)]


def load(path: Path) -> Source:
    """The source that a file declares. Raises ContentError (or ManyErrors of them) naming line and key."""
    declared = declaration.read(path)
    check(declared, path)
    return source_of(declared)


def source_of(declared: Declaration) -> Source:
    """A checked declaration as a source."""
    shape = DeclaredShape(declared, _inner(declared))
    source = Source(
        name=declared.source,
        title={"ja": declared.title.ja, "en": declared.title.en},
        shape=shape,
        recognise=declared.recognise or declared.always,
        always=declared.always,
        zone_hint=declared.zone_hint,
        leftovers=declared.leftovers or declared.source,
        ignore=tuple(map(column_name, declared.fields)),
        why=shape.reasons,
        encoding=declared.encoding,
        targets=frozenset(target.to for _, _, target in declaration.targets(declared)),
        columns=tuple(declared.columns),
    )
    source.derive(lambda raw: {**_constants(declared), **_columns(declared, raw)})
    return source


def _inner(declared: Declaration) -> Shape:
    if declared.format == "csv":
        names = tuple(map(column_name, declared.columns))
        return delimited(names, delimiter=declared.delimiter, quote=declared.quote)
    if declared.format == "json":
        return json_fields(name for name, _, target in declaration.targets(declared) if _is_list(target.to))
    return cef() if declared.format == "cef" else key_value(declared.quote)


class DeclaredShape:
    """The declared format's shape, less the lines that lack what the declaration requires."""

    def __init__(self, declared: Declaration, inner: Shape) -> None:
        self.declared = declared
        self.inner = inner
        self.header = declared.delimiter.join(declared.columns) if declared.header else ""

    def read(self, intake: pl.DataFrame) -> Sequence[pl.DataFrame]:
        """Frames of raw text columns with `row`."""
        return [frame.filter(self._flaw(frame).is_null()) for frame in self.inner.read(intake)]

    def reasons(self, left: pl.DataFrame) -> pl.Series:
        """Why each of the lines that `read` left out was: a text an input row."""
        found: dict[int, str] = {}
        for frame in self.inner.read(left):  # what reads well is left out for want of what `always` asks
            flaw = self._flaw(frame).fill_null(f"not_{self.declared.source}")
            found.update(frame.select(ROW, flaw.alias("flaw")).iter_rows())
        texts = [
            self._reason(found.get(row), line or "")
            for row, line in zip(left[ROW].to_list(), left["message"].to_list(), strict=True)
        ]
        return pl.Series("reason", texts, dtype=pl.String)

    def _reason(self, flaw: str | None, line: str) -> str:
        columns = self.declared.columns
        names = ",".join(columns)
        if flaw is not None and not (flaw.startswith("no_time") and self._names_columns(line)):
            return flaw
        if self.declared.format != "csv":
            return f"not_{self.declared.format}"
        if self._names_columns(line):
            return f"other_header: expected {names}"
        given = min(line.count(self.declared.delimiter) + 1, 999)
        return f"wrong_columns: expected {len(columns)} ({names}), got {given}"

    def _names_columns(self, line: str) -> bool:
        """Whether a line is a header of some kind: two of the column names stand in it."""
        return sum(name in line for name in self.declared.columns if name) > 1

    def _flaw(self, frame: pl.DataFrame) -> pl.Expr:
        """What a line that split well still lacks; null when nothing."""
        raw = Raw(frozenset(frame.columns))
        header = self._header(raw)
        flaws = [pl.when(header).then(pl.lit("header_line"))] if header is not None else []
        stamps = self._stamps()
        if stamps and not self.declared.untimed:  # of several columns for the time one must be there
            read = [
                times.parsed(_text(raw, column, target), _clocks(target), self.declared.zone)
                for column, target in stamps
            ]
            flaws.append(pl.when(pl.coalesce(read).is_null()).then(pl.lit(f"no_time: {stamps[0][0]}")))
        for column in self._needed():
            value = e.present(raw[column_name(column)])
            flaws.append(pl.when(value.is_null()).then(pl.lit(f"missing: {column}")))
        return pl.coalesce(flaws) if flaws else e.nothing()

    def _header(self, raw: Raw) -> pl.Expr | None:
        if not self.header:
            return None
        names = [(raw[column_name(name)].str.strip_chars() == name) for name in self.declared.columns]
        return pl.all_horizontal(names)

    def _stamps(self) -> list[tuple[str, Target]]:
        """The columns of the event's time that are read as times."""
        given = [(c, t) for c, _, t in declaration.targets(self.declared) if t.to == "@timestamp"]
        return [(column, target) for column, target in given if _kind(target) == "time"]

    def _needed(self) -> list[str]:
        stamps = {column for column, _ in self._stamps()}
        return [name for name in self.declared.required if name not in stamps]


def _constants(declared: Declaration) -> dict[str, pl.Expr]:
    constants: dict[str, str | list[str]] = {"event.kind": "event", **declared.constants}
    return {
        name: e.texts(*value) if isinstance(value, list) else pl.lit(value)
        for name, value in constants.items()
    }


def _columns(declared: Declaration, raw: Raw) -> dict[str, pl.Expr]:
    found: dict[str, list[pl.Expr]] = {}
    for column, _, target in declaration.targets(declared):
        found.setdefault(target.to, []).append(_value(_text(raw, column, target), target, declared.zone))
    return {name: _of_several(name, values) for name, values in found.items()}


def _of_several(name: str, values: list[pl.Expr]) -> pl.Expr:
    """What several columns say of one field: the first that says anything; of a list of addresses (`host.ip`) all of them."""
    if len(values) == 1 or not _is_list(name) or ecs.fields()[name].kind != "ip":
        return pl.coalesce(values)
    none = pl.lit([], dtype=pl.List(pl.String))
    every = pl.concat_list([value.fill_null(none) for value in values])
    every = every.list.unique(maintain_order=True)
    return pl.when(every.list.len() > 0).then(every)


def _text(raw: Raw, column: str, target: Target) -> pl.Expr:
    """A column's text, in records that the target is for; of a time whose offset stands in another column, with what
    belongs behind it."""
    text = e.present(raw[column_name(column)])
    for other, values in target.where.items():
        given = raw[column_name(other)]
        fits = given.str.strip_chars().is_in(values) if values else e.present(given).is_not_null()
        text = pl.when(fits).then(text)
    if target.offset is None:
        return text
    return pl.coalesce(pl.concat_str(text, e.present(raw[column_name(target.offset)]), separator=" "), text)


def _kind(target: Target) -> str:
    """The declared type, else the one that the ECS field has."""
    if target.type != "text":
        return target.type
    return "time" if ecs.column_type(target.to) == ecs.TIME else "text"


def _value(text: pl.Expr, target: Target, zone: str) -> pl.Expr:
    worded = bool(target.values) or target.otherwise is not None
    if target.first:
        text = e.present(_plain_text(text, text.str.extract(_of_first_object(target.first, target.to), 1)))
    if target.extract and _is_list(target.to) and not (target.split or worded):
        return _listed(text, None, target.extract)
    if target.extract:
        text = e.present(_plain_text(text, text.str.extract(target.extract, 1)))
    if worded:
        return _mapped(text, target.values, target.otherwise, _is_list(target.to))
    if target.split or _is_list(target.to):
        return _listed(text, target.split)
    return _TYPES.get(_kind(target), _plain)(text, target, zone)


def _plain_text(whole: pl.Expr, part: pl.Expr) -> pl.Expr:
    """A part of an object or a list that stands as JSON text, without JSON's escapes; of any other text as it is."""
    inside = whole.str.contains(r'^(?:\[[\[{"]|\{")')
    return pl.when(inside).then(part.str.replace_all(r'\\(["\\/])', "${1}")).otherwise(part)


_FIRST_OBJECT = r'^\[\{(?:[^{}"]|"(?:[^"\\]|\\.)*"|\{(?:[^{}"]|"(?:[^"\\]|\\.)*")*\})*?'
"""The beginning of a JSON list up to a name of its first object; one object inside that object is passed over."""


def _of_first_object(name: str, to: str) -> str:
    """A pattern whose group is what stands under the name: digits where the column is of whole numbers, else a text."""
    digits = ecs.column_type(to) == pl.Int64()
    return f'{_FIRST_OBJECT}"{re.escape(name)}":' + (r"(\d+)" if digits else r'"((?:[^"\\]|\\.)*)"')


def _mapped(
    text: pl.Expr,
    values: Mapping[str, str | list[str]],
    otherwise: str | list[str] | None,
    as_list: bool,
) -> pl.Expr:
    table = {
        key: ecs.BETWEEN.join([value] if isinstance(value, str) else value) for key, value in values.items()
    }
    found = e.mapped(text, table) if table else e.nothing()
    if otherwise is not None:
        rest = ecs.BETWEEN.join([otherwise] if isinstance(otherwise, str) else otherwise)
        found = pl.when(text.is_not_null()).then(found.fill_null(rest))
    return found.str.split(ecs.BETWEEN) if as_list else found


def _is_list(name: str) -> bool:
    return isinstance(ecs.column_type(name), pl.List)


def _listed(text: pl.Expr, split: str | None, extract: str | None = None) -> pl.Expr:
    """The values of a list; extract: of each (a JSON object, say) the group of this pattern."""
    part = pl.element() if extract is None else pl.element().str.extract(extract, 1)
    parts = text.str.split(split or ecs.BETWEEN).list.eval(part.str.strip_chars())
    full = parts.list.filter(pl.element() != "")
    return pl.when(full.list.len() > 0).then(full)


def _plain(text: pl.Expr, target: Target, zone: str) -> pl.Expr:
    return text.str.replace_all(ecs.BETWEEN, ", ", literal=True)


def _number(text: pl.Expr) -> pl.Expr:
    """Digits as Japanese systems write them: full width, thousands apart, a unit behind (`1,200件`)."""
    narrow = text.str.replace_many(_WIDE_DIGITS, [str(digit) for digit in range(10)])
    return narrow.str.replace_all("[,\uff0c]", "").str.extract(r"^([+-]?\d+(?:\.\d+)?)")


def _clocks(target: Target) -> list[str]:
    """The formats declared and, of an API's clock (a count or ISO 8601), the other form: exporters rewrite one as the other."""
    api = (times.ISO, "epoch", "epoch_ms")
    if not target.formats or target.formats[0] not in api:
        return target.formats
    return list(dict.fromkeys([*target.formats, *api]))


_Reader = Callable[[pl.Expr, Target, str], pl.Expr]
_TYPES: dict[str, _Reader] = {
    "lower": lambda text, target, zone: text.str.to_lowercase(),
    "ip": lambda text, target, zone: e.ip(text),
    "integer": lambda text, target, zone: (
        _number(text).str.extract(r"^([+-]?\d+)").cast(pl.Int64, strict=False)
    ),
    "number": lambda text, target, zone: _number(text).cast(pl.Float64, strict=False),
    "boolean": lambda text, target, zone: text,
    "time": lambda text, target, zone: times.parsed(text, _clocks(target), zone),
}
