"""In what order events arrived, for those who follow a dataset: Elasticsearch itself keeps no such order.

After the events of an append are stored, an entry that names them is added under the next number. It is added before
the checkpoint, so a crash in between names the events a second time, never not at all.

Numbers have no gaps: who is refused a number takes the next. A reader may ask a copy that has not got the lower of two
yet; it stops in front of the gap, as what it once passed it would never read. A gap that stays (an entry lost with a
disk) is said and passed over.
"""

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

import structlog

from hinomi.store.elastic.bulk import Item
from hinomi.store.elastic.records import ElasticRecords

log = structlog.get_logger()
_AT_ONCE = 5_000
_PAGE = 200
_TOLD = float("-inf")
_LAG = 60.0
"""Seconds after which a copy that lags has been given up by the cluster."""


@dataclass(slots=True)
class Journal:
    """The entries of each dataset that is followed."""

    records: ElasticRecords
    monotonic: Callable[[], float] = time.monotonic
    _missing: dict[tuple[str, int], float] = field(default_factory=dict)

    def add(self, dataset: str, items: Sequence[Item]) -> None:
        """Name these events as arrived."""
        for start in range(0, len(items), _AT_ONCE):
            named = [[item.place, item.id] for item in items[start : start + _AT_ONCE]]
            self.records.append(_kind(dataset), {"events": named})

    def since(self, dataset: str, after: int) -> Iterator[tuple[int, list[tuple[str, str]]]]:
        """Number and events (index, id) of each entry behind a number, in order."""
        wanted = after + 1
        for record in self.records.numbered(_kind(dataset), after):
            number = int(record.id)
            if number > wanted and not self._stays(dataset, wanted):
                return
            yield number, [(index, identity) for index, identity in record.body["events"]]
            wanted = number + 1

    def _stays(self, dataset: str, number: int) -> bool:
        """Whether an entry has been missing for longer than a copy may lag behind."""
        now = self.monotonic()
        since = self._missing.setdefault((dataset, number), now)
        if now - since < _LAG:
            return False
        if since > _TOLD:
            log.error("journal_entry_missing", dataset=dataset, number=number)
            self._missing[dataset, number] = _TOLD
        return True


def _kind(dataset: str) -> str:
    return f"journal_{dataset}"
