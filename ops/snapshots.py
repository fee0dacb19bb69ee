"""Snapshots of a tower on a cluster: events and records, into a repository in the file system, and back.

A snapshot carries, as a record, how many events each daily index held before it was made; the tower goes on meanwhile, so
that a restored index must hold as many at least. (The cluster's own note at a snapshot takes 1,024 bytes: Elasticsearch
reference, "Create snapshot".) Restoring goes only into a namespace that holds nothing: two histories must not mix. Every
node needs the folder under `path.repo`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import structlog
from elasticsearch import Elasticsearch

from hinomi.clock import Clock
from hinomi.errors import StoreError
from hinomi.store.elastic import schema
from hinomi.store.elastic.connection import said
from hinomi.store.elastic.events import ElasticEvents
from hinomi.store.elastic.records import ElasticRecords

log = structlog.get_logger()
REPOSITORY, READ_ONLY = "hinomi", "hinomi_restore"
KIND = "snapshot"
"""Of the records that say what a snapshot holds."""
_MAKE = ("スナップショットを作れません", "the snapshot cannot be made")
_BACK = ("スナップショットから戻せません", "the snapshot cannot be restored")


@dataclass(frozen=True, slots=True)
class _Made:
    """events: at least; indices: that it holds."""

    events: int
    indices: frozenset[str]


@dataclass(slots=True)
class Snapshots:
    """The snapshots of one namespace."""

    client: Elasticsearch
    namespace: str
    clock: Clock
    read_from: str = REPOSITORY

    @property
    def _indices(self) -> str:
        return f"logs-*-{self.namespace}-*,hinomi-{self.namespace}-*"

    def register(self, folder: Path) -> None:
        """Name the folder as repository, into which this cluster alone writes; may be repeated."""
        with said(*_MAKE):
            self.client.snapshot.create_repository(
                name=REPOSITORY,
                repository={"type": "fs", "settings": {"location": str(folder), "compress": True}},
            )

    def look_into(self, folder: Path) -> None:
        """Read the snapshots of a folder that another cluster may still write to: from two writers a repository takes harm
        (Elasticsearch reference, "Register a snapshot repository"). Where this cluster's own go stays as it is."""
        with said(*_BACK):
            self.client.snapshot.create_repository(
                name=READ_ONLY,
                repository={"type": "fs", "settings": {"location": str(folder), "readonly": True}},
            )
        self.read_from = READ_ONLY

    def make(self, events: ElasticEvents) -> str:
        """A snapshot of everything that is stored now, and perhaps of what comes meanwhile; its name."""
        counts = self._counts(events)
        name = f"hinomi-{self.namespace}-{self.clock.now():%Y%m%d-%H%M%S}"
        try:
            self._records.put(KIND, name, {"counts": counts})
        except StoreError as error:  # a keeper with the rights of the release before: the sum is compared
            log.error("snapshot_counts_not_kept", reason=str(error))
        with said(*_MAKE):
            done = self.client.options(request_timeout=3_600).snapshot.create(
                repository=REPOSITORY,
                snapshot=name,
                indices=self._indices,
                include_global_state=False,
                metadata={"hinomi": {"events": sum(counts.values())}},
                wait_for_completion=True,
            )["snapshot"]
        if done["state"] != "SUCCESS":
            raise StoreError(
                f"{_MAKE[0]}({done['state']})。", f"{_MAKE[1]}: {done['state']} {done.get('failures')}"
            )
        self._forget_gone()
        return name

    def _forget_gone(self) -> None:
        """Counts of snapshots that the repository has no more, or that never came to be. Each snapshot holds its own counts, too,
        which come back with it."""
        try:
            there = self._there()
            for held in self._records.find(KIND, limit=10_000):
                if held.id not in there:
                    self._records.delete(KIND, held.id)
        except StoreError as error:  # a keeper with the rights of the release before
            log.warning("snapshot_counts_not_removed", reason=str(error))

    def names(self) -> dict[str, int]:
        """The snapshots of this namespace, oldest first, with the number of events that each holds at least."""
        return {name: one.events for name, one in self._there().items()}

    def restore(self, name: str, events: ElasticEvents, *, replicas: int = 1) -> Mapping[str, int]:
        """Bring a snapshot back, and make the templates, which it does not hold; what is there now, by dataset. Raises
        StoreError where something is there, or where something that was counted is not."""
        snapshot = self._there().get(name)
        if snapshot is None:
            raise StoreError(f"スナップショット {name} はありません。", f"there is no snapshot {name}")
        self._clear(events)
        with said(*_BACK):
            self.client.options(request_timeout=3_600).snapshot.restore(
                repository=self.read_from,
                snapshot=name,
                indices=self._indices,
                include_global_state=False,
                wait_for_completion=True,
            )
        events.prepare(replicas=replicas)
        self._compare(name, snapshot, self._counts(events))
        return {held.name: held.events for held in events.datasets()}

    @property
    def _records(self) -> ElasticRecords:
        return ElasticRecords(self.client, self.namespace, clock=self.clock)

    def _there(self) -> dict[str, _Made]:
        with said(*_BACK):
            found = self.client.snapshot.get(repository=self.read_from, snapshot=f"hinomi-{self.namespace}-*")
        return {
            one["snapshot"]: _Made(
                sum(one.get("metadata", {}).get("hinomi", {}).values()), frozenset(one["indices"])
            )
            for one in found["snapshots"]
        }

    def _counts(self, events: ElasticEvents) -> dict[str, int]:
        """Events by daily index."""
        events.refresh()
        return {
            schema.index(day.dataset, self.namespace, f"{day.day:%Y.%m.%d}"): day.events
            for day in events.days()
        }

    def _clear(self, events: ElasticEvents) -> None:
        """Whether nothing is here. What `hinomi store init` leaves, the one record that says so, makes way."""
        with said(*_BACK):
            there = self.client.indices.get(
                index=self._indices, filter_path="*.aliases", ignore_unavailable=True
            )
            names = list(there.body)
            if len(names) == 1 and events.is_prepared() and self.client.count(index=names[0])["count"] == 1:
                self.client.indices.delete(index=names[0])
                return
        if names:
            raise StoreError(
                f"この namespace には既に索引が {len(names)} 個あります。空の namespace に戻してください。",
                f"the namespace holds {len(names)} indices; restore into an empty one",
            )

    def _compare(self, name: str, snapshot: _Made, found: Mapping[str, int]) -> None:
        """An index that retention dropped meanwhile is not in the snapshot; of those that are, nothing may be missing."""
        held = self._records.get(KIND, name)
        counted: Mapping[str, int] = held.body["counts"] if held else {}
        lacking = {
            index: f"{found.get(index, 0)} < {number}"
            for index, number in counted.items()
            if index in snapshot.indices and found.get(index, 0) < number
        }
        if lacking or (not counted and sum(found.values()) < snapshot.events):
            told = lacking or f"{sum(found.values())} < {snapshot.events}"
            raise StoreError(f"戻した件数が足りません: {told}", f"fewer events than were counted: {told}")
