"""Who leads: of several processes that could, one holds the lease, a record that it renews by compare-and-set.

No clock is shared: a standby measures with its own how long the record's version has stood still, and takes over when
that is longer than the lease lasts; the leader counts its time from before it asked to renew. So the old leader has
always stopped believing in its lease before another one begins. Writes of a leader pass a fence that refuses them once
the lease is gone: a process that slept through its time wakes up unable to act, as each act is journalled first.
"""

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
LASTS, RENEWED, _MARGIN = 8.0, 2.0, 1.0  # seconds; a dead leader is replaced within LASTS + RENEWED


@dataclass(slots=True)
class Lease:
    """The lease of a name as one process sees it. holder: what tells this process from all others."""

    records: Records
    name: str
    holder: str
    lasts: float = LASTS
    now: Callable[[], float] = time.monotonic
    term: int = 0
    _until: float = float("-inf")
    _version: int = -1
    _since: float = 0.0

    def held(self) -> bool:
        """Whether this process may still act as the leader."""
        return self.now() < self._until

    def attempt(self) -> bool:
        """Renew it, or take it where nobody has it. Raises StoreError where the store does not answer."""
        asked = self.now()
        record = self.records.get(KIND, self.name)
        body: dict[str, Any] = dict(record.body) if record else {"holder": "", "term": 0}
        version = record.version if record else 0
        own = body["holder"] == self.holder
        if not own and body["holder"] and not self._stood_still(version, asked):
            return False
        term = int(body["term"]) + (0 if own else 1)
        try:
            self.records.put(KIND, self.name, {"holder": self.holder, "term": term}, expect=version)
        except Conflict:
            return False
        self.term, self._until = term, asked + self.lasts - _MARGIN
        return True

    def _stood_still(self, version: int, asked: float) -> bool:
        if version != self._version:
            self._version, self._since = version, asked
        return asked - self._since >= self.lasts

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
    every: float = RENEWED
    _stop: threading.Event = field(default_factory=threading.Event)
    _thread: threading.Thread | None = None

    def start(self) -> None:
        """Begin to stand for election."""
        self._thread = threading.Thread(target=self._run, name="election", daemon=True)
        self._thread.start()

    def _run(self) -> None:
        while not self._stop.is_set():
            try:
                self.lease.attempt()
            except HinomiError as error:
                log.error("lease_not_renewed", lease=self.lease.name, reason=str(error))
            self._stop.wait(self.every)

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
    """Records that are written only while the lease is held."""

    inner: Records
    lease: Lease

    def get(self, kind: str, id: str) -> Record | None:  # noqa: A002
        """See `Records.get`."""
        return self.inner.get(kind, id)

    def put(self, kind: str, id: str, body: Mapping[str, Any], *, expect: int | None = None) -> Record:  # noqa: A002
        """See `Records.put`. Raises StoreError when the lease is gone."""
        self._check()
        return self.inner.put(kind, id, body, expect=expect)

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
    ) -> list[Record]:
        """See `Records.find`."""
        return self.inner.find(kind, where, order=order, limit=limit, offset=offset)

    def count(self, kind: str, where: Mapping[str, Any] | None = None) -> int:
        """See `Records.count`."""
        return self.inner.count(kind, where)

    def changed(self, kind: str, since: datetime) -> Iterator[Record]:
        """See `Records.changed`."""
        return self.inner.changed(kind, since)

    def append(self, kind: str, body: Mapping[str, Any]) -> Record:
        """See `Records.append`. Raises StoreError when the lease is gone."""
        self._check()
        return self.inner.append(kind, body)

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
