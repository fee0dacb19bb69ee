"""Reading what changed of a kind of record since the last look, so that no page reads them all.

A writer that waited for the file may commit a little behind others: the last minute is read again each time. What was
deleted, or written by a clock that was far behind, is seen at the next reading of everything (every ten minutes).
"""

import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Generic, TypeVar
from weakref import WeakKeyDictionary, proxy

from hinomi.store import Record, Records

_OVERLAP, _ANEW = timedelta(minutes=1), 600.0
T = TypeVar("T")
_FIRST = datetime(1970, 1, 2, tzinfo=UTC)


@dataclass(slots=True)
class Follower:
    """A place in the changes of a kind. The caller holds a lock."""

    records: Records
    kind: str
    _until: datetime = _FIRST
    _anew: float = 0.0

    def fresh(self, forget: Callable[[], None]) -> Iterator[Record]:
        """What was written since, some of it a second time; `forget` is called before everything is read anew."""
        if time.monotonic() >= self._anew:
            self._until, self._anew = _FIRST, time.monotonic() + _ANEW
            forget()
        for record in self.records.changed(self.kind, self._until - _OVERLAP):
            self._until = max(self._until, record.updated)
            yield record


@dataclass(slots=True)
class OnePerStore(Generic[T]):
    """What is kept of a store for all who ask, and goes with it: a report's view of one organisation's records is read once."""

    _held: WeakKeyDictionary[Records, T] = field(default_factory=WeakKeyDictionary)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def of(self, records: Records, make: Callable[[Records], T]) -> T:
        """The store's own, else made now. make is given the store in a form that does not keep it alive."""
        with self._lock:
            held = self._held.get(records)
            if held is None:
                held = self._held[records] = make(proxy(records))
            return held


@dataclass(slots=True)
class Lately(Generic[T]):
    """What was found out at most `seconds` ago; of many who ask at once one finds out and the others wait."""

    seconds: float
    _made: dict[object, tuple[float, T]] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def get(self, key: object, find_out: Callable[[], T]) -> T:
        """The answer for the key."""
        with self._lock:
            held = self._made.get(key)
            if held is None or time.monotonic() - held[0] > self.seconds:
                held = self._made[key] = (time.monotonic(), find_out())
            return held[1]
