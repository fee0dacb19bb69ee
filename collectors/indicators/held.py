"""The indicators that a tower looks for: one Parquet file, replaced as a whole, that every worker reads.

Beside it `pending.parquet`: those that were not yet looked for in what is stored, written before the others are, so that no
crash and no store that is away loses them; and `withdrawn.parquet`: objects of lists that stand for nothing any more, so that an
older version read again does not bring them back.
"""

import fcntl
import io
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path

import polars as pl

from collectors.indicators.indicator import Indicator
from hinomi import ecs
from hinomi.durable import given_to_owner, owned_folder, replaced
from hinomi.errors import StoreError

FILE, PENDING, WITHDRAWN = "indicators.parquet", "pending.parquet", "withdrawn.parquet"
SCHEMA = {
    "kind": pl.String(),
    "value": pl.String(),
    "source": pl.String(),
    "confidence": pl.Int64(),
    "since": ecs.TIME,
    "expires": ecs.TIME,
    "about": pl.String(),
}
_STORED = {**SCHEMA, "feed": pl.String(), "reference": pl.String(), "modified": ecs.TIME}
_VERSIONS = {"feed": pl.String(), "reference": pl.String(), "version": ecs.TIME}
_WARNING = ["kind", "value", "source"]
_OBJECT = ["feed", "reference"]
_KEY = [*_WARNING, *_OBJECT]


@dataclass(frozen=True, slots=True)
class Held:
    """folder: where the file is."""

    folder: Path

    @property
    def file(self) -> Path:
        """The file; it need not be there."""
        return self.folder / FILE

    def frame(self) -> pl.DataFrame:
        """Every indicator, in SCHEMA. Raises StoreError where the file is damaged."""
        return self._read(FILE, SCHEMA)

    def pending(self) -> pl.DataFrame:
        """Those in force that were not looked for yet in what is stored, in SCHEMA."""
        waiting = self._read(PENDING, SCHEMA)
        return waiting.join(self.frame(), on=_WARNING, how="semi") if waiting.height else waiting

    def looked(self, done: pl.DataFrame) -> None:
        """That these were looked for."""
        with self._writing():
            left = self._read(PENDING, SCHEMA).join(done, on=_WARNING, how="anti", maintain_order="left")
            self._write(left, PENDING)

    def take(
        self, indicators: Sequence[Indicator], feed: str = "", stated: Mapping[str, datetime] | None = None
    ) -> pl.DataFrame:
        """Add or renew; returns those whose value was not known from that source, which are `pending` now.

        stated: by object of the feed, its version: what an older version of it said goes, and an older one says nothing.
        """
        rows = [{**asdict(one), "kind": str(one.kind)} for one in indicators]
        coming = pl.DataFrame(rows, schema=_STORED)
        versions = pl.DataFrame(
            [(feed, *one) for one in (stated or {}).items()], schema=_VERSIONS, orient="row"
        )
        with self._writing():
            known, withdrawn = self._read(FILE, _STORED), self._read(WITHDRAWN, _VERSIONS)
            valid = _valid(versions, known, withdrawn)
            coming = _of_valid(coming, versions, valid).unique(_KEY, keep="last", maintain_order=True)
            new = coming.join(known, on=_WARNING, how="anti", maintain_order="left").unique(
                _WARNING, keep="last", maintain_order=True
            )
            kept = _without(_without(known, valid, _OBJECT), coming, _KEY)
            kept = kept.join(
                coming.with_columns(pl.lit("").alias("reference")),  # of a release that knew no objects
                on=[*_WARNING, "reference"],
                how="anti",
                maintain_order="left",
            )
            if new.height:
                waiting = _without(self._read(PENDING, SCHEMA), new, _WARNING)
                self._write(pl.concat([waiting, new.select(*SCHEMA)]), PENDING)
            self._write(pl.concat([kept, coming]))
            self._withdraw(withdrawn, valid, coming)
        return new.select(*SCHEMA)

    def _withdraw(self, withdrawn: pl.DataFrame, valid: pl.DataFrame, coming: pl.DataFrame) -> None:
        gone = _without(valid, coming, _OBJECT)
        if gone.height or valid.join(withdrawn, on=_OBJECT, how="semi").height:
            self._write(pl.concat([_without(withdrawn, valid, _OBJECT), gone]), WITHDRAWN)

    def expire(self, now: datetime, source: str = "") -> int:
        """Take out what is over, or everything of a source; how many went."""
        with self._writing():
            known = self._read(FILE, _STORED)
            over = pl.col("source") == source if source else pl.col("expires") <= now
            kept = known.filter(~over.fill_null(value=False))
            if kept.height < known.height:
                self._write(kept)
        return known.height - kept.height

    def _read(self, name: str, schema: Mapping[str, pl.DataType]) -> pl.DataFrame:
        file = self.folder / name
        return _frame(file, file, schema) if file.exists() else pl.DataFrame(schema=schema)

    @contextmanager
    def _writing(self) -> Iterator[None]:
        owned_folder(self.folder, 0o700)
        with (self.folder / ".lock").open("w") as handle:
            given_to_owner(self.folder / ".lock")
            fcntl.flock(handle, fcntl.LOCK_EX)
            yield

    def _write(self, frame: pl.DataFrame, name: str = FILE) -> None:
        with replaced(self.folder / name) as file:
            frame.write_parquet(file)
        given_to_owner(self.folder / name)


