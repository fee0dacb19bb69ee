"""From the embedded store to Elasticsearch: events, records, and how far each reader had come.

What was copied is noted after each portion in the new store, so a migration that was cut off goes on; and as each
document is created under its own id, a portion copied twice is there once. The old store is only read.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import polars as pl
import pyarrow.parquet as pq

from hinomi import ecs
from hinomi.batch import SIGNALS, Batch
from hinomi.errors import StoreError
from hinomi.store import Checkpoint, Record
from hinomi.store.elastic.events import ElasticEvents
from hinomi.store.elastic.records import ElasticRecords
from hinomi.store.embedded import ParquetEvents, SqliteRecords
from hinomi.store.embedded.manifest import File

_SAMPLE = 200
_CORRELATOR = ("state", "correlator")
Say = Callable[[str, int, int], None]
"""Dataset, events copied of it so far, events that it holds."""


@dataclass(frozen=True, slots=True)
class Compared:
    """A dataset on both sides: events, and the sum of their ids' hashes; differing: fields of a sample that differ."""

    dataset: str
    before: int
    after: int
    same_ids: bool
    differing: int

    @property
    def good(self) -> bool:
        """Whether both sides hold the same."""
        return self.before == self.after and self.same_ids and not self.differing


@dataclass(slots=True)
class Migration:
    """machine: the name of the data folder's machine on the cluster (`ops.roles.start.machine_name`);
    portion: events that are copied at once."""

    events: ParquetEvents
    records: SqliteRecords
    to_events: ElasticEvents
    to_records: ElasticRecords
    machine: str
    say: Say = field(default=lambda *_: None)
    portion: int = 20_000

    def run(self) -> int:
        """Copy what is not copied yet; how many events this run copied."""
        copied = sum(self._dataset(name) for name in self._names())
        self._all_records()
        for name, value in self.events.checkpoints().items():
            self.to_records.put("checkpoint", f"{self.machine}/{name}", {"value": value})
        return copied

    def _names(self) -> list[str]:
        return [held.name for held in self.events.datasets()]

    def _dataset(self, name: str) -> int:
        files = self.events.files(name)
        place = self._place(name)
        copied, total = (
            sum(file.rows for file in files if file.seq <= place[0]),
            sum(file.rows for file in files),
        )
        fresh = 0
        for file in files:
            if file.seq < place[0]:
                continue
            skip = place[1] if file.seq == place[0] else 0
            for offset, frame in self._portions(file, skip):
                mark = Checkpoint(f"{self.machine}/migrated/{name}", f"{file.seq}:{offset}")
                self.to_events.append([Batch(name, frame)], checkpoint=mark)
                fresh += frame.height
                self.say(name, min(copied + fresh, total), total)
        return fresh

    def _place(self, name: str) -> tuple[int, int]:
        mark = self.to_events.checkpoint(f"{self.machine}/migrated/{name}")
        seq, _, offset = (mark or "0:0").partition(":")
        return int(seq), int(offset)

    def _portions(self, file: File, skip: int) -> Iterator[tuple[int, pl.DataFrame]]:
        """The rows of a file behind `skip`, with how far each portion reaches."""
        at = 0
        with pq.ParquetFile(self.events.path_of(file)) as opened:
            for batch in opened.iter_batches(self.portion):
                at += batch.num_rows
                if at > skip:
                    frame = pl.from_arrow(batch)
                    assert isinstance(frame, pl.DataFrame)
                    yield at, ecs.conform(frame)

    def _all_records(self) -> None:
        """Records keep their versions. Where the correlator was is told in the new store's order of arrival."""
        for kind in self.records.kinds():
            self.to_records.load(self._moved(record) for record in self._of(kind))

    def _of(self, kind: str) -> Iterator[Record]:
        after = ""
        while found := self.records.find(kind, limit=1000, after=after):
            yield from found
            after = found[-1].id

    def _moved(self, record: Record) -> Record:
        if (record.kind, record.id) != _CORRELATOR:
            return record
        seen = int(record.body.get("after") or 0)
        rows = sum(file.rows for file in self.events.files(SIGNALS) if file.upto <= seen)
        after = self.to_events.arrived(SIGNALS, rows)
        return Record(record.kind, record.id, record.version, {**record.body, "after": after}, record.updated)

    def compare(self) -> Iterator[Compared]:
        """Both sides, dataset by dataset: counts, every id, and whole events of a sample."""
        self.to_events.refresh()
        for name in self._names():
            old, new = self._ids(self.events, name), self._ids(self.to_events, name)
            before, after = old[0], self.to_events.count(datasets=[name])
            yield Compared(name, before, after, old == new, self._differing(name))

    def _ids(self, events: ParquetEvents | ElasticEvents, name: str) -> tuple[int, int]:
        """How many there are and the sum of their hashes, which no order changes."""
        number = total = 0
        for frame in events.scan(name, columns=["event.id"]):
            number += frame.height
            total += sum(frame["event.id"].hash(seed=7).to_list())
        return number, total % (1 << 64)

    def _differing(self, name: str) -> int:
        sample = self.events.search(datasets=[name], limit=_SAMPLE).rows
        found = {
            row["event.id"]: row
            for row in self.to_events.get([row["event.id"] for row in sample], datasets=[name])
        }
        return sum(
            1
            for row in sample
            for field_name, value in row.items()
            if found.get(row["event.id"], {}).get(field_name) != value
        )

    def compare_records(self) -> dict[str, tuple[int, int]]:
        """Kinds whose number of records differs, with both numbers."""
        both = {
            kind: (self.records.count(kind), self.to_records.count(kind)) for kind in self.records.kinds()
        }
        return {kind: pair for kind, pair in both.items() if pair[0] != pair[1]}


def fresh_or_ours(to_events: ElasticEvents, machine: str) -> None:
    """Raises StoreError where the cluster holds events that are not of this migration: two histories must not mix."""
    if to_events.checkpoint(f"{machine}/migrating") is not None:
        return
    if to_events.count():
        raise StoreError(
            "移行先に既にイベントがあります。空の namespace を使ってください。",
            "the cluster holds events already; use an empty namespace",
        )
    to_events.append([], checkpoint=Checkpoint(f"{machine}/migrating", "begun"))
