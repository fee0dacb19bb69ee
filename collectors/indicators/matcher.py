"""Events against indicators, by column: each distinct value once, by its hash in a sorted array, then confirmed.

A hit is written into the event: `threat.indicator.*` and `threat.feed.name` (ECS), and the column that it was found in
(`FOUND`, which only we write). Several products write their own name of a threat into `threat.indicator.name`: it stays where
nothing was met, and stands behind the indicator's description where something was.
A domain is also met by names below it; a network by its addresses.
"""

from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from datetime import datetime

import numpy as np
import numpy.typing as npt
import polars as pl

from collectors.indicators.indicator import Kind
from collectors.indicators.networks import Networks

COLUMNS: dict[str, Kind] = {
    "source.ip": Kind.ADDRESS,
    "destination.ip": Kind.ADDRESS,
    "client.ip": Kind.ADDRESS,
    "server.ip": Kind.ADDRESS,
    "dns.resolved_ip": Kind.ADDRESS,
    "url.domain": Kind.DOMAIN,
    "destination.domain": Kind.DOMAIN,
    "dns.question.name": Kind.DOMAIN,
    "tls.client.server_name": Kind.DOMAIN,
    "url.full": Kind.URL,
    "url.original": Kind.URL,
    "file.hash.md5": Kind.FILE,
    "file.hash.sha1": Kind.FILE,
    "file.hash.sha256": Kind.FILE,
    "process.hash.md5": Kind.FILE,
    "process.hash.sha1": Kind.FILE,
    "process.hash.sha256": Kind.FILE,
    "email.from.address": Kind.EMAIL,
    "email.sender.address": Kind.EMAIL,
}
"""Columns that are looked at, and what their values are."""
FOUND = "hinomi.indicator.field"
"""The column in which an event meets an indicator; empty where it meets none."""
_NAME, _ABOUT = "threat.indicator.name", "threat.indicator.description"
_ADDED = {
    _NAME: "value",
    "threat.indicator.type": "kind",
    "threat.indicator.confidence": "confidence",
    _ABOUT: "about",
    "threat.indicator.provider": "source",
    "threat.feed.name": "source",
}
_LABELS = 6  # of a name, from the right, that a domain indicator may have


def columns_of(kinds: Collection[str]) -> list[str]:
    """The columns in which indicators of these kinds are met."""
    wanted = {Kind.ADDRESS if kind == Kind.NETWORK else Kind(kind) for kind in kinds}
    return [column for column, kind in COLUMNS.items() if kind in wanted]


Hashes = npt.NDArray[np.uint64]


@dataclass(slots=True)
class _Table:
    """Indicators of one kind: hashes ascending, and the rows that they are of."""

    rows: pl.DataFrame
    hashes: Hashes = field(init=False)

    def __post_init__(self) -> None:
        hashes = self.rows["value"].hash()
        order = hashes.arg_sort()
        self.rows, self.hashes = self.rows[order], hashes[order].to_numpy()

    def find(self, values: pl.Series) -> pl.DataFrame:
        """`sought` and the indicator's columns for each of these values that is one."""
        wanted = values.hash().to_numpy()
        if not len(self.hashes) or not len(wanted):
            return pl.DataFrame(schema={"sought": pl.String, **self.rows.schema})
        at = np.minimum(np.searchsorted(self.hashes, wanted), len(self.hashes) - 1)
        near = np.flatnonzero(self.hashes[at] == wanted)
        found = self.rows[at[near]].with_columns(values[near].alias("sought"))
        return found.filter(pl.col("sought") == pl.col("value"))