def merged(
    shared: Mapping[str, bytes], own: Mapping[str, bytes]
) -> tuple[dict[str, bytes], dict[str, bytes]]:
    """The files of two folders as one, and the files of what only `own` holds (none where it adds nothing: `shared` comes back
    as it is). What both know, and an object that a list renewed or withdrew, is as `shared` has it.

    Raises StoreError where either is damaged.
    """
    known, left = _of(shared, FILE, _STORED), _of(own, FILE, _STORED)
    withdrawn = _of(shared, WITHDRAWN, _VERSIONS)
    stated = pl.concat([known.filter(pl.col("reference") != "").select(_OBJECT), withdrawn.select(_OBJECT)])
    left = _without(_without(left, known, _KEY), stated.unique(), _OBJECT)
    if not left.height:
        return dict(shared), {}
    pending = _of(shared, PENDING, SCHEMA)
    waiting = _without(_of(own, PENDING, SCHEMA), pending, _WARNING).join(left, on=_WARNING, how="semi")
    gone = _without(_of(own, WITHDRAWN, _VERSIONS), stated.unique(), _OBJECT)
    more = {
        FILE: left,
        **({PENDING: waiting} if waiting.height else {}),
        **({WITHDRAWN: gone} if gone.height else {}),
    }
    before = {FILE: known, PENDING: pending, WITHDRAWN: withdrawn}
    both = {name: _bytes(pl.concat([before[name], frame])) for name, frame in more.items()}
    return {**shared, **both}, {name: _bytes(frame) for name, frame in more.items()}


def _of(files: Mapping[str, bytes], name: str, schema: Mapping[str, pl.DataType]) -> pl.DataFrame:
    return _frame(files[name], name, schema) if name in files else pl.DataFrame(schema=schema)


def _bytes(frame: pl.DataFrame) -> bytes:
    made = io.BytesIO()
    frame.write_parquet(made)
    return made.getvalue()


def _frame(source: Path | bytes, name: Path | str, schema: Mapping[str, pl.DataType]) -> pl.DataFrame:
    """A file's rows in the schema; columns that an earlier release did not write are empty. name: for the message."""
    try:
        held = pl.read_parquet(source)
        absent = [
            pl.lit("" if kind == pl.String() else None).alias(column)
            for column, kind in schema.items()
            if column not in held.columns
        ]
        return held.with_columns(absent).select(pl.col(column).cast(kind) for column, kind in schema.items())
    except (pl.exceptions.PolarsError, OSError) as error:
        raise StoreError(
            f"{name}: 指標の一覧を読めません。取り込み直してください。",
            f"{name}: the indicators cannot be read, import them again: {error}",
        ) from error


def _without(frame: pl.DataFrame, other: pl.DataFrame, key: list[str]) -> pl.DataFrame:
    return frame.join(other, on=key, how="anti", maintain_order="left") if other.height else frame


def _valid(versions: pl.DataFrame, known: pl.DataFrame, withdrawn: pl.DataFrame) -> pl.DataFrame:
    """Of what is stated, the objects of which no newer version is known."""
    if not versions.height:
        return versions
    held = pl.concat(
        [known.select(*_OBJECT, pl.col("modified").alias("before")), withdrawn.rename({"version": "before"})]
    )
    newest = held.filter(pl.col("reference") != "").group_by(_OBJECT).agg(pl.col("before").max())
    both = versions.join(newest, on=_OBJECT, how="left", maintain_order="left")
    older = (pl.col("version") < pl.col("before")).fill_null(value=False)
    return both.filter(~older).drop("before")


def _of_valid(coming: pl.DataFrame, versions: pl.DataFrame, valid: pl.DataFrame) -> pl.DataFrame:
    """What no object states, and what the newest version of one does."""
    if not versions.height:
        return coming
    free = _without(coming, versions, _OBJECT)
    newest = valid.rename({"version": "modified"})
    return pl.concat([free, coming.join(newest, on=[*_OBJECT, "modified"], how="semi")])
