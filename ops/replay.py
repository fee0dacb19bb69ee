"""Replaying dead letters after a source was mended: read again, stored once, counted."""

from dataclasses import dataclass
from pathlib import Path

import polars as pl

from collectors import catalogue
from collectors.organizations import Organizations
from collectors.privacy import Privacy
from collectors.settings import AUTO
from hinomi.batch import DEAD_LETTERS
from hinomi.clock import Clock
from hinomi.errors import HinomiError, Refused
from hinomi.ledger import Ledger
from hinomi.store import Events, Record, Records
from ops import replayed, zones
from ops.counts import Counts
from ops.folders import cache_folder
from ops.formats import Formats
from ops.indicators import LiveIndicators, held
from ops.pipeline import Pipeline
from ops.settings import Settings
from ops.watch import LiveEnricher, LiveRules
from responders.audit import Audit
from responders.replays import KIND, Replays

_SAID = ("hinomi.origin", "hinomi.dead_letter.source", "log.source.address", "event.original")
_ON_A_CLUSTER = (
    "Elasticsearch の構成では、対応処理はログを書けません。書ける端末で hinomi replay --source を実行してください。",
    "on a cluster the respond process may not write events; run hinomi replay --source where events may be written",
)


@dataclass(frozen=True, slots=True)
class Replayed:
    """letters: how many were read again; understood: how many became events now."""

    letters: int
    understood: int


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which letters are read again. of: those that these sources refused; none: of `origin` all, else those of the source that
    they are read with and those that none was found for. origin: only of this one ("": of all)."""

    of: tuple[str, ...] = ()
    origin: str = ""

    def chosen(self, letters: pl.DataFrame, source: str) -> pl.DataFrame:
        """Those of the letters."""
        mine = letters.filter(pl.col("hinomi.origin") == self.origin) if self.origin else letters
        if self.origin and not self.of:
            return mine
        return mine.filter(pl.col("hinomi.dead_letter.source").fill_null("").is_in(self.of or ["", source]))


def replay(
    source: str,
    settings: Settings,
    events: Events,
    records: Records,
    clock: Clock,
    wanted: Wanted | None = None,
    data: Path | None = None,
) -> Replayed:
    """Parse dead letters with the source as it is now; `auto`: as lines that come now are. Those that were read before are not
    read again.

    Events keep the ids of their letters, so that replaying twice stores nothing twice; the letters stay, marked (`replayed`).
    data: the data folder, whose imported rules, switches, exceptions and indicators hold for these lines as for any other.
    """
    for folder in settings.sources.folders:
        catalogue.add(folder)
    if source != AUTO:
        catalogue.find(source)
    zones.use(settings.timezone, "timezone")
    ledger, encodings = Ledger(), dict[str, str]()
    pipeline = Pipeline(
        events=events,
        formats=Formats(records, clock, {}),
        enricher=LiveEnricher(settings.enrich),
        privacy=Privacy(settings.privacy, ledger),
        rules=LiveRules(settings.rules_in_force(data), cache_folder()),
        ledger=ledger,
        clock=clock,
        encodings=encodings,
        organizations=Organizations.of(settings.organizations, settings.pulled_parts()),
        indicators=None if data is None else LiveIndicators(held(data), clock),
    )
    letters = understood = 0
    done = replayed.marked(records)
    for frame in map(_whole, events.scan(DEAD_LETTERS)):
        own = (wanted or Wanted()).chosen(frame, source).filter(~pl.col("event.id").is_in(done))
        if own.height:
            letters += own.height
            origins = _origins(own)
            pipeline.formats.declared.update(dict.fromkeys(origins, source))
            encodings.update(dict.fromkeys(origins, "utf-8"))  # what is stored is text already
            stored, read = pipeline.replay(_lines(own))
            understood += stored
            replayed.mark(records, read)
    Counts(records, "replay").save(ledger)
    return Replayed(letters, understood)


def answer(
    settings: Settings,
    events: Events,
    records: Records,
    clock: Clock,
    audit: Audit,
    data: Path | None = None,
) -> int:
    """Do what people asked for on the page, each once; how many. What cannot be done is said in the asking's record.

    Stopped in the middle, it is done again at the next start: what is stored already is not stored twice.
    """
    asked = Replays(records, clock, audit).waiting()
    for one in asked:
        came = _came_of(one, settings, events, records, clock, data)
        records.put(KIND, one.id, {**one.body, **came}, expect=one.version)
    return len(asked)


def _came_of(
    one: Record, settings: Settings, events: Events, records: Records, clock: Clock, data: Path | None
) -> dict[str, object]:
    try:
        if settings.store.kind != "embedded":
            raise Refused(*_ON_A_CLUSTER)
        done = replay(str(one.body["source"]), settings, events, records, clock, data=data)
    except HinomiError as error:
        return {"state": "failed", "ended": clock.now().isoformat(), "ja": error.ja, "en": error.en}
    return {
        "state": "done",
        "ended": clock.now().isoformat(),
        "letters": done.letters,
        "understood": done.understood,
    }


def _whole(letters: pl.DataFrame) -> pl.DataFrame:
    """With a column for what not one letter of this page says: the store's own say less than the pipeline's."""
    missing = [name for name in _SAID if name not in letters.columns]
    return letters.with_columns(pl.lit(None, pl.String).alias(name) for name in missing)


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
