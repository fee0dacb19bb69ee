"""Events that a store gave out, in files of JSON: `hinomi search --jsonl` and `--export`, an incident's evidence, Elasticsearch's hits.

They are ECS already: each is taken as it was stored, under its own id and dataset, and no product's form is looked for. Only a
hunt reads files so, whose files a person chose: what a sender writes is never taken for an event of another's.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

import polars as pl

from collectors import catalogue
from collectors.framed import frame_of
from collectors.records import JsonRecords
from collectors.source import ROW
from hinomi import ecs
from hinomi.batch import SIGNALS

NAME = "hinomi.stored"
_HAS = frozenset({"@timestamp", "event.dataset", "event.id", "event.ingested"})
"""What each stored event has (`hinomi.batch.REQUIRED`), and hardly a product's own line: not all of them by one shipper."""


def stored(sample: Sequence[str]) -> bool:
    """Whether most of these lines are such events, of sources that there are."""
    lines = [line for line in sample if line.strip()]
    events = [
        event
        for _, event in _events(
            pl.DataFrame({ROW: range(len(lines)), "message": lines}, {ROW: pl.UInt32, "message": pl.String})
        )
    ]
    if 2 * len(events) <= len(lines):  # so that no source is loaded to find that they are none
        return False
    known = catalogue.sources()
    return 2 * sum(event["event.dataset"] in known for event in events) > len(lines)


def frames(intake: pl.DataFrame) -> Iterator[tuple[str, pl.DataFrame]]:
    """Dataset and its events, in ECS columns and types with their `row`, of the lines of an intake frame that are such events: of
    datasets that there are, and signals, which whoever hunts passes over."""
    known = {*catalogue.sources(), SIGNALS}
    found: dict[str, tuple[list[int], list[Mapping[str, Any]]]] = {}
    for row, event in _events(intake):
        if event["event.dataset"] not in known:
            continue
        rows, events = found.setdefault(event["event.dataset"], ([], []))
        rows.append(row)
        events.append(event)
    for dataset, (rows, events) in found.items():
        yield dataset, ecs.conform(frame_of(events)).with_columns(pl.Series(ROW, rows, dtype=pl.UInt32))


def placed(events: pl.DataFrame, own: pl.DataFrame, now: datetime) -> pl.DataFrame:
    """The events with the file and place that they were read at, where they have none of their own; one without a legible time
    is of the moment of the hunt, and says so by `event.ingested`, as elsewhere in a hunt."""
    offset = own["log.offset"].cast(pl.String)
    for name, value in {"log.file.path": own["log.file.path"], "log.offset": offset}.items():
        held = (
            events[name]
            if name in events.columns
            else pl.repeat(None, events.height, dtype=pl.String, eager=True)
        )
        events = events.with_columns(held.fill_null(value.cast(held.dtype, strict=False)).alias(name))
    moment = pl.lit(now).cast(ecs.TIME)
    ingested = pl.when(pl.col("@timestamp").is_null()).then(moment).otherwise(pl.col("event.ingested"))
    return events.with_columns(ingested.alias("event.ingested"))


def _events(intake: pl.DataFrame) -> Iterator[tuple[int, dict[str, Any]]]:
    """The row and the flat fields of each line that is one."""
    for frame in JsonRecords(meant=_inside).read(intake):
        for row, document in frame.iter_rows():
            event = dict(ecs.flatten(document))
            if event.keys() >= _HAS and all(isinstance(event[name], str) for name in _HAS):
                yield row, event


def _inside(document: dict[str, Any]) -> dict[str, Any]:
    """A hit of Elasticsearch holds the event."""
    inner = document.get("_source")
    return inner if isinstance(inner, dict) else document
