"""Who leads: of several processes that could, one holds the lease, a record that it renews by compare-and-set.

No clock is shared. The leader counts its time from before it asked to renew, a standby from when it had read the answer
that showed it a version, so that the old leader has always stopped believing in its lease before another one begins.
Renewing is one request, over a connection of its own whose requests give up in time for another try: neither a cluster
that takes seconds nor a mass of events under way costs the lease.

Writes of a leader pass a fence: each is a compare-and-set against what was read while the lease was held, and is refused
once it is gone, before the write and after it. So who slept through his time, or whose write took too long, does not act:
each act is journalled first.
"""

import random
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from hinomi.errors import Conflict, HinomiError, StoreError
from hinomi.store import Record, Records
from ops.journal import log

KIND = "lease"
LASTS = 10.0
"""Seconds. A dead leader is replaced within LASTS, a look of the standby, and the time of three requests."""
_MARGIN, _LOOKED, _AGAIN = 0.1, 0.1, 0.02
"""Shares of that time: by which a leader stops before it is over, after which a standby looks, after which a leader
whom the store did not answer asks again."""
ANSWER = LASTS * 0.36
"""Seconds that a request may take: where one renewal is never answered, there is time to look and to renew again."""


def awake() -> float:
    """Seconds by a clock that nobody sets, which goes on while the machine is suspended."""
    return time.clock_gettime(time.CLOCK_BOOTTIME)


@dataclass(slots=True)
class Lease:
    """The lease of a name as one process sees it. holder: what tells this process from all others."""

    records: Records
    name: str
    holder: str
    lasts: float = LASTS
    now: Callable[[], float] = awake
    term: int = 0
    _until: float = float("-inf")
    _seen: Record | None = None
    _since: float = float("-inf")

    def held(self) -> bool:
        """Whether this process may still act as the leader."""
        return self.now() < self._until

    def attempt(self) -> bool:
        """Renew it, or take it where nobody has it. Raises StoreError where the store does not answer."""
        own = self._seen is not None and self._seen.body["holder"] == self.holder
        if (own or self._lapsed()) and self._take(self._seen):  # it compares: no need to look first
            return True
        record = self._look()
        if record is None or record.body["holder"] in {"", self.holder}:
            return self._take(record)
        return False

    def _lapsed(self) -> bool:
        """Whether another's lease has stood still for as long as it lasts."""
        return self._seen is not None and self.now() - self._since >= self.lasts

    def _look(self) -> Record | None:
        record = self.records.get(KIND, self.name)
        if record is None or self._seen is None or record.version != self._seen.version:
            self._seen, self._since = record, self.now()  # after the answer: it was written before
        return record

    def _take(self, over: Record | None) -> bool:
        """Write it over what was seen; False where that is there no longer."""
        asked = self.now()
        held: Mapping[str, Any] = over.body if over else {"holder": "", "term": 0}
        term = int(held["term"]) + (held["holder"] != self.holder)
        body = {"holder": self.holder, "term": term}
        try:
            self._seen = self.records.put(KIND, self.name, body, expect=over.version if over else 0)
        except Conflict:
            self._seen = None
            return False
        except StoreError:
            if held["holder"] == self.holder:  # it may be written all the same: the next attempt looks first
                self._seen = None
            raise
        self.term, self._until = term, asked + self.lasts * (1 - _MARGIN)
        return True

    def pause(self) -> float:
        """Seconds until the next attempt: a leader renews at a third of its time, a standby looks more often."""
        if self.held():
            return self.lasts / 3
        left = self._since + self.lasts - self.now()
        return min(self.lasts * _LOOKED, max(left, 0.0)) if self._seen else self.lasts * _LOOKED

    def release(self) -> None:
        """Give it up, so that another process need not wait."""
        if not self.held():
            return
        self._until = float("-inf")
        record = self.records.get(KIND, self.name)
        if record is not None and record.body["holder"] == self.holder:
            self.records.put(
                KIND, self.name, {"holder": "", "term": record.body["term"]}, expect=record.version
            )


