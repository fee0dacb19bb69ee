"""A pipeline worker: one lane of the spool into the store."""

import time
from dataclasses import dataclass, field

from collectors.enrich import Enricher
from collectors.privacy import Privacy
from collectors.spool import Block, Reader
from hinomi.errors import StoreError
from hinomi.ledger import Ledger
from hinomi.store import Checkpoint
from ops.counts import Counts
from ops.folders import cache_folder
from ops.formats import Formats
from ops.journal import log
from ops.pipeline import Pipeline
from ops.roles.start import Role, role
from ops.watch import LiveRules

_QUIET = 0.4  # seconds between looks at a quiet lane: a line is stored within a second, in few files
_BUSY_ROWS = 2_000
_SAY_EVERY = 1.0


@dataclass(slots=True)
class Worker:
    """Reads a lane, stores what it holds, remembers how far it came in the same commit."""

    role: Role
    ledger: Ledger = field(default_factory=Ledger)
    rows: int = 0
    _said: float = 0.0

    def run(self) -> None:
        """Until told to stop; what was read is stored first."""
        role_, settings = self.role, self.role.settings
        records = role_.records()
        counts = Counts(records, role_.name)
        reader = Reader(role_.data / "spool" / f"lane-{role_.lane}", self.ledger)
        pipeline = Pipeline(
            events=role_.events(),
            formats=Formats(records, role_.clock, settings.declared_sources()),
            enricher=Enricher.of(settings.enrich),
            privacy=Privacy(settings.privacy, self.ledger),
            rules=LiveRules(settings.rule_folders(), cache_folder()),
            ledger=self.ledger,
            clock=role_.clock,
            encodings=settings.encodings(),
        )
        pipeline.rules()
        after = pipeline.events.checkpoint(role_.name)
        self._say(pipeline, reader, after, counts)
        while not role_.stop.is_set():
            block = reader.read(after)
            if block is not None:
                after = self._store(pipeline, block)
                reader.trim(after)
            self._say(pipeline, reader, after, counts)
            if block is None or block.frame.height < _BUSY_ROWS:
                role_.stop.wait(_QUIET)
        counts.save(self.ledger)

    def _store(self, pipeline: Pipeline, block: Block) -> str:
        """Store the block; a store that cannot (a full disk) is asked again, ever more slowly."""
        pause = 0.5
        while True:
            try:
                pipeline.process(block.frame, Checkpoint(self.role.name, block.after))
            except StoreError as error:
                log.error("store_refused", reason=str(error), retry_in=pause)
                if self.role.stop.wait(pause):
                    raise
                pause = min(pause * 2, 30.0)
            else:
                self.rows += block.frame.height
                return block.after

    def _say(self, pipeline: Pipeline, reader: Reader, after: str | None, counts: Counts) -> None:
        if time.monotonic() - self._said < _SAY_EVERY and self._said:
            return
        self._said = time.monotonic()
        counts.save(self.ledger)
        self.role.ready(
            rows=self.rows,
            stages=dict(pipeline.stages.seconds),
            spool_bytes=reader.backlog(after),
            after=after,
        )


if __name__ == "__main__":
    role("worker", lambda process: Worker(process).run())
