"""Replaying dead letters after a source was mended: read again, stored once, counted."""

from dataclasses import dataclass

import polars as pl

from collectors.enrich import Enricher
from collectors.privacy import Privacy
from hinomi.batch import DEAD_LETTERS
from hinomi.clock import Clock
from hinomi.ledger import Ledger
from hinomi.store import Events, Records
from ops.folders import cache_folder
from ops.formats import Formats
from ops.pipeline import Pipeline
from ops.settings import Settings
from ops.watch import LiveRules


@dataclass(frozen=True, slots=True)
class Replayed:
    """letters: how many were read again; understood: how many became events now."""

    letters: int
    understood: int


def replay(source: str, settings: Settings, events: Events, records: Records, clock: Clock) -> Replayed:
    """Parse the dead letters of a source (or those that no source was found for) with the source as it is now.

    Events keep the ids of their letters, so that replaying twice stores nothing twice; the letters stay.
    """
    ledger = Ledger()
    origins = dict.fromkeys(settings.listen, source)
    pipeline = Pipeline(
        events=events,
        formats=Formats(records, clock, {**origins, "replay": source}),
        enricher=Enricher.of(settings.enrich),
        privacy=Privacy(settings.privacy, ledger),
        rules=LiveRules(settings.rule_folders(), cache_folder()),
        ledger=ledger,
        clock=clock,
    )
    letters = understood = 0
    for frame in events.scan(DEAD_LETTERS):
        own = frame.filter(pl.col("hinomi.dead_letter.source").fill_null("").is_in(["", source]))
        if own.height:
            letters += own.height
            understood += pipeline.replay(_lines(own))
    return Replayed(letters, understood)


def _lines(letters: pl.DataFrame) -> pl.DataFrame:
    return letters.select(
        pl.lit("replay").alias("origin"),
        pl.col("log.source.address").fill_null("").alias("peer"),
        pl.col("event.id").alias("client_id"),
        pl.col("@timestamp").alias("received"),
        pl.col("event.original").fill_null("").cast(pl.Binary).alias("payload"),
        pl.col("event.id"),
    )