@dataclass(slots=True)
class Election:
    """Keeps a lease, or waits for it, in a thread of its own: a slow act does not cost the lease."""

    lease: Lease
    chance: random.Random = field(default_factory=random.Random)  # jitter, not a secret
    _stop: threading.Event = field(default_factory=threading.Event)
    _thread: threading.Thread | None = None

    def start(self) -> None:
        """Begin to stand for election."""
        self._thread = threading.Thread(target=self._run, name="election", daemon=True)
        self._thread.start()

    def _run(self) -> None:
        while not self._stop.is_set():
            began = self.lease.now()
            try:
                self.lease.attempt()
                pause = self.lease.pause() - (self.lease.now() - began)
            except HinomiError as error:
                log.error("lease_not_renewed", lease=self.lease.name, reason=str(error))
                pause = self.lease.lasts * _AGAIN
            self._stop.wait(max(pause, self.lease.lasts * 0.005) * self.chance.uniform(0.9, 1.0))

    def close(self) -> None:
        """Stop, and give the lease up."""
        self._stop.set()
        if self._thread is not None:
            self._thread.join(30)
        try:
            self.lease.release()
        except HinomiError as error:  # it lapses by itself
            log.error("lease_not_released", lease=self.lease.name, reason=str(error))


@dataclass(slots=True)
class Fenced:
    """Records that are written only while the lease is held, over what they were then."""

    inner: Records
    lease: Lease

    def get(self, kind: str, id: str) -> Record | None:  # noqa: A002
        """See `Records.get`."""
        return self.inner.get(kind, id)

    def put(self, kind: str, id: str, body: Mapping[str, Any], *, expect: int | None = None) -> Record:  # noqa: A002
        """See `Records.put`. Raises StoreError when the lease is gone."""
        self._check()
        written = (
            self._over(kind, id, body) if expect is None else self.inner.put(kind, id, body, expect=expect)
        )
        self._check()
        return written

    def _over(self, kind: str, identity: str, body: Mapping[str, Any]) -> Record:
        """Write over whatever is there, as it was read while the lease was held: not over what the next leader wrote."""
        while True:
            held = self.inner.get(kind, identity)
            self._check()
            try:
                return self.inner.put(kind, identity, body, expect=held.version if held else 0)
            except Conflict:
                continue

    def delete(self, kind: str, id: str, *, expect: int | None = None) -> bool:  # noqa: A002
        """See `Records.delete`. Raises StoreError when the lease is gone."""
        self._check()
        return self.inner.delete(kind, id, expect=expect)

    def find(
        self,
        kind: str,
        where: Mapping[str, Any] | None = None,
        *,
        order: str = "",
        limit: int = 1000,
        offset: int = 0,
        after: str = "",
    ) -> list[Record]:
        """See `Records.find`."""
        return self.inner.find(kind, where, order=order, limit=limit, offset=offset, after=after)

    def count(self, kind: str, where: Mapping[str, Any] | None = None) -> int:
        """See `Records.count`."""
        return self.inner.count(kind, where)

    def changed(self, kind: str, since: datetime) -> Iterator[Record]:
        """See `Records.changed`."""
        return self.inner.changed(kind, since)

    def append(self, kind: str, body: Mapping[str, Any]) -> Record:
        """See `Records.append`. Raises StoreError when the lease is gone."""
        self._check()
        added = self.inner.append(kind, body)
        self._check()
        return added

    def last(self, kind: str) -> Record | None:
        """See `Records.last`."""
        return self.inner.last(kind)

    def close(self) -> None:
        """Close what is inside."""
        self.inner.close()

    def _check(self) -> None:
        if not self.lease.held():
            raise StoreError(
                f"「{self.lease.name}」の代表ではなくなったので、書きません。",
                f"no longer the leader of {self.lease.name}: nothing is written",
            )
