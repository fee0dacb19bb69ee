"""Writing many documents: portions that grow while the cluster takes them and shrink when it pushes back.

Each document is created under its own id, so sending it twice stores it once (409 = already there). What the cluster
refuses for good (a value that its mapping cannot take) is given back with the reason; what it cannot take now (429,
503, no answer) is sent again, ever more slowly, until the deadline.
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import elastic_transport
from elasticsearch import ApiError, Elasticsearch

from hinomi.errors import StoreError
from hinomi.store.elastic.connection import LATER, said

_LEAST, _START, _MOST = 64 << 10, 2 << 20, 8 << 20


class Item(NamedTuple):
    """A document to be created: its index, id, JSON."""

    place: str
    id: str
    body: bytes


@dataclass(slots=True)
class Outcome:
    """What became of documents: stored, already there, and refused for good with the reason."""

    stored: int = 0
    duplicates: int = 0
    refused: list[tuple[Item, str]] = field(default_factory=list)


@dataclass(slots=True)
class Bulk:
    """patience: seconds that documents are sent again for; refresh: make them findable at once (for tests)."""

    client: Elasticsearch
    patience: float = 30.0
    refresh: bool = False
    size: int = _START
    pushed_back: int = 0

    def send(self, items: Sequence[Item]) -> Outcome:
        """Create the documents. Raises StoreError when the cluster does not take them in time: none are lost, those
        already stored are found again as duplicates."""
        outcome, left = Outcome(), list(items)
        end, pause = time.monotonic() + self.patience, 0.1
        while left:
            portion = self._portion(left)
            again = self._sent(portion, outcome)
            left = [*again, *left[len(portion) :]]
            if not again:
                self.size, pause = min(self.size * 5 // 4, _MOST), 0.1
                continue
            self.pushed_back += 1
            self.size = max(self.size // 2, _LEAST)
            if time.monotonic() + pause > end:
                raise StoreError(
                    f"Elasticsearch が {len(left):,} 件を受け取りません。",
                    f"Elasticsearch does not take {len(left):,} events",
                )
            time.sleep(pause)
            pause = min(pause * 2, 5.0)
        return outcome

    def _portion(self, items: Sequence[Item]) -> Sequence[Item]:
        size = 0
        for number, item in enumerate(items):
            size += len(item.body) + len(item.place) + len(item.id) + 40
            if size > self.size and number:
                return items[:number]
        return items

    def _sent(self, portion: Sequence[Item], outcome: Outcome) -> list[Item]:
        """Send once; what is to be sent again."""
        lines: list[Any] = []
        for item in portion:
            lines.append({"create": {"_index": item.place, "_id": item.id}})
            lines.append(item.body)
        try:
            answer = self.client.bulk(operations=lines, refresh=self.refresh, filter_path=_ANSWER)
        except ApiError as error:
            if error.status_code in LATER or error.status_code == 413:
                return list(portion)
            with said("イベントを書き込めません", "events cannot be written"):
                raise
        except elastic_transport.TransportError:
            return list(portion)
        return _sorted(portion, answer["items"], outcome)


_ANSWER = [
    "items.create.status",
    "items.create.error.type",
    "items.create.error.reason",
    "items.create.error.caused_by",
]


def _sorted(portion: Sequence[Item], answers: Sequence[dict[str, Any]], outcome: Outcome) -> list[Item]:
    again = []
    for item, answer in zip(portion, answers, strict=True):
        told = answer["create"]
        status = told["status"]
        if status in {200, 201}:
            outcome.stored += 1
        elif status == 409:
            outcome.duplicates += 1
        elif status in LATER:
            again.append(item)
        else:
            outcome.refused.append((item, _reason(told)))
    return again


def _reason(told: dict[str, Any]) -> str:
    error = told.get("error", {})
    cause = error.get("caused_by", {}).get("reason", "")
    return f"{error.get('type', told['status'])}: {error.get('reason', '')} {cause}"[:500].strip()
