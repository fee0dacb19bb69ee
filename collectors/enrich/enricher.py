"""Adds zones, places, asset and staff facts: each distinct value is looked up once, then joined."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

import polars as pl

from collectors.enrich.places import (
    NO_GEOGRAPHY,
    NOWHERE,
    Geography,
    MaxMind,
    Overrides,
    PackagedCountries,
    ZoneMap,
    read_address,
)
from collectors.enrich.registers import Assets, Staff, folded_column, short_column
from collectors.enrich.settings import EnrichSettings, Zone
from hinomi.errors import ConfigError

T = TypeVar("T")

SIDES = ("source", "destination", "client", "server")
_MEMO = 200_000
_NAMES = (
    "user.name",
    "user.email",
    "user.full_name",
)  # the columns that may name one of the staff, in this order
_FACTS = {"ip": pl.String, "zone": pl.String, "country": pl.String, "location": pl.String}


@dataclass(slots=True)
class Enricher:
    """Enrichment with one configuration. Not thread-safe: one a worker."""

    zones: ZoneMap
    geography: Geography
    staff: Staff = field(default_factory=Staff)
    assets: Assets = field(default_factory=Assets)
    _memo: dict[str, tuple[str | None, str | None, str | None]] = field(default_factory=dict)

    @classmethod
    def of(cls, settings: EnrichSettings, problems: list[ConfigError] | None = None) -> "Enricher":
        """An enricher from the configuration. A file that cannot be read is left out and its error added to
        `problems`; raised where none are taken."""
        geography: Geography = _read(settings.mmdb, MaxMind.load, None, problems) or PackagedCountries.load()
        own = _read(settings.geo_override, lambda path: Overrides.load(path, geography), geography, problems)
        return cls(
            ZoneMap(settings.zones),
            own,
            _read(settings.staff, Staff.load, Staff(), problems),
            _read(settings.assets, Assets.load, Assets(), problems),
        )

    def enrich(self, frame: pl.DataFrame) -> pl.DataFrame:
        """The same rows in the same order with enrichment columns; a value the source gave is kept."""
        enriched = self._with_places(frame)
        enriched = self._with_assets(enriched)
        enriched = self._with_staff(enriched)
        return self._with_direction(enriched)

    def _with_places(self, frame: pl.DataFrame) -> pl.DataFrame:
        sides = [side for side in SIDES if f"{side}.ip" in frame.columns]
        if not sides:
            return frame
        distinct = (
            pl.concat([frame[f"{side}.ip"].unique().rename("ip") for side in sides]).unique().drop_nulls()
        )
        facts = self._facts(distinct.to_list())
        for side in sides:
            frame = self._with_side(frame, side, facts)
        return frame

    def _with_side(self, frame: pl.DataFrame, side: str, facts: pl.DataFrame) -> pl.DataFrame:
        names = {
            "zone": f"{side}.zone",
            "country": f"{side}.geo.country_iso_code",
            "location": f"{side}.geo.location",
        }
        found = frame.select(f"{side}.ip").join(
            facts, left_on=f"{side}.ip", right_on="ip", how="left", maintain_order="left"
        )
        columns = []
        for fact, name in names.items():
            value = found[fact]
            if name in frame.columns:
                columns.append(pl.coalesce(pl.col(name).cast(pl.String), pl.lit(value)).alias(name))
            elif value.null_count() < len(value):
                columns.append(pl.lit(value).alias(name))
        return frame.with_columns(columns)

    def _facts(self, addresses: list[str]) -> pl.DataFrame:
        if len(self._memo) > _MEMO:
            self._memo.clear()
        memo = self._memo
        rows = []
        for text in addresses:
            fact = memo.get(text)
            if fact is None:
                fact = memo[text] = self._look_up(text)
            rows.append((text, *fact))
        return pl.DataFrame(rows, schema=_FACTS, orient="row")

    def _look_up(self, text: str) -> tuple[str | None, str | None, str | None]:
        address = read_address(text)
        if address is None:
            return None, None, None
        zone = self.zones.zone(address)
        place = self.geography.place(address) if zone is Zone.EXTERNAL else NOWHERE
        return zone, place.country, place.location

    def _with_assets(self, frame: pl.DataFrame) -> pl.DataFrame:
        if "host.name" in frame.columns and self.assets.by_host.height:
            frame = _joined(frame, short_column(pl.col("host.name")), self.assets.by_host)
        if "host.asset.zone" in frame.columns and "host.zone" not in frame.columns:
            frame = frame.with_columns(pl.col("host.asset.zone").alias("host.zone"))
        return frame

    def _with_staff(self, frame: pl.DataFrame) -> pl.DataFrame:
        columns = [name for name in _NAMES if name in frame.columns]
        if not columns or not self.staff.frame.height:
            return frame
        keys = self.staff.frame["key"].implode()
        names = [
            folded_column(pl.col(name)).str.replace(r"^.*\\", "").str.replace(r"@.*$", "") for name in columns
        ]
        known = [pl.when(name.is_in(keys)).then(name) for name in names]
        return _joined(frame, pl.coalesce(known), self.staff.frame)

    def _with_direction(self, frame: pl.DataFrame) -> pl.DataFrame:
        if not {"source.zone", "destination.zone"} <= set(frame.columns):
            return frame
        from_outside, to_outside = (
            pl.col("source.zone") == Zone.EXTERNAL,
            pl.col("destination.zone") == Zone.EXTERNAL,
        )
        direction: pl.Expr = (
            pl.when(from_outside & to_outside)
            .then(pl.lit("external"))
            .when(from_outside & pl.col("destination.zone").is_not_null())
            .then(pl.lit("inbound"))
            .when(to_outside & pl.col("source.zone").is_not_null())
            .then(pl.lit("outbound"))
            .when(pl.col("source.zone").is_not_null() & pl.col("destination.zone").is_not_null())
            .then(pl.lit("internal"))
        )
        if "network.direction" in frame.columns:
            direction = pl.coalesce(pl.col("network.direction"), direction)
        return frame.with_columns(direction.alias("network.direction"))


def _read(
    path: Path | None, load: Callable[[Path], T], otherwise: T, problems: list[ConfigError] | None
) -> T:
    if path is None:
        return otherwise
    try:
        return load(path)
    except ConfigError as error:
        if problems is None:
            raise
        problems.append(error)
        return otherwise


READERS: dict[str, Callable[[Path], object]] = {
    "staff": Staff.load,
    "assets": Assets.load,
    "mmdb": MaxMind.load,
    "geo_override": lambda path: Overrides.load(path, NO_GEOGRAPHY),
}
"""What each file of `enrich:` is read by: raises ConfigError when it is not what it should be."""


def _joined(frame: pl.DataFrame, key: pl.Expr, facts: pl.DataFrame) -> pl.DataFrame:
    """The frame with the facts of its key; columns that stay empty are left out."""
    found = frame.select(key.alias("key")).join(facts, on="key", how="left", maintain_order="left")
    columns = [
        found[name] for name in facts.columns if name != "key" and found[name].null_count() < found.height
    ]
    return frame.with_columns(columns) if columns else frame
