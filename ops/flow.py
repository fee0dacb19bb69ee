"""One lane's blocks into the store: while one is being stored the next is parsed and matched.

Blocks are stored in order, one at a time, each with the reader's place: what is under way is never more than one block
beyond what is stored. A store that cannot (a full disk, a cluster away) is asked again, ever more slowly.
"""

import threading
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field

import polars as pl

from hinomi.errors import StoreError
from hinomi.store import Appended, Checkpoint
from ops.journal import log
from ops.pipeline import Pipeline, Prepared
from ops.refusals import Refusals

_FIRST, _LONGEST = 0.5, 30.0


@dataclass(slots=True)
class Flow:
    """stop: ends the waiting for a store that is away; the block is then not stored and is read again. refusals: where it is noted
    that the store takes no events."""

    pipeline: Pipeline
    stop: threading.Event = field(default_factory=threading.Event)
    refusals: Refusals | None = None
    rows: int = 0
    stored: str | None = None
    _pool: ThreadPoolExecutor = field(default_factory=lambda: ThreadPoolExecutor(1, "store"))
    _under_way: tuple[Future[Appended], Prepared, Checkpoint] | None = None

    def put(self, lines: pl.DataFrame, checkpoint: Checkpoint) -> None:
        """Take the next block; the one before is stored when this returns. Raises StoreError at a stop."""
        prepared = self.pipeline.prepare(lines)
        self.settle()
        self._under_way = self._pool.submit(self._store, prepared, checkpoint), prepared, checkpoint

    def settle(self) -> None:
        """Wait until what was put is stored; `stored` is then its place. Raises StoreError at a stop."""
        if self._under_way is None:
            return
        (future, prepared, checkpoint), self._under_way = self._under_way, None
        self.pipeline.count(prepared, future.result())
        self.rows += prepared.lines.height
        self.stored = checkpoint.value

    def _store(self, prepared: Prepared, checkpoint: Checkpoint) -> Appended:
        pause = _FIRST
        while True:
            try:
                appended = self.pipeline.commit(prepared, checkpoint)
            except StoreError as error:
                log.error("store_refused", reason=str(error), retry_in=pause)
                if self.refusals is not None:
                    self.refusals.refused(error)
                if self.stop.wait(pause):
                    raise
                pause = min(pause * 2, _LONGEST)
            else:
                if self.refusals is not None:
                    self.refusals.taken()
                return appended
