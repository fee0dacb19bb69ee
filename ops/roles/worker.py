"""A pipeline worker: one lane of the spool into the store."""

import time
from dataclasses import dataclass, field
from pathlib import Path

from collectors import catalogue
from collectors.privacy import Privacy
from collectors.spool import Block, Reader, lane_folders
from hinomi.errors import HinomiError, StoreError
from hinomi.ledger import Ledger
from hinomi.store import Checkpoint, Records
from ops.counts import Counts
from ops.folders import cache_folder
from ops.formats import Formats
from ops.health import SourceHealth
from ops.indicators import LiveIndicators
from ops.indicators import held as held_indicators
from ops.journal import log
from ops.pipeline import Pipeline
from ops.roles.start import Role, role
from ops.watch import LiveEnricher, LiveRules

_QUIET = 0.4  # seconds between looks at a quiet lane: a line is stored within a second, in few files
_BUSY_ROWS = 2_000
_SAY_EVERY = 1.0
PULLED = "pull/lane-0"
"""The lane, below the data folder, that `ops.roles.pull` writes."""


@dataclass(slots=True)
class Lane:
    """One lane of the spool and how far it was stored."""

    name: str
    reader: Reader
    after: str | None


@dataclass(slots=True)
class Worker:
    """Reads its lanes, stores what they hold, remembers how far it came in the same commit.

    A lane that is left from a time with more workers has no worker of its own: the one whose number it leaves
    when divided by the number of workers reads it, too.
    """

    role: Role
    ledger: Ledger = field(default_factory=Ledger)
    rows: int = 0
    _said: float = 0.0

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
            pipeline.health.expect(self.role.settings.declared_sources())
        lanes = [self._lane(pipeline, f"lane-{self.role.lane}")]
        self._say(pipeline, lanes, counts)
        while not self.role.stop.is_set():
            known = {lane.reader.folder for lane in lanes}
            lanes += [
                self._lane(pipeline, name)
                for name in [*self._left(), *self._pulled()]
                if self._folder(name) not in known
            ]
            busy = [self._turn(pipeline, lane) for lane in lanes]
            self._say(pipeline, lanes, counts)
            if not any(busy):
                self.role.stop.wait(_QUIET)
        self._said = 0.0
        self._say(pipeline, lanes, counts)

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
        return Lane(name, Reader(self._folder(folder), self.ledger), pipeline.events.checkpoint(name))

    def _turn(self, pipeline: Pipeline, lane: Lane) -> bool:
        """Store the lane's next block; whether there was much."""
        block = lane.reader.read(lane.after)
        if block is None:
            return False
        self._store(pipeline, lane.name, block)
        lane.after = block.after
        lane.reader.trim(block.after)
        return block.frame.height >= _BUSY_ROWS

    def _store(self, pipeline: Pipeline, name: str, block: Block) -> None:
        """Store the block; a store that cannot (a full disk) is asked again, ever more slowly."""
        pause = 0.5
        while True:
            try:
                pipeline.process(block.frame, Checkpoint(name, block.after))
            except StoreError as error:
                log.error("store_refused", reason=str(error), retry_in=pause)
                if self.role.stop.wait(pause):
                    raise
                pause = min(pause * 2, 30.0)
            else:
                self.rows += block.frame.height
                return

    def _say(self, pipeline: Pipeline, lanes: list[Lane], counts: Counts) -> None:
        if time.monotonic() - self._said < _SAY_EVERY and self._said:
            return
        self._said = time.monotonic()
        try:
            counts.save(self.ledger)
            if pipeline.health is not None:
                pipeline.health.save()
        except StoreError as error:  # the counts stay in the ledger until the store takes them
            log.error("counts_not_saved", reason=str(error))
        backlog = sum(lane.reader.backlog(lane.after) for lane in lanes)
        after = {lane.name: lane.after for lane in lanes}
        self.role.ready(
            rows=self.rows, stages=dict(pipeline.stages.seconds), spool_bytes=backlog, after=after
        )


if __name__ == "__main__":
    role("worker", lambda process: Worker(process).run())
