"""In what order events arrived, for those who follow a dataset: Elasticsearch itself keeps no such order.

After the events of an append are stored, an entry that names them is added under the next number. It is added before
the checkpoint, so a crash in between names the events a second time, never not at all.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from hinomi.store.elastic.bulk import Item
from hinomi.store.elastic.records import ElasticRecords

_AT_ONCE = 5_000
_PAGE = 200


@dataclass(slots=True)
class Journal:
    """The entries of each dataset that is followed."""

    records: ElasticRecords

    def add(self, dataset: str, items: Sequence[Item]) -> None:
        """Name these events as arrived."""
        for start in range(0, len(items), _AT_ONCE):
            named = [[item.place, item.id] for item in items[start : start + _AT_ONCE]]
            self.records.append(_kind(dataset), {"events": named})

    def since(self, dataset: str, after: int) -> Iterator[tuple[int, list[tuple[str, str]]]]:
        """Number and events (index, id) of each entry behind a number, in order."""
        for record in self.records.numbered(_kind(dataset), after):
            yield int(record.id), [(index, identity) for index, identity in record.body["events"]]


def _kind(dataset: str) -> str:
    return f"journal_{dataset}"
