"""The indicators that a tower looks for: one Parquet file, replaced as a whole, that every worker reads."""

import fcntl
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path

import polars as pl

from collectors.indicators.indicator import Indicator
from hinomi import ecs
from hinomi.durable import replaced
from hinomi.errors import StoreError

FILE = "indicators.parquet"
SCHEMA = {
    "kind": pl.String(),
    "value": pl.String(),
    "source": pl.String(),
    "confidence": pl.Int64(),
    "since": ecs.TIME,
    "expires": ecs.TIME,
    "about": pl.String(),
}
_KEY = ["kind", "value", "source"]


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
        if not self.file.exists():
            return pl.DataFrame(schema=SCHEMA)
        try:
            return pl.read_parquet(self.file).select(pl.col(name).cast(kind) for name, kind in SCHEMA.items())
        except (pl.exceptions.PolarsError, OSError) as error:
            raise StoreError(
                f"{self.file}: 指標の一覧を読めません。取り込み直してください。",
                f"{self.file}: the indicators cannot be read, import them again: {error}",
            ) from error

    def take(self, indicators: Sequence[Indicator]) -> pl.DataFrame:
        """Add or renew; returns those whose value was not known from that source."""
        rows = [{**asdict(one), "kind": str(one.kind)} for one in indicators]
        coming = pl.DataFrame(rows, schema=SCHEMA).unique(_KEY, keep="last", maintain_order=True)
        with self._writing():
            known = self.frame()
            new = coming.join(known, on=_KEY, how="anti", maintain_order="left")
            kept = known.join(coming, on=_KEY, how="anti", maintain_order="left")
            self._write(pl.concat([kept, coming]))
        return new

    def expire(self, now: datetime, source: str = "") -> int:
        """Take out what is over, or everything of a source; how many went."""
        with self._writing():
            known = self.frame()
            over = pl.col("source") == source if source else pl.col("expires") <= now
            kept = known.filter(~over.fill_null(value=False))
            if kept.height < known.height:
                self._write(kept)
        return known.height - kept.height

    @contextmanager
    def _writing(self) -> Iterator[None]:
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        with (self.folder / ".lock").open("w") as handle:
            fcntl.flock(handle, fcntl.LOCK_EX)
            yield

    def _write(self, frame: pl.DataFrame) -> None:
        with replaced(self.file) as file:
            frame.write_parquet(file)
