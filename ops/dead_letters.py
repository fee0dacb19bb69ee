"""What was not understood, in groups of lines that look alike; and vendor fields that no mapping names."""

import re
from collections import Counter
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field

import polars as pl

from collectors import catalogue
from hinomi import ecs
from hinomi.batch import DEAD_LETTERS
from hinomi.store import Events, Records
from ops.health import KIND

_SAMPLES = 3
_MOST_GROUPS = 10_000
_OWN = (
    "hinomi.",
    "host.asset.",
    "user.staff.",
    "source.zone",
    "destination.zone",
    "client.zone",
    "host.zone",
    "server.zone",
)


@dataclass(slots=True)
class Group:
    """Lines of one sender that were refused for one reason and look alike. samples: the first of them."""

    origin: str
    source: str
    reason: str
    pattern: str
    count: int = 0
    samples: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Unnamed:
    """A vendor field that events of a dataset have and no table of its source names. sample: one of its values."""

    dataset: str
    name: str
    count: int
    sample: str


def groups(events: Events, origin: str = "", read: Collection[str] = ()) -> list[Group]:
    """The groups, the largest first. origin: only of this sender; read: ids of letters that are events by now, not counted."""
    found: dict[tuple[str, str, str, str], Group] = {}
    for frame in events.scan(DEAD_LETTERS):
        for sender, source, reason, line in _letters(_but(frame, read), origin):
            key = (sender, source, _kind(reason), likeness(line))
            if key not in found and len(found) >= _MOST_GROUPS:
                key = (sender, source, _kind(reason), "…")
            group = found.setdefault(key, Group(*key))
            group.count += 1
            if len(group.samples) < _SAMPLES:
                group.samples.append(line)
    return sorted(found.values(), key=lambda group: -group.count)


def _but(frame: pl.DataFrame, read: Collection[str]) -> pl.DataFrame:
    return frame.filter(~pl.col("event.id").is_in(list(read))) if read else frame


def _letters(frame: pl.DataFrame, origin: str) -> Iterator[tuple[str, str, str, str]]:
    names = ("hinomi.origin", "hinomi.dead_letter.source", "error.message", "event.original")
    given = frame.with_columns(
        pl.lit(None, pl.String).alias(name) for name in names if name not in frame.columns
    )
    for row in given.select(pl.col(name).fill_null("") for name in names).iter_rows():
        if not origin or row[0] == origin:
            yield row


def _kind(reason: str) -> str:
    return reason.partition(": expected")[0]


def likeness(line: str) -> str:
    """A line without what differs between two of one kind: numbers, addresses, what stands in quotes."""
    head = line[:300]
    head = re.sub(r'"[^"]*"', '"…"', head)
    head = re.sub(r"\b[0-9A-Fa-f]{2}(?:[:\-][0-9A-Fa-f]{2}){5}\b", "<mac>", head)
    head = re.sub(r"\b\d{1,3}(?:\.\d{1,3}){3}\b", "<ip>", head)
    head = re.sub(r"\b(?=[0-9A-Fa-f\-]*\d)[0-9A-Fa-f]{8}(?:-?[0-9A-Fa-f]{4,})*\b", "<id>", head)
    return re.sub(r"\d+", "0", head)[:120]


def in_general(records: Records, origin: str = "") -> list[tuple[str, str, int]]:
    """(origin, source, lines) of lines that only a form that many products write was found for, most lines first."""
    found: Counter[tuple[str, str]] = Counter()
    for record in records.find(KIND, limit=10_000):
        body = record.body
        sender, source = str(body.get("origin", "")), str(body.get("source", ""))
        if catalogue.is_generic(source) and not body.get("pin") and (not origin or sender == origin):
            found[sender, source] += int(body.get("parsed", 0))
    return [(*key, n) for key, n in found.most_common()]


def unnamed(events: Events, dataset: str = "", *, at_most: int = 50_000) -> list[Unnamed]:
    """Vendor fields of the stored events that their sources' tables do not name, the commonest first.

    at_most: events of a dataset that are looked at, the newest of what the store scans first.
    """
    every = [stats.name for stats in events.datasets() if not stats.name.startswith("hinomi.")]
    return [
        one for name in every if not dataset or name == dataset for one in _of_dataset(events, name, at_most)
    ]


def _of_dataset(events: Events, dataset: str, at_most: int) -> list[Unnamed]:
    named = _named(dataset)
    counts: Counter[str] = Counter()
    samples: dict[str, str] = {}
    seen = 0
    for frame in events.scan(dataset):
        for name in frame.columns:
            if name in named or ecs.column_type(name) is not None or name.startswith(_OWN):
                continue
            values = frame[name].drop_nulls()
            if values.len():
                counts[name] += values.len()
                samples.setdefault(name, str(values[0])[:80])
        seen += frame.height
        if seen >= at_most:
            break
    return [Unnamed(dataset, name, n, samples[name]) for name, n in counts.most_common()]


def _named(dataset: str) -> set[str]:
    """Fields that the source of a dataset sets by a table or a declaration, as far as these can be read off."""
    source = catalogue.sources().get(dataset)
    return set() if source is None else {*source.rename.values(), *source.constants, *source.targets}
