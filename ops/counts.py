"""Counts of what was received, stored, dropped, masked … kept as records, one writer a record."""

import asyncio
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from hinomi.errors import StoreError
from hinomi.ledger import Ledger, Line
from hinomi.store import Record, Records
from ops.journal import log

KIND = "count"


@dataclass(slots=True)
class Counts:
    """Adds a ledger's counts to the records of one process (its name keeps writers apart)."""

    records: Records
    process: str

    def save(self, ledger: Ledger) -> None:
        """Add what the ledger counted since the last time. Raises StoreError; what was not saved stays in the ledger."""
        waiting = dict(ledger.take())
        try:
            while waiting:
                line = next(iter(waiting))
                self._add(line, waiting[line])
                del waiting[line]
        finally:
            for line, n in waiting.items():
                ledger.count(line.what, n, dataset=line.dataset, reason=line.reason)

    async def save_aside(self, ledger: Ledger) -> None:
        """As `save`, beside an event loop: taking lines in does not wait for a store that is away, or end with it; the
        counts wait in the ledger."""
        try:
            await asyncio.to_thread(self.save, ledger)
        except StoreError as error:
            log.error("counts_not_saved", reason=str(error))

    def _add(self, line: Line, n: int) -> None:
        identity = "|".join((self.process, *line))
        held = self.records.get(KIND, identity)
        before = int(held.body["n"]) if held else 0
        body = {"process": self.process, **line._asdict(), "n": before + n}
        self.records.put(KIND, identity, body, expect=held.version if held else 0)


def totals(records: Records) -> Counter[Line]:
    """Counts over all processes."""
    return total_of(records.find(KIND, limit=100_000))


def total_of(found: Iterable[Record]) -> Counter[Line]:
    """Counts of these records by (what, dataset, reason)."""
    total: Counter[Line] = Counter()
    for record in found:
        body = record.body
        total[Line(body["what"], body["dataset"], body["reason"])] += int(body["n"])
    return total