class Matcher:
    """Made once for a set of indicators; `mark` holds no state."""

    def __init__(self, indicators: pl.DataFrame, now: datetime) -> None:
        live = indicators.filter(pl.col("expires").is_null() | (pl.col("expires") > now))
        surest = live.sort("confidence", descending=True).unique(["kind", "value"], keep="first")
        self.size = surest.height
        self.tables = {kind: _Table(surest.filter(pl.col("kind") == str(kind))) for kind in Kind}
        self.networks = Networks(self.tables[Kind.NETWORK].rows["value"].to_list())

    def mark(self, frame: pl.DataFrame) -> pl.DataFrame:
        """The frame with the surest hit of each event in the columns of a hit; the same frame where there is none."""
        if not self.size or FOUND in frame.columns:
            return frame
        found = [
            hits
            for column, kind in COLUMNS.items()
            if (hits := self._of_column(frame, column, kind)) is not None
        ]
        if not found:
            return frame
        surest = pl.concat(found).sort("confidence", descending=True).unique("row", keep="first")
        rows = pl.DataFrame({"row": pl.arange(frame.height, eager=True, dtype=pl.UInt32)})
        joined = rows.join(surest, on="row", how="left", maintain_order="left")
        return _written(frame, joined)

    def _of_column(self, frame: pl.DataFrame, column: str, kind: Kind) -> pl.DataFrame | None:
        if column not in frame.columns or frame[column].null_count() == frame.height:
            return None
        rows = frame.select(pl.col(column).alias("sought")).with_row_index("row")
        if isinstance(frame.schema[column], pl.List):
            rows = rows.explode("sought")
        distinct = rows["sought"].unique().drop_nulls()
        facts = self._facts(distinct, kind)
        if facts is None or not facts.height:
            return None
        hits = rows.join(facts, left_on="sought", right_on="given", how="inner")
        return hits.select("row", *dict.fromkeys(_ADDED.values()), pl.lit(column).alias("column"))

    def _facts(self, distinct: pl.Series, kind: Kind) -> pl.DataFrame | None:
        """`given` (a value as it stands in the events) and the indicator that it meets."""
        parts = [
            self.tables[kind]
            .find(pairs["sought"])
            .join(pairs, on="sought", how="inner", maintain_order="left")
            for pairs in _sought(distinct, kind)
        ]
        if kind is Kind.ADDRESS and self.networks.texts:
            parts.append(self._in_networks(distinct))
        found = [part.drop("sought") for part in parts if part.height]
        return pl.concat(found, how="vertical_relaxed") if found else None

    def _in_networks(self, distinct: pl.Series) -> pl.DataFrame:
        """Addresses that lie in a network."""
        given, rows = self.networks.find(distinct)
        held = self.tables[Kind.NETWORK].rows[rows]
        return held.with_columns(
            pl.Series("sought", given, dtype=pl.String), pl.Series("given", given, dtype=pl.String)
        )


def _written(frame: pl.DataFrame, met: pl.DataFrame) -> pl.DataFrame:
    """The frame with what its rows met (a row each, empty where it met nothing); the other rows as they were."""
    facts = {name: met[of].cast(pl.String).alias(name) for name, of in _ADDED.items()}
    own = {name: frame[name].cast(pl.String) for name in facts if name in frame.columns}
    if _NAME in own:
        said = pl.DataFrame({"about": facts[_ABOUT], "own": own[_NAME]})
        facts[_ABOUT] = said.select(pl.concat_str("about", "own", separator=" / ", ignore_nulls=True))[
            "about"
        ].alias(_ABOUT)
    hit = met["column"].is_not_null()
    kept = [
        fact.zip_with(hit, own.get(name, fact.clear(len(fact)))).alias(name) for name, fact in facts.items()
    ]
    return frame.with_columns(*kept, met["column"].alias(FOUND))


def _sought(distinct: pl.Series, kind: Kind) -> Iterator[pl.DataFrame]:
    """Frames of `given` and `sought`: what is looked up for each value in the events."""
    given = distinct.rename("given").to_frame()
    own = pl.col("given")
    if kind is Kind.DOMAIN:
        labels = own.str.to_lowercase().str.strip_chars_end(".").str.split(".")
        for n in range(2, _LABELS + 1):
            whole = given.with_columns(labels.alias("labels")).filter(pl.col("labels").list.len() >= n)
            if whole.height:
                yield whole.select("given", pl.col("labels").list.tail(n).list.join(".").alias("sought"))
        return
    if kind is Kind.URL:
        plain = own.str.split("#").list.first().str.strip_suffix("/")
        host = plain.str.extract(r"^([A-Za-z][\w+.-]*://[^/]*)", 1)
        yield given.with_columns(
            (host.str.to_lowercase() + plain.str.slice(host.str.len_chars())).fill_null(plain).alias("sought")
        )
        return
    yield given.with_columns((own if kind is Kind.ADDRESS else own.str.to_lowercase()).alias("sought"))
