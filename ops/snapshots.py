"""Snapshots of a tower on a cluster: events and records, into a repository in the file system, and back.

A snapshot carries the number of events of each dataset; a restore is compared with them. Restoring goes only into a
namespace that holds nothing: two histories must not mix. Every node needs the folder under `path.repo`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from elasticsearch import Elasticsearch

from hinomi.clock import Clock
from hinomi.errors import StoreError
from hinomi.store.elastic.connection import said
from hinomi.store.elastic.events import ElasticEvents

REPOSITORY = "hinomi"
_MAKE = ("スナップショットを作れません", "the snapshot cannot be made")
_BACK = ("スナップショットから戻せません", "the snapshot cannot be restored")


@dataclass(slots=True)
class Snapshots:
    """The snapshots of one namespace."""

    client: Elasticsearch
    namespace: str
    clock: Clock

    @property
    def _indices(self) -> str:
        return f"logs-*-{self.namespace}-*,hinomi-{self.namespace}-*"

    def register(self, folder: Path) -> None:
        """Name the folder as repository; may be repeated."""
        with said(*_MAKE):
            self.client.snapshot.create_repository(
                name=REPOSITORY,
                repository={"type": "fs", "settings": {"location": str(folder), "compress": True}},
            )

    def make(self, events: ElasticEvents) -> str:
        """A snapshot of everything that is stored now; its name."""
        events.refresh()
        counts = {held.name: held.events for held in events.datasets()}
        name = f"hinomi-{self.namespace}-{self.clock.now():%Y%m%d-%H%M%S}"
        with said(*_MAKE):
            done = self.client.options(request_timeout=3_600).snapshot.create(
                repository=REPOSITORY,
                snapshot=name,
                indices=self._indices,
                include_global_state=False,
                metadata={"hinomi": counts},
                wait_for_completion=True,
            )["snapshot"]
        if done["state"] != "SUCCESS":
            raise StoreError(
                f"{_MAKE[0]}({done['state']})。", f"{_MAKE[1]}: {done['state']} {done.get('failures')}"
            )
        return name

    def names(self) -> dict[str, Mapping[str, int]]:
        """The snapshots of this namespace, oldest first, with their counts."""
        with said(*_BACK):
            found = self.client.snapshot.get(repository=REPOSITORY, snapshot=f"hinomi-{self.namespace}-*")
        return {one["snapshot"]: one.get("metadata", {}).get("hinomi", {}) for one in found["snapshots"]}

    def restore(self, name: str, events: ElasticEvents) -> Mapping[str, int]:
        """Bring a snapshot back; its counts. Raises StoreError where something is there or numbers differ."""
        with said(*_BACK):
            there = self.client.indices.get(
                index=self._indices, filter_path="*.aliases", ignore_unavailable=True
            )
        if there.body:
            raise StoreError(
                f"この namespace には既に索引が {len(there.body)} 個あります。空の namespace に戻してください。",
                f"the namespace holds {len(there.body)} indices; restore into an empty one",
            )
        wanted = self.names().get(name)
        if wanted is None:
            raise StoreError(f"スナップショット {name} はありません。", f"there is no snapshot {name}")
        with said(*_BACK):
            self.client.options(request_timeout=3_600).snapshot.restore(
                repository=REPOSITORY,
                snapshot=name,
                indices=self._indices,
                include_global_state=False,
                wait_for_completion=True,
            )
        events.refresh()
        found = {held.name: held.events for held in events.datasets()}
        if found != dict(wanted):
            raise StoreError(
                f"件数が一致しません: {found}", f"the numbers differ: {found}, not {dict(wanted)}"
            )
        return wanted
