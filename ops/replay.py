"""Replaying dead letters after a source was mended: read again, stored once, counted."""

from dataclasses import dataclass

import polars as pl

from collectors import catalogue
from collectors.privacy import Privacy
from hinomi.batch import DEAD_LETTERS
from hinomi.clock import Clock
from hinomi.ledger import Ledger
from hinomi.store import Events, Records
from ops import zones
from ops.counts import Counts
from ops.folders import cache_folder
from ops.formats import Formats
from ops.pipeline import Pipeline
from ops.settings import Settings
from ops.watch import LiveEnricher, LiveRules


@dataclass(frozen=True, slots=True)
class Replayed:
    """letters: how many were read again; understood: how many became events now."""

    letters: int
    understood: int


def replay(source: str, settings: Settings, events: Events, records: Records, clock: Clock) -> Replayed:
    """Parse the dead letters of a source (or those that no source was found for) with the source as it is now.

    Events keep the ids of their letters, so that replaying twice stores nothing twice; the letters stay.
    """
    for folder in settings.sources.folders:
        catalogue.add(folder)
    zones.use(settings.timezone, "timezone")
    ledger = Ledger()
    pipeline = Pipeline(
        events=events,
        formats=Formats(records, clock, {}),
        enricher=LiveEnricher(settings.enrich),
        privacy=Privacy(settings.privacy, ledger),
        rules=LiveRules(settings.rules_in_force(), cache_folder()),
        ledger=ledger,
        clock=clock,
    )
    letters = understood = 0
    for frame in events.scan(DEAD_LETTERS):
        own = frame.filter(pl.col("hinomi.dead_letter.source").fill_null("").is_in(["", source]))
        if own.height:
            letters += own.height
            pipeline.formats.declared.update(dict.fromkeys(_origins(own), source))
            understood += pipeline.replay(_lines(own))
    Counts(records, "replay").save(ledger)
    return Replayed(letters, understood)


def _origins(letters: pl.DataFrame) -> list[str]:
    return letters["hinomi.origin"].fill_null("").unique().to_list()


def _lines(letters: pl.DataFrame) -> pl.DataFrame:
    return letters.select(
        pl.col("hinomi.origin").fill_null("").alias("origin"),
        pl.col("log.source.address").fill_null("").alias("peer"),
        pl.col("event.id").alias("client_id"),
        pl.col("@timestamp").alias("received"),
        pl.col("event.original").fill_null("").cast(pl.Binary).alias("payload"),
        pl.col("event.id"),
    )
