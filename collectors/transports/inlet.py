"""The way from a transport into the spool: waits when it is full, counts, says how it goes."""

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass

import structlog

from collectors.spool import Entries, Receipt, Spool
from collectors.transports.health import ListenerHealth
from hinomi.errors import SpoolFull, StoreError
from hinomi.ledger import Ledger

log = structlog.get_logger()
_HELD_LIMIT = 256 << 20


@dataclass(slots=True)
class Held:
    """Bytes that all connections together hold in memory, spooled not yet."""

    bytes: int = 0

    @property
    def plenty(self) -> bool:
        """Whether a connection may still read ahead."""
        return self.bytes < _HELD_LIMIT


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
