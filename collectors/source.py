"""A source: one product's log format, read into ECS columns.

A file in `collectors/sources/` holds one `source = Source(...)`; being in the folder is all the
registration there is. A source is a shape (how a line splits into raw fields), a table of renames, and
derived columns as expressions; only documents that no table can describe use a function an event.
"""

from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import polars as pl

from collectors import around, derivation
from collectors.canonical import canonical
from collectors.carried import first_carried, otherwise, within_reach, without_surroundings
from collectors.framed import frame_of
from collectors.leaves import leaf_columns
from collectors.many import Columns, Many, gathered, made
from collectors.narrow import Narrow, Verbatim
from hinomi import ecs
from hinomi.collecting import no_collection

ROW = "row"


@dataclass(frozen=True, slots=True)
class Parsed:
    """What a source made of an intake frame.

    frames: ECS columns plus the UInt32 column `row` (the position in the input); rejected: `row` and
    `reason` (a short stable English key) of the lines that were not understood. Each input row is in
    exactly one of them.
    """

    frames: list[pl.DataFrame]
    rejected: pl.DataFrame


class Shape(Protocol):
    """How a line splits into raw fields."""

    def read(self, intake: pl.DataFrame) -> Sequence[pl.DataFrame]:
        """Frames of raw fields (text columns, or typed ones where the format has types) with `row`.

        intake: `row` UInt32, `message` String, `received` Datetime(ns, UTC), `peer` String, plus header
        columns that an outer shape found (`header.timestamp`, `header.host`, `header.app` …), which are
        to be passed on. Rows that the shape cannot split are left out: they become rejected.
        """
        ...


@dataclass(frozen=True, slots=True)
class Raw:
    """The raw fields of one frame as expressions; a field that no line had is a null text."""

    columns: frozenset[str]
    asked: set[str] = field(default_factory=set)

    def __getitem__(self, name: str) -> pl.Expr:
        self.asked.add(name)
        return pl.col(name) if name in self.columns else pl.lit(None, dtype=pl.String)

    def __contains__(self, name: str) -> bool:
        return name in self.columns


Derive = Callable[[Raw], Mapping[str, pl.Expr]]
Each = Callable[[dict[str, Any]], Mapping[str, Any] | None]
Ours = Callable[[dict[str, Any]], bool]
By = Callable[[dict[str, Any]], Hashable]
Together = Callable[[Many], Columns]
Keep = Callable[[dict[str, Any]], Mapping[str, Any]]
_Read = tuple[list[int], list[dict[str, Any]], list[pl.Series]]
"""Rows that are this product's, their documents, and columns of what they mean."""


