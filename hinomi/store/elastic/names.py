"""Which fields each dataset has had, kept among the records for all who search."""

from collections.abc import Mapping

from hinomi.batch import Batch
from hinomi.errors import Conflict
from hinomi.store.elastic.records import ElasticRecords

_KIND = "field"
_MOST = 20_000


class Names:
    """Fields by dataset, with their kinds. What this process wrote it need not ask for again."""

    def __init__(self, records: ElasticRecords) -> None:
        self._records = records
        self._known: dict[str, dict[str, str]] = {}

    def learn(self, batch: Batch) -> None:
        """Remember fields that this dataset had not had, for all who search: up to so many names, whatever is sent."""
        known = self._known.get(batch.dataset, {})
        if not len(batch) or not _news(batch.kinds(), known):
            return
        while True:
            held = self._records.get(_KIND, batch.dataset)
            before = dict(held.body["kinds"]) if held else {}
            merged = before | _news(batch.kinds(), before)
            try:
                if merged != before:
                    body = {"dataset": batch.dataset, "kinds": merged}
                    self._records.put(_KIND, batch.dataset, body, expect=held.version if held else 0)
            except Conflict:
                continue
            self._known[batch.dataset] = merged
            return

    def of(self, dataset: str | None) -> dict[str, str]:
        """Of one dataset, or of all."""
        if dataset is not None:
            found = self._records.get(_KIND, dataset)
            return dict(found.body["kinds"]) if found else {}
        kinds: dict[str, str] = {}
        for record in self._records.find(_KIND):
            kinds |= record.body["kinds"]
        return kinds


def _news(kinds: Mapping[str, str], known: Mapping[str, str]) -> dict[str, str]:
    """Of these fields those that are not known, as far as there is room."""
    room = max(_MOST - len(known), 0)
    return dict([(name, kind) for name, kind in kinds.items() if name not in known][:room])
