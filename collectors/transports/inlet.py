"""The way from a transport into the spool: waits when it is full, counts, says how it goes."""

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

import structlog

from collectors.spool import Entries, Receipt, Spool
from collectors.transports.health import ListenerHealth
from hinomi.errors import SpoolFull, StoreError
from hinomi.ledger import Ledger

log = structlog.get_logger()
_HELD_LIMIT = 256 << 20
OVERHEAD = 64
"""Bytes that a message takes in memory beside its own: short lines are many."""
_STREAMS_LIMIT = 16 << 20
"""Whole messages over all connections that can be made to wait."""


class Waits(Protocol):
    """Who can stop reading."""

    def turn(self) -> None:
        """Read on, or nothing more: as `Held` says now."""


@dataclass(slots=True)
class Held:
    """Bytes that all connections together hold in memory, spooled not yet. waiting: of whole messages that streams brought,
    among them; full: streams are not read on until half of it is spooled."""

    bytes: int = 0
    waiting: int = 0
    full: bool = False
    streams: list[Waits] = field(default_factory=list)

    @property
    def plenty(self) -> bool:
        """Whether a request, or the other half of a message, may still be read."""
        return self.bytes < _HELD_LIMIT

    def wait(self, size: int) -> None:
        """Messages of so many bytes more wait for the spool (less, where it is negative); the streams hear of it."""
        self.bytes += size
        self.waiting += size
        full = self.waiting >= (_STREAMS_LIMIT // 2 if self.full else _STREAMS_LIMIT)
        if full == self.full:
            return
        self.full = full
        for stream in self.streams:
            stream.turn()


@dataclass(slots=True)
class Inlet:
    """One origin's door into the spool."""

    origin: str
    spool: Spool
    ledger: Ledger
    health: ListenerHealth
    held: Held

    async def offer(
        self, peer: str, payloads: Sequence[bytes], client_ids: Sequence[str] | None = None
    ) -> Receipt:
        """Spool messages durably. Raises SpoolFull or StoreError; nothing is kept then."""
        entries = Entries(self.origin, peer, time.time_ns(), payloads, client_ids)
        receipt = await self.spool.append(entries)
        self.health.took(len(payloads), sum(map(len, payloads)))
        return receipt

    async def deliver(
        self, peer: str, payloads: Sequence[bytes], client_ids: Sequence[str] | None = None
    ) -> Receipt:
        """Spool messages durably, waiting as long as the spool is full or its disk fails."""
        pause = 0.05
        while True:
            try:
                receipt = await self.offer(peer, payloads, client_ids)
            except (SpoolFull, StoreError) as error:
                self._say_waiting(error)
                await asyncio.sleep(pause)
                pause = min(pause * 2, 1.0)
            else:
                if self.health.waiting_for_room:
                    self.health.waiting_for_room = False
                    self.health.problem = ""
                    log.info("spool takes messages again", listener=self.health.name)
                return receipt

    def lost(self, n: int, reason: str) -> None:
        """Count messages that could not be taken."""
        if not n:
            return
        self.ledger.count("dropped", n, dataset=self.origin, reason=reason)
        self.health.errors[reason] += n

    def damaged(self, n: int, reason: str) -> None:
        """Count messages that are kept, but not whole."""
        if not n:
            return
        self.ledger.count("truncated", n, dataset=self.origin, reason=reason)
        self.health.errors[reason] += n

    def _say_waiting(self, error: SpoolFull | StoreError) -> None:
        self.health.errors["spool_full" if isinstance(error, SpoolFull) else "spool_error"] += 1
        if not self.health.waiting_for_room:
            self.health.waiting_for_room = True
            self.health.problem = error.ja
            log.warning("spool refuses; the sender waits", listener=self.health.name, reason=error.en)