@dataclass(slots=True)
class Source:
    """One product's format.

    name: `vendor.product`, also the dataset; title: {"ja", "en"}; shape: how lines split; recognise: a
    regular expression that a line of this product matches, for auto-detection (several: it matches all of them);
    unlike: one that it does not match (Rust syntax both: linear in the line, without looking around); always: one that every
    line of the format matches: what does not is never taken, also where a listener names this source (""; any line is tried); rename:
    raw field → ECS field; leftovers: prefix under which raw fields that no table names are kept (the
    vendor's own name), "" to drop none and keep raw names; of documents all leaves, see `keep`; ignore: raw fields that carry nothing (said
    why in the file); constants: ECS field → value in every event; why: input rows
    that the shape left out → the reason of each (default: `not_<name>`); encoding: of its text where the
    listener names none ("" or auto: guessed); targets: fields that a declaration names; columns: of a
    declared table, in their order;
    event_of: what names the event of which a line is one of several records (an expression with one group; "": each line is
    an event), see `collectors.continued`; narrow, verbatim: how to tell what rules cannot match without reading it, see
    `collectors.narrow`.
    """

    name: str
    title: Mapping[str, str]
    shape: Shape
    recognise: str | Sequence[str] = ""
    unlike: str = ""
    always: str = ""
    zone_hint: str = ""
    rename: Mapping[str, str] = field(default_factory=dict)
    constants: Mapping[str, Any] = field(default_factory=dict)
    leftovers: str = ""
    ignore: Sequence[str] = ()
    why: Callable[[pl.DataFrame], pl.Series] | None = None
    encoding: str = ""
    targets: frozenset[str] = frozenset()
    columns: Sequence[str] = ()
    event_of: str = ""
    narrow: Narrow | None = None
    verbatim: Verbatim | None = None
    _derived: list[Derive] = field(default_factory=list)
    _each: Each | None = None
    _ours: Ours | None = None
    _by: By | None = None
    _together: Together | None = None
    _keep: Keep | None = None
    _refine: list[Callable[[pl.DataFrame], pl.DataFrame]] = field(default_factory=list)

    def derive(self, function: Derive) -> Derive:
        """Decorator: add columns computed from raw fields. Later ones win over renames."""
        self._derived.append(function)
        return function

    def refine(
        self, function: Callable[[pl.DataFrame], pl.DataFrame]
    ) -> Callable[[pl.DataFrame], pl.DataFrame]:
        """Decorator: a last step over the finished ECS frame (for instance `related.*` from columns)."""
        self._refine.append(function)
        return function

    def each(self, function: Each) -> Each:
        """Decorator: document → flat ECS mapping (None: not ours). For formats that no table can describe.

        The shape must then give the parsed document as the column `document` (Python objects)."""
        self._each = function
        return function

    def together(self, ours: Ours, by: By | None = None) -> Callable[[Together], Together]:
        """Decorator: documents of a kind → flat ECS columns, for the sources of which most comes. ours: which documents
        are this product's; by: the function gets only documents for which this says the same. The shape is that of `each`."""
        self._ours, self._by = ours, by

        def decorate(function: Together) -> Together:
            self._together = function
            return function

        return decorate

    def keep(self, function: Keep) -> Keep:
        """Decorator: document → the object whose leaves stay under `leftovers`, where that is not the document itself.

        They are read a column at a time, at a fraction of what their names in the mapping of `each` cost."""
        self._keep = function
        return function

    def recognised(self, lines: pl.Series) -> int:
        """How many of the lines look like this product's."""
        return int(self.fits(lines).sum())

    def recognised_by(self) -> Sequence[str]:
        """The expressions of `recognise`, one or several; ("",) where it is never recognised."""
        return [self.recognise] if isinstance(self.recognise, str) else self.recognise

    def fits(self, lines: pl.Series) -> pl.Series:
        """Of each line whether it looks like this product's (Boolean, no nulls)."""
        every = self.recognised_by()
        if not any(every):
            return pl.repeat(False, lines.len(), eager=True)
        line = pl.col(lines.name)
        found = pl.all_horizontal(line.str.contains(one) for one in every)
        ours = found & ~line.str.contains(self.unlike) if self.unlike else found
        return lines.to_frame().select(ours.fill_null(False)).to_series()

    def recognises(self, line: str) -> bool:
        """Whether one line looks like this product's."""
        return self.recognised(pl.Series("line", [line])) > 0

    def parse(self, intake: pl.DataFrame) -> Parsed:
        """ECS frames of an intake frame; see `Parsed`. Never raises on hostile lines."""
        rows = within_reach(
            without_surroundings(intake if ROW in intake.columns else intake.with_row_index(ROW))
        )
        frames, left = self._inside(rows, first_carried(rows))
        more, left = self._read(left)
        frames += more
        for inside in otherwise(left):
            more, left = self._inside(left, inside)
            frames += more
            if not left.height:
                break
        reason = pl.lit(f"not_{self.name}") if self.why is None or not left.height else self.why(left)
        rejected = left.select(ROW, reason.alias("reason"))
        return Parsed(frames, rejected)

    def _read(self, rows: pl.DataFrame) -> tuple[list[pl.DataFrame], pl.DataFrame]:
        """ECS frames of the rows that are ours, and the other rows."""
        bare, told = around.apart(
            rows.filter(pl.col("message").str.contains(self.always)) if self.always else rows
        )
        frames = [self._finish(frame, told) for frame in self.shape.read(bare) if frame.height]
        return frames, _without(rows, frames)

    def _inside(self, rows: pl.DataFrame, inside: pl.DataFrame) -> tuple[list[pl.DataFrame], pl.DataFrame]:
        """`_read` of these rows as what stands in some of them (a shipper's line, a line behind a relay's header)."""
        if not inside.height:
            return [], rows
        inside = inside.join(rows.select(ROW), on=ROW, how="semi")
        frames = self._read(inside)[0] if inside.height else []
        return frames, _without(rows, frames) if frames else rows

    def _finish(self, frame: pl.DataFrame, told: pl.DataFrame) -> pl.DataFrame:
        """told: what stands around the lines (`around`)."""
        mapped = self._by_function(frame) if self._each or self._together else self._by_table(frame)
        for step in self._refine:
            mapped = step(mapped)
        rows = mapped[ROW].cast(pl.UInt32)  # `row` is no event field: conform would make it text
        filled = around.filled(ecs.conform(mapped.drop(ROW)), rows, told)
        whole = canonical(derivation.ends(filled))
        return derivation.related(derivation.derived(whole)).with_columns(rows)

    def _by_table(self, frame: pl.DataFrame) -> pl.DataFrame:
        raw = Raw(frozenset(frame.columns))
        try:
            return self._mapped(frame, raw)
        except (
            pl.exceptions.ShapeError
        ):  # of constants alone, some expressions give one row: make them columns
            missing = [name for name in raw.asked if name not in raw.columns]
            whole = frame.with_columns(pl.lit(None, dtype=pl.String).alias(name) for name in missing)
            named = set(frame.columns)
            return self._mapped(whole, Raw(frozenset(whole.columns)), lambda name: name in named)

    def _mapped(
        self, frame: pl.DataFrame, raw: Raw, given: Callable[[str], bool] = lambda _: True
    ) -> pl.DataFrame:
        columns: dict[str, pl.Expr] = {ROW: pl.col(ROW)}
        for name in frame.columns:
            if (
                name == ROW
                or name in self.ignore
                or name.startswith("header.")
                or name in _INTAKE
                or not given(name)
            ):
                continue
            target = self.rename.get(name)
            if target is None:
                target = f"{self.leftovers}.{name}" if self.leftovers else name
            known = columns.get(target)
            columns[target] = pl.coalesce(known, pl.col(name)) if known is not None else pl.col(name)
        for name, value in self.constants.items():
            columns[name] = pl.lit(value)
        for function in self._derived:
            columns.update(function(raw))
        return frame.select(expr.alias(name) for name, expr in columns.items())

    def _by_function(self, frame: pl.DataFrame) -> pl.DataFrame:
        with no_collection():
            rows, documents, meant = (self._together_read if self._together else self._each_read)(frame)
            columns = {column.name: column for column in meant if column.null_count() < len(rows)}
            for column in self._vendors(documents):
                if column.null_count() < len(rows):
                    columns[column.name] = _completed(columns.get(column.name), column)
        columns[ROW] = pl.Series(ROW, rows, dtype=pl.UInt32)
        return pl.DataFrame(list(columns.values())).with_columns(_constant(self.constants, columns))

    def _vendors(self, documents: list[dict[str, Any]]) -> list[pl.Series]:
        """What stays under the vendor's own names."""
        if self._keep is None and not self.leftovers:
            return []
        own = documents if self._keep is None else [self._keep(document) for document in documents]
        return leaf_columns(own, f"{self.leftovers}." if self.leftovers else "")

    def _each_read(self, frame: pl.DataFrame) -> _Read:
        assert self._each is not None
        rows, documents, flats = [], [], []
        for row, document in _pairs(frame):
            flat = self._each(document)
            if flat is not None:
                rows.append(row)
                documents.append(document)
                flats.append(flat)
        return rows, documents, frame_of(flats).get_columns()

    def _together_read(self, frame: pl.DataFrame) -> _Read:
        assert self._together is not None
        assert self._ours is not None
        kept = [(row, document) for row, document in _pairs(frame) if self._ours(document)]
        rows, documents = [row for row, _ in kept], [document for _, document in kept]
        alike: dict[Hashable, list[int]] = {}
        for place, document in enumerate(documents):
            alike.setdefault(self._by(document) if self._by else None, []).append(place)
        if len(alike) == 1:
            records = Many(documents)
            return rows, documents, made(self._together(records), records)
        flats: list[Mapping[str, Any]] = [{}] * len(documents)
        for places in alike.values():
            columns = self._together(Many([documents[place] for place in places]))
            for place, flat in zip(places, gathered(columns), strict=True):
                flats[place] = flat
        return rows, documents, frame_of(flats).get_columns()


