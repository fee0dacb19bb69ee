"""Newest alerts first: while much waits in a lane of the spool, what came last is matched before its turn.

After an outage the backlog may take an hour to be stored, oldest first, and an attack of this minute must not wait so
long to be told. So the newest blocks are read ahead, and only their signals are stored; each line still has its turn,
when its event is stored and its signals are found to be there already. Signals have the same ids both times, and a
correlation comes to the same whatever order they arrive in (`rules.correlation`).
"""

import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from collectors.continued import Carry
from collectors.spool import Position, Reader
from collectors.table_headers import TableHeaders
from hinomi.batch import SIGNALS
from hinomi.errors import HinomiError
from hinomi.ledger import Ledger
from hinomi.store import Events
from ops.journal import log
from ops.pipeline import Pipeline

_MUCH = 4 << 20  # bytes of the spool, compressed: some ten seconds of work
_SHARE = 4  # of the time, one in so many goes into looking ahead


@dataclass(slots=True)
class Lookahead:
    """One lane's. pipeline: as the worker's, but for its counts: a line is counted in its turn.

    much: a backlog from which on it is worth it; it never takes more than a quarter of the worker's time.
    """

    reader: Reader
    pipeline: Pipeline
    much: int = _MUCH
    now: Callable[[], float] = time.monotonic
    rows: int = 0
    _seen: str | None = None
    _rest_until: float = field(default=float("-inf"))

    @classmethod
    def of(cls, reader: Reader, worker: Pipeline, events: Events) -> "Lookahead":
        """Beside a worker's own pipeline. events: a store of its own, as the worker's is busy with the line before."""
        uncounted = Ledger()
        privacy = replace(worker.privacy, ledger=uncounted)
        own = replace(
            worker,
            events=events,
            ledger=uncounted,
            privacy=privacy,
            health=None,
            tally=None,
            arrivals=None,
            carry=Carry(),
            headers=TableHeaders(),  # what came last stands below another header than what comes next
        )
        return cls(Reader(reader.folder, uncounted), own)

    def look(self, read: str | None) -> bool:
        """Match the newest lines behind `read`, the worker's place, if it is time; whether there were any."""
        if self.now() < self._rest_until or self.reader.backlog(read) < self.much:
            return False
        began = self.now()
        found = self._next(read)
        self._rest_until = self.now() + (_SHARE - 1) * (self.now() - began)
        return found

    def _next(self, read: str | None) -> bool:
        if self._seen is None or self.reader.backlog(self._seen) > self.much or _is_before(self._seen, read):
            self._seen = self.reader.newest(self.much)  # so much came meanwhile that the newest is elsewhere
        block = self.reader.read(self._seen) if self._seen is not None else None
        if block is None:
            return False
        signals = [one for one in self.pipeline.prepare(block.frame).batches if one.dataset == SIGNALS]
        try:
            if signals:
                self.pipeline.events.append(signals)
        except HinomiError as error:  # they come in their turn
            log.error("not_looked_ahead", reason=str(error))
            return False
        self._seen, self.rows = block.after, self.rows + block.frame.height
        return True


def _is_before(seen: str, read: str | None) -> bool:
    return read is not None and Position.parse(seen) < Position.parse(read)
