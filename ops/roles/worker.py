"""A pipeline worker: its lanes of the spool into the store.

The lane of quiet senders has its turn before each block of a loud one's, and such a block is no more than about a second's
work: a line that calls somebody waits for that at most, however far a firewall's lines are behind.
"""

import time
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

import polars as pl

from collectors import catalogue, pins
from collectors.organizations import Organizations
from collectors.privacy import Privacy
from collectors.settings import Kind
from collectors.spool import Reader, lane_folders
from collectors.table_headers import TableHeaders
from hinomi.errors import HinomiError, StoreError
from hinomi.ledger import Ledger
from hinomi.store import Checkpoint, Records
from hinomi.store.elastic.events import ElasticEvents
from ops.arrivals import Arrivals
from ops.counts import Counts
from ops.flow import Flow
from ops.folders import cache_folder
from ops.formats import Formats
from ops.health import SourceHealth
from ops.indicators import LiveIndicators
from ops.indicators import held as held_indicators
from ops.journal import log
from ops.lookahead import Lookahead
from ops.pipeline import Pipeline
from ops.refusals import Refusals
from ops.roles.start import Role, role
from ops.stored_place import StoredPlace
from ops.watch import LiveEnricher, LiveRules
from rules import quarantine
from rules.stats import Tally

_QUIET = 0.4  # seconds between looks at a quiet lane: a line is stored within a second, in few files
_BUSY_ROWS = 2_000
_MOST_ROWS = 20_000
_TURN = 0.8  # seconds of work in a block at most, by the speed of the last one
_SAY_EVERY = 1.0
_MIRROR_EVERY = 5.0
_DAY = 86_400.0
PULLED = "pull/lane-0"
"""The lane, below the data folder, that `ops.roles.pull` writes."""


@dataclass(slots=True)
class Lane:
    """One lane of the spool: how far it was stored, and how far it was read."""

    name: str
    reader: Reader
    flow: Flow
    after: str | None
    read: str | None
    ahead: Lookahead | None = None
    place: StoredPlace | None = None
    through: float = 0.0  # everything received until then was read
    rows: int = 2 * _BUSY_ROWS  # of its next block: few until its speed is known

    def took(self, rows: int, seconds: float) -> None:
        """How long so many rows were under way sets the size of the next block."""
        if rows >= _BUSY_ROWS:
            self.rows = int(min(_MOST_ROWS, max(_BUSY_ROWS, rows / max(seconds, 1e-6) * _TURN)))


