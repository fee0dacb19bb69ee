"""What arrived, counted by the worker as it goes: a few numbers for each origin and sender in slots of ten minutes."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any, Self

import polars as pl

from hinomi.batch import DEAD_LETTERS, Batch

SLOT = 600
"""Seconds of a slot; slots begin at full ten minutes."""
_MOST_SENDERS = 3_000
_HOSTS = ("host.hostname", "host.name", "observer.hostname", "observer.name")
_PEER = "_peer"
_OURS = (
    "event.",
    "hinomi.",
    "threat.",
    "related.",
    "log.",
    "host.asset.",
    "user.staff.",
    "message",
    "@timestamp",
)
_ENRICHED = (".zone", ".geo.country_iso_code", ".geo.location", ".as.number", ".as.organization.name")


def slot_of(seconds: float) -> int:
    """The beginning of the slot that a time (seconds since 1970) lies in."""
    return int(seconds) // SLOT * SLOT


@dataclass(slots=True)
class Sender:
    """Lines of one sender in a slot. last: seconds since 1970; late: by how many seconds the middle line's own time
    lies before its arrival, of the largest block (`of` lines), of equally large ones the latest."""

    n: int = 0
    last: float = 0.0
    late: float = 0.0
    of: int = 0

    def add(self, n: int, last: float, late: float | None) -> None:
        """Count a block."""
        self.n += n
        self.last = max(self.last, last)
        if late is not None and n >= self.of:
            self.late, self.of = late, n

    def merge(self, other: "Sender") -> None:
        """Add what another worker counted."""
        self.n += other.n
        if (other.of, other.last) > (self.of, self.last):
            self.late, self.of = other.late, other.of
        self.last = max(self.last, other.last)


@dataclass(slots=True)
class Arrived(Sender):
    """Lines of one origin in a slot. dead: lines not understood; fields: lines that filled a field, by its name."""

    source: str = ""
    dead: int = 0
    fields: dict[str, int] = field(default_factory=dict)
    senders: dict[str, Sender] = field(default_factory=dict)

    def join(self, other: "Arrived") -> None:
        """Add what another worker counted of the same slot."""
        self.merge(other)
        self.dead += other.dead
        self.source = other.source or self.source
        for name, n in other.fields.items():
            self.fields[name] = self.fields.get(name, 0) + n
        for name, sender in other.senders.items():
            self.senders.setdefault(name, Sender()).merge(sender)

    @classmethod
    def read(cls, body: dict[str, Any]) -> Self:
        """See `asdict`."""
        senders = {name: Sender(**one) for name, one in body["senders"].items()}
        return cls(**{**body, "senders": senders})


@dataclass(slots=True)
class Tally:
    """One process's slots: slot → origin → what arrived. changed: slots that were counted into since `take`;
    unnamed: lines of senders beyond those kept by name."""

    slots: dict[int, dict[str, Arrived]] = field(default_factory=dict)
    changed: set[int] = field(default_factory=set)
    unnamed: int = 0

    def took(self, origin: str, batches: Sequence[Batch], lines: pl.DataFrame) -> None:
        """Count what an origin's part of a block held. lines: `event.id`, `peer` and `received` of each."""
        last = lines["received"].max()
        if not isinstance(last, datetime):
            return
        at = last.timestamp()
        slot = slot_of(at)
        arrived = self.slots.setdefault(slot, {}).setdefault(origin, Arrived())
        self.changed.add(slot)
        peers = lines.select(pl.col("event.id"), pl.col("peer").alias(_PEER))
        for batch in batches:
            if batch.dataset == DEAD_LETTERS:
                arrived.add(len(batch), at, None)
                arrived.dead += len(batch)
            else:
                self._parsed(arrived, peers, batch, at)

    def _parsed(self, arrived: Arrived, peers: pl.DataFrame, batch: Batch, at: float) -> None:
        late = pl.col("event.created") - pl.col("@timestamp")
        middle = late.dt.total_seconds().median()
        arrived.source = batch.dataset
        arrived.add(len(batch), at, _number(batch.frame.select(middle).item()))
        filled = len(batch) - batch.frame.null_count().transpose(include_header=True)["column_0"]
        for name, n in zip(batch.frame.columns, filled, strict=True):
            if n and not name.startswith(_OURS) and not name.endswith(_ENRICHED):
                arrived.fields[name] = arrived.fields.get(name, 0) + n
        named = [name for name in _HOSTS if name in batch.frame.columns]
        told = batch.frame.select("event.id", "event.created", "@timestamp", *named)
        told = told.join(peers, on="event.id", how="left", maintain_order="left")
        sender = pl.coalesce(*named, _PEER).alias("sender")
        for name, n, own in told.group_by(sender).agg(pl.len(), middle.alias("late")).iter_rows():
            self._of_sender(arrived, str(name), n, at, _number(own))

    def _of_sender(self, arrived: Arrived, name: str, n: int, at: float, late: float | None) -> None:
        if name and (name in arrived.senders or len(arrived.senders) < _MOST_SENDERS):
            arrived.senders.setdefault(name.lower()[:255], Sender()).add(n, at, late)
        elif name:
            self.unnamed += n

    def take(self, now: float) -> dict[int, dict[str, Any]]:
        """The slots that changed, as JSON; those that are over are let go."""
        said = {
            slot: {origin: asdict(arrived) for origin, arrived in self.slots[slot].items()}
            for slot in self.changed
        }
        self.changed.clear()
        for slot in [slot for slot in self.slots if slot < now - 2 * SLOT]:
            del self.slots[slot]
        return said


def _number(value: object) -> float | None:
    return float(value) if isinstance(value, (int, float)) else None
