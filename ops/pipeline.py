"""The worker's path: spooled lines → parsed → enriched → masked → matched → one commit in the store."""

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

import polars as pl

from collectors import catalogue, unopened
from collectors.carried import cut
from collectors.continued import Carry
from collectors.decode import decode
from collectors.enrich import Enricher
from collectors.indicators import Matcher
from collectors.organizations import Organizations, stamped
from collectors.privacy import Privacy
from collectors.senders import together
from collectors.source import ROW, Source
from collectors.table_headers import HEADER_LINE, TableHeaders
from hinomi.batch import DEAD_LETTERS, SIGNALS, Batch
from hinomi.clock import Clock
from hinomi.errors import ContentError
from hinomi.ledger import Ledger
from hinomi.store import Appended, Checkpoint, Events
from ops.arrivals import Arrivals
from ops.formats import Formats
from ops.health import SourceHealth
from ops.indicators import LiveIndicators
from ops.journal import log
from ops.own_findings import OWN_FINDINGS
from ops.sorting import REASON, REFUSED_BY, WHY, Sorting
from ops.stages import Stages
from ops.watch import LiveEnricher
from rules.engine import RuleSet
from rules.stats import Tally

_TRIES, _IN_ALL = 64, 512
"""How often a part that a parser failed at is read again in halves, of each sender and of all together: who sends such lines buys
no more of the tower's time, and over UDP anybody is as many senders as they like."""
_CAME = "_came"
_GUESSED = {"", "auto"}  # encodings of a listener that leave the choice to the source
Rules = Callable[[], RuleSet]
_Failing = tuple[pl.DataFrame, Exception]


@dataclass(frozen=True, slots=True)
class Prepared:
    """Lines with what they hold, ready to be stored; client_ids: those of their ids that senders chose."""

    lines: pl.DataFrame
    batches: list[Batch]
    client_ids: frozenset[str]