@dataclass(slots=True)
class Worker:
    """Reads its lanes, stores what they hold, remembers how far it came in the same commit.

    Its own lane, the one of its quiet senders (whose number is higher by the number of workers) and those that are left from a
    time with more workers: any whose number leaves its own when divided by the number of workers.
    """

    role: Role
    ledger: Ledger = field(default_factory=Ledger)
    _said: float = 0.0
    _mirrored: float = 0.0
    _forgot: float = 0.0

    def run(self) -> None:
        """Until told to stop; what was read is stored first."""
        records = self.role.records()
        counts = Counts(records, self.role.label)
        problems: list[HinomiError] = []
        for folder in self.role.settings.sources.folders:
            catalogue.add(folder, problems)
        for problem in problems:
            log.error("source_not_loaded", reason=str(problem))
        pipeline = self._pipeline(records)
        pipeline.rules()
        if pipeline.health is not None and self.role.lane == 0:
            pipeline.health.expect(self.role.settings.expected_sources())
        self._forget_dropped(records)
        lanes = [self._lane(pipeline, f"lane-{self.role.lane}")]
        self._say(pipeline, lanes, counts)
        while not self.role.stop.is_set():
            known = {lane.reader.folder for lane in lanes}
            lanes += [
                self._lane(pipeline, name)
                for name in [*self._left(), *self._pulled()]
                if self._folder(name) not in known
            ]
            busy = self._round(lanes)
            self._say(pipeline, lanes, counts)
            if not busy:
                self._forget_dropped(records)
                self.role.stop.wait(_QUIET)
        for lane in lanes:
            self._settled(lane)
        self._said = 0.0
        self._say(pipeline, lanes, counts)

    def _forget_dropped(self, records: Records) -> None:
        """At each start, and once a day while nothing is to be done."""
        if self.role.lane or (self._forgot and time.monotonic() - self._forgot < _DAY):
            return
        self._forgot = time.monotonic()
        listeners = self.role.settings.listen.items()
        dropped = [name for name, one in listeners if one.kind == Kind.FOLDER]
        try:
            pins.forget_dropped(records, self.role.clock, dropped)
        except StoreError as error:  # it has time
            log.error("formats_of_files_not_forgotten", reason=str(error))

    def _pipeline(self, records: Records) -> Pipeline:
        role_, settings = self.role, self.role.settings
        return Pipeline(
            events=role_.events(),
            formats=Formats(records, role_.clock, settings.declared_sources()),
            enricher=LiveEnricher(settings.enrich),
            indicators=LiveIndicators(held_indicators(role_.data), role_.clock),
            privacy=Privacy(settings.privacy, self.ledger),
            rules=LiveRules(settings.rules_in_force(role_.data), cache_folder()),
            ledger=self.ledger,
            clock=role_.clock,
            encodings=settings.encodings(),
            health=SourceHealth(records, role_.label),
            tally=Tally(records, role_.label, role_.clock),
            arrivals=Arrivals(records, role_.label, role_.clock, self.ledger),
            headers=TableHeaders(records, role_.clock),
            organizations=Organizations.of(settings.organizations, settings.pulled_parts()),
        )

    def _left(self) -> list[str]:
        """Lanes beyond the number of workers that this worker reads."""
        workers = self.role.settings.workers
        found = [int(folder.name.removeprefix("lane-")) for folder in lane_folders(self.role.data / "spool")]
        return [f"lane-{n}" for n in found if n >= workers and n % workers == self.role.lane]

    def _pulled(self) -> list[str]:
        """The lane of what is pulled from services: the first worker's, once it is there."""
        there = self.role.lane == 0 and self._folder(PULLED).exists()
        return [PULLED] if there else []

    def _folder(self, name: str) -> Path:
        return self.role.data / (name if name == PULLED else f"spool/{name}")

    def _lane(self, pipeline: Pipeline, folder: str) -> Lane:
        name = f"{self.role.machine}{folder}"
        reader, after = Reader(self._folder(folder), self.ledger), pipeline.events.checkpoint(name)
        clustered = isinstance(pipeline.events, ElasticEvents)
        refusals = Refusals(self.role.records(), name, self.role.clock) if clustered else None
        flow = Flow(pipeline, self.role.stop, refusals=refusals)
        ahead = self._ahead(pipeline, reader)
        if not clustered:  # whose checkpoints nobody else can write
            return Lane(name, reader, flow, after, after, ahead)
        place = StoredPlace(self.role.data / "stored", folder)
        own = place.read()
        if own is not None and own != after:
            log.info("checkpoint_of_this_machine", lane=name, own=own, store=after)
        return Lane(name, reader, flow, own or after, own or after, ahead, place)

    def _ahead(self, pipeline: Pipeline, reader: Reader) -> Lookahead | None:
        """On a cluster, which may be away for long; an embedded store is on the same machine as its spool."""
        if not isinstance(pipeline.events, ElasticEvents):
            return None
        return Lookahead.of(reader, pipeline, self.role.events())

    def _round(self, lanes: list[Lane]) -> bool:
        """A turn for each lane, one for the quick lane before each; whether there was much."""
        quick = f"{self.role.machine}lane-{self.role.lane + self.role.settings.workers}"
        first = [lane for lane in lanes if lane.name == quick]
        busy = False
        for lane in lanes:
            if lane.name != quick:
                turns = [self._turn(one) for one in (*first, lane)]
                busy = busy or any(turns)
        return busy

    def _turn(self, lane: Lane) -> bool:
        """Take the lane's next block; whether there was much."""
        before = self.role.clock.now().timestamp()
        block = lane.reader.read(lane.read, lane.rows)
        if block is None:
            self._settled(lane)
            lane.through = before
            return False
        began = time.monotonic()
        lane.flow.put(block.frame, Checkpoint(lane.name, block.after))
        lane.took(block.frame.height, time.monotonic() - began)
        lane.read = block.after
        if lane.ahead is not None:
            lane.ahead.look(lane.read)
        lane.through = _latest(block.frame, lane.through)
        self._stored(lane)
        return block.frame.height >= _BUSY_ROWS

    def _settled(self, lane: Lane) -> None:
        lane.flow.settle()
        self._stored(lane)

    def _stored(self, lane: Lane) -> None:
        """Forget the segments of the spool that are stored whole."""
        if lane.flow.stored is not None and lane.flow.stored != lane.after:
            lane.after = lane.flow.stored
            if lane.place is not None:
                lane.place.note(lane.after)
            lane.reader.trim(lane.after)

    def _say(self, pipeline: Pipeline, lanes: list[Lane], counts: Counts) -> None:
        if time.monotonic() - self._said < _SAY_EVERY and self._said:
            return
        self._said = time.monotonic()
        try:
            counts.save(self.ledger)
            if pipeline.health is not None:
                pipeline.health.save()
            self._say_rules(pipeline)
            if pipeline.arrivals is not None:
                pipeline.arrivals.through = min(lane.through for lane in lanes)
                pipeline.arrivals.save()
        except StoreError as error:  # the counts stay in the ledger until the store takes them
            log.error("counts_not_saved", reason=str(error))
        self._report(pipeline, lanes)

    def _say_rules(self, pipeline: Pipeline) -> None:
        """What the rules did, and which of them are set aside for now."""
        if pipeline.tally is None:
            return
        pipeline.tally.save(at_once=self.role.stop.is_set())
        if self.role.lane == 0 and time.monotonic() - self._mirrored > _MIRROR_EVERY:
            self._mirrored = time.monotonic()
            quarantine.mirror(pipeline.tally.records, self.role.data)

    def _report(self, pipeline: Pipeline, lanes: list[Lane]) -> None:
        backlog = sum(lane.reader.backlog(lane.after) for lane in lanes)
        after = {lane.name: lane.after for lane in lanes}
        self.role.ready(
            rows=sum(lane.flow.rows for lane in lanes),
            stages=dict(pipeline.stages.seconds),
            spool_bytes=backlog,
            after=after,
        )


def _latest(lines: pl.DataFrame, before: float) -> float:
    latest = lines["received"].max()
    return max(before, latest.timestamp()) if isinstance(latest, datetime) else before


if __name__ == "__main__":
    role("worker", lambda process: Worker(process).run())