def _without(rows: pl.DataFrame, frames: Sequence[pl.DataFrame]) -> pl.DataFrame:
    """The rows of which none of the frames tells."""
    done = pl.concat([frame[ROW] for frame in frames]) if frames else pl.Series(ROW, [], dtype=pl.UInt32)
    return rows.filter(~pl.col(ROW).is_in(done.implode()))


def _pairs(frame: pl.DataFrame) -> Iterator[tuple[int, dict[str, Any]]]:
    return zip(frame[ROW].to_list(), frame["document"].to_list(), strict=True)


def _completed(told: pl.Series | None, kept: pl.Series) -> pl.Series:
    """What `each` told of a name, and where it told nothing of a record what the vendor wrote."""
    if told is None or not told.null_count():
        return kept if told is None else told
    if told.dtype != kept.dtype:
        told, kept = (ecs.conform(one.to_frame()).to_series() for one in (told, kept))
    return told.zip_with(told.is_not_null(), kept)


def _constant(values: Mapping[str, Any], columns: Mapping[str, pl.Series]) -> list[pl.Expr]:
    """The constants as columns; where a document says otherwise it stands."""
    return [
        (pl.col(name).fill_null(value) if name in columns else pl.lit(value)).alias(name)
        for name, value in values.items()
    ]


_INTAKE = {"message", "received", "peer"}