@dataclass(slots=True)
class Pipeline:
    """One worker's pipeline. `rules` is asked for each block, so that a reload takes effect between blocks.

    encodings: origin → declared text encoding ("" = guess).
    """

    events: Events
    formats: Formats
    enricher: Enricher | LiveEnricher
    privacy: Privacy
    rules: Rules
    ledger: Ledger
    clock: Clock
    encodings: Mapping[str, str] = field(default_factory=dict)
    stages: Stages = field(default_factory=Stages)
    health: SourceHealth | None = None
    indicators: LiveIndicators | Matcher | None = None
    tally: Tally | None = None
    arrivals: Arrivals | None = None
    organizations: Organizations = field(default_factory=Organizations)
    carry: Carry = field(default_factory=Carry)
    headers: TableHeaders = field(default_factory=TableHeaders)
    sorting: Sorting = field(init=False)

    def __post_init__(self) -> None:
        self.sorting = Sorting(self.formats)

    def process(self, lines: pl.DataFrame, checkpoint: Checkpoint | None = None) -> Appended:
        """Store what these lines hold, and the reader's place, in one commit.

        lines: columns `origin`, `peer`, `client_id` String, `received` Datetime(ns, UTC), `payload` Binary,
        `event.id` String. Nothing is lost: a line that no source understands is stored as a dead letter.
        """
        prepared = self.prepare(lines)
        appended = self.commit(prepared, checkpoint)
        self.count(prepared, appended)
        return appended

    def prepare(self, lines: pl.DataFrame) -> Prepared:
        """Parse, enrich, mask and match; nothing is stored yet."""
        batches: list[Batch] = []
        for (name,), part in lines.group_by(["origin"], maintain_order=True):
            origin = str(name)
            if origin == unopened.ORIGIN:
                batches += [
                    stamped(one, self.organizations.whose(one.origin)) for one in self._unopened(part)
                ]
                continue
            found = self._of_origin(origin, part)
            self._tell_health(origin, found, part)
            if self.arrivals is not None and origin not in OWN_FINDINGS:
                self.arrivals.tally.took(origin, found, part)
            batches += found
        with self.stages.timed("match"):
            batches += [batch for batch in map(self._signals, list(batches)) if batch is not None]
        chosen = lines.filter(pl.col("client_id") != "")["event.id"].to_list()
        return Prepared(lines, batches, frozenset(chosen))

    def commit(self, prepared: Prepared, checkpoint: Checkpoint | None = None) -> Appended:
        """Store what was prepared, in one commit; may be repeated where it fails."""
        with self.stages.timed("store"):
            return self.events.append(prepared.batches, checkpoint=checkpoint, client_ids=prepared.client_ids)

    def count(self, prepared: Prepared, appended: Appended) -> None:
        """Count what was stored, once it is."""
        self.headers.stored()
        self._count(prepared.lines, prepared.batches, appended)

    def replay(self, lines: pl.DataFrame) -> tuple[int, set[str]]:
        """Store what is understood now of lines that were dead letters; the rest stays as it was. How many are new, and the ids
        of all that are understood."""
        parts = lines.group_by(["origin"], maintain_order=True)
        read = [batch for (origin,), part in parts for batch in self._of_origin(str(origin), part)]
        batches = [batch for batch in read if batch.dataset != DEAD_LETTERS]
        batches += [batch for batch in map(self._signals, list(batches)) if batch is not None]
        ids = frozenset(identity for batch in batches for identity in batch.frame["event.id"].to_list())
        found = [self.events.append([batch], client_ids=ids).stored for batch in batches]
        new = sum(n for n, batch in zip(found, batches, strict=True) if batch.dataset != SIGNALS)
        still = {one for batch in read if batch.dataset == DEAD_LETTERS for one in batch.frame["event.id"]}
        return new, set(lines["event.id"].to_list()) - still

    def _of_origin(self, origin: str, part: pl.DataFrame) -> list[Batch]:
        """What the origin's lines hold, each stamped with whose it is: no line says that of itself. Senders of the same
        organisation and encoding are read together."""
        alike: dict[tuple[str, str], list[str]] = {}
        for peer in part["peer"].unique(maintain_order=True).to_list():
            key = self.organizations.whose(origin, peer), self._encoding(origin, peer)
            alike.setdefault(key, []).append(peer)
        found = []
        for (whose, encoding), peers in alike.items():
            own = part if len(alike) == 1 else part.filter(pl.col("peer").is_in(peers))
            found += [stamped(batch, whose) for batch in self._understood(origin, encoding, own)]
        return found

    def _understood(self, origin: str, encoding: str, part: pl.DataFrame) -> list[Batch]:
        with self.stages.timed("decode"):
            message = decode(part["payload"], encoding, self.ledger, origin=origin, senders=part["peer"])
            rows = part.select(pl.lit(message).alias("message"), "received", "peer", "event.id", "payload")
        batches: list[Batch] = []

        def read(name: str, rows: pl.DataFrame) -> pl.DataFrame:
            source = self._source(name, origin)
            if source is None:
                return rows.with_columns(pl.lit("no_such_source").alias(WHY))
            text = self._text(source, rows, origin, encoding)
            if text is None:
                found, refused = self._asked(source, rows.with_row_index(ROW), origin)
                batches.extend(found)
                return refused
            own = rows.with_columns(text.alias("message"), pl.col("message").alias(_CAME))
            found, refused = self._asked(source, own.with_row_index(ROW), origin)
            batches.extend(found)
            # the next source and the dead letters have it as it came: fewer lines would be guessed otherwise
            return refused.with_columns(pl.col(_CAME).alias("message")).drop(_CAME)

        left = self.sorting.sort(origin, rows, read)
        for (source,), letters in left.group_by([REFUSED_BY], maintain_order=True):
            reasons = letters[REASON].fill_null("unknown_format")
            batches.append(self._dead(letters, reasons, str(source or ""), origin))
        return batches

    def _encoding(self, origin: str, peer: str) -> str:
        """The listener's; where it leaves the choice that of the source that the lines are most likely of ("": guess)."""
        declared, likely = self.encodings.get(origin, ""), self.formats.likely(origin, peer)
        if declared not in _GUESSED:
            return declared
        source = self._source(likely, origin) if likely else None
        return "" if source is None or source.encoding in _GUESSED else source.encoding

    def _text(self, source: Source, rows: pl.DataFrame, origin: str, encoding: str) -> pl.Series | None:
        """The lines as the source has them where the listener leaves the choice; None where that is how they stand already."""
        own = "" if source.encoding in _GUESSED else source.encoding
        if self.encodings.get(origin, "") not in _GUESSED or own == encoding:
            return None
        counted = Ledger()  # the first time, elsewhere
        return decode(rows["payload"], own, counted, origin=origin, senders=rows["peer"])

    def _asked(self, source: Source, rows: pl.DataFrame, origin: str) -> tuple[list[Batch], pl.DataFrame]:
        """What a source understands, and the rows that it refuses with why."""
        try:
            found, refused = self._of_source(source, rows, origin)
        except Exception as error:  # a parser's own mistake must not stop the tower or lose a line
            log.error(
                "parser_failed", source=source.name, origin=origin, error=f"{type(error).__name__}: {error}"
            )
            found, refused = self._around(source, rows, origin, error)
        return found, refused.drop(ROW)

    def _around(
        self, source: Source, intake: pl.DataFrame, origin: str, error: Exception
    ) -> tuple[list[Batch], pl.DataFrame]:
        """What can be read beside the lines that a parser fails at: by halves of the senders, so that none pays for another's
        lines, then by halves of each failing sender's own, as long as there are tries."""
        found: list[Batch] = []
        refused = [intake.clear().with_columns(pl.lit(None, pl.String).alias(WHY))]

        def halved(part: pl.DataFrame, why: Exception, by: str, tries: int) -> list[_Failing]:
            """What the parser still fails at when each part has one value of a column, or the tries are spent."""
            parts, ended = [(part, why)], list[_Failing]()
            while parts:
                part, why = parts.pop()
                values = part[by].unique(maintain_order=True).to_list()
                if len(values) < 2 or tries < 2:
                    ended.append((part, why))
                    continue
                tries -= 2
                first = part[by].is_in(values[: len(values) // 2])
                for half in (part.filter(first), part.filter(~first)):
                    try:
                        more, left = self._of_source(source, half.drop(ROW).with_row_index(ROW), origin)
                    except Exception as again:  # the same mistake, or another
                        parts.append((half, again))
                        continue
                    found.extend(more)
                    refused.append(left)
            return ended

        senders = halved(intake, error, "peer", _IN_ALL)
        tries = min(_TRIES, _IN_ALL // len(senders)) if senders else 0
        for own, its in senders:
            for part, why in halved(own, its, ROW, tries):
                reason = pl.lit(f"parser_failed:{type(why).__name__}")
                came = pl.col(_CAME if _CAME in part.columns else "message").alias("message")
                found.append(self._dead(part.with_columns(came), reason, source.name, origin))
        return found, pl.concat(refused)

    def _unopened(self, part: pl.DataFrame) -> list[Batch]:
        told = unopened.read(decode(part["payload"], "utf-8", self.ledger, origin=unopened.ORIGIN))
        own = part.select("event.id", "received", "peer").hstack(told).rename({"text": "message"})
        return [
            self._dead(letters, letters["reason"], str(source), str(origin))
            for (origin, source), letters in own.group_by(["origin", "source"], maintain_order=True)
        ]

    def _source(self, name: str | None, origin: str) -> Source | None:
        """The source; None where the file of a declared one is wrong or gone: its lines are kept until it is mended."""
        try:
            return catalogue.find(name) if name is not None else None
        except ContentError as error:
            log.error("no_such_source", source=name, origin=origin, reason=str(error))
            return None

    def _of_source(
        self, source: Source, intake: pl.DataFrame, origin: str
    ) -> tuple[list[Batch], pl.DataFrame]:
        """What the source understands, and the rows of the intake that it refuses, with why."""
        with self.stages.timed("parse"):
            lines = intake.select(ROW, "message", "received", "peer")
            parsed = together(
                lambda rows: self.carry.parse(source, rows, origin, str(rows["peer"][0])),
                lines,
                apart=bool(source.event_of),
            )
            parsed = self.headers.checked(parsed, lines, source, origin)
        batches = [self._batch(source, frame, intake, origin) for frame in parsed.frames if frame.height]
        rejected = parsed.rejected.filter(pl.col("reason") != HEADER_LINE)
        self.ledger.count(
            "dropped", parsed.rejected.height - rejected.height, dataset=source.name, reason=HEADER_LINE
        )
        read = intake.join(parsed.rejected, on=ROW, how="anti") if parsed.rejected.height else intake
        shortened = int(cut(read["message"]).sum())
        self.ledger.count("truncated", shortened, dataset=source.name, reason="fields_of_line_beginning_only")
        return batches, intake.join(rejected.rename({"reason": WHY}), on=ROW, maintain_order="left")

    def _batch(self, source: Source, frame: pl.DataFrame, intake: pl.DataFrame, origin: str) -> Batch:
        with self.stages.timed("enrich"):
            own = _with_event_columns(frame, intake, source.name, origin)
            enriched = self.enricher.enrich(own)
        if self.indicators is not None:
            with self.stages.timed("indicators"):
                enriched = self.indicators.mark(enriched)
        with self.stages.timed("privacy"):
            masked = self.privacy.apply(source.name, enriched)
        with self.stages.timed("type"):
            return Batch.of(source.name, masked, origin=origin, ingested=self.clock.now())

    def _tell_health(self, origin: str, batches: list[Batch], part: pl.DataFrame) -> None:
        last = part["received"].max()
        if self.health is None or not isinstance(last, datetime):
            return
        parsed = Counter[str]()
        for batch in batches:
            parsed[batch.dataset] += len(batch)
        dead = parsed.pop(DEAD_LETTERS, 0)
        for source, n in parsed.most_common() or [("", 0)]:
            self.health.took(origin, source, n, dead, last)
            dead = 0

    def _dead(self, intake: pl.DataFrame, reason: pl.Expr | pl.Series, source: str, origin: str) -> Batch:
        frame = intake.select(
            pl.col("event.id"),
            pl.col("message").alias("event.original"),
            pl.col("received").alias("@timestamp"),
            pl.lit(reason).alias("error.message")
            if isinstance(reason, pl.Series)
            else reason.alias("error.message"),
            pl.lit(source).alias("hinomi.dead_letter.source"),
            pl.lit(origin).alias("hinomi.origin"),
            pl.col("peer").alias("log.source.address"),
            pl.lit("pipeline_error").alias("event.kind"),
        )
        masked = self.privacy.apply(source or DEAD_LETTERS, frame)
        self.ledger.count("dead_letter", frame.height, dataset=source or origin, reason="not_understood")
        return Batch.of(DEAD_LETTERS, masked, origin=origin, ingested=self.clock.now())

    def _signals(self, batch: Batch) -> Batch | None:
        if batch.dataset == DEAD_LETTERS:
            return None
        rules = self.rules()
        try:
            matches = rules.match(batch)
            signals = rules.signals(batch, matches)
            if self.tally is not None:
                self.tally.saw(rules, batch, matches)
        except Exception as error:  # the events are stored all the same, and the loss is counted and said
            log.error("match_failed", dataset=batch.dataset, error=f"{type(error).__name__}: {error}")
            self.ledger.count("dropped", len(batch), dataset=batch.dataset, reason="not_matched_engine_error")
            return None
        return (
            Batch.of(SIGNALS, signals, origin=batch.origin, ingested=self.clock.now())
            if signals.height
            else None
        )

    def _count(self, lines: pl.DataFrame, batches: list[Batch], appended: Appended) -> None:
        for origin, n in lines["origin"].value_counts().iter_rows():
            self.ledger.count("received", n, dataset=origin)
        for batch in batches:
            self.ledger.count("stored", len(batch), dataset=batch.dataset)
        self.ledger.count("duplicate", appended.duplicates, dataset="", reason="sent_again_by_client")


def _with_event_columns(frame: pl.DataFrame, intake: pl.DataFrame, name: str, origin: str) -> pl.DataFrame:
    """The parsed frame with identity, raw line and origin, taken from its rows of the intake."""
    rows = frame[ROW]
    given = intake if frame.height == intake.height and rows.is_sorted() else intake[rows]
    columns = [
        given["event.id"],
        given["message"].alias("event.original"),
        given["peer"].alias("log.source.address"),
        given["received"].alias("event.created"),
    ]
    constants = [
        pl.lit(name).alias("event.dataset"),
        pl.lit(name.partition(".")[0]).alias("event.module"),
        pl.lit(origin).alias("hinomi.origin"),
    ]
    held = (
        frame.drop(ROW, "event.id", "event.original", strict=False)
        .with_columns(columns)
        .with_columns(constants)
    )
    if "@timestamp" in held.columns:
        return held.with_columns(pl.coalesce("@timestamp", "event.created").alias("@timestamp"))
    return held.with_columns(pl.col("event.created").alias("@timestamp"))
