"""Matches as rows of `hinomi.signal`: who, what and when, small enough to keep all of them."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl

from hinomi import alert, signal
from hinomi.batch import Batch
from hinomi.identity import digest
from hinomi.organization import FIELD

ENTITIES = (
    *(name for name in alert.ENTITIES if name != "network.name"),  # which follows from the zones
    "user.domain",
    "destination.port",
    "related.user",
    "source.zone",
    "destination.zone",
    "host.zone",
    "client.zone",
    "source.geo.country_iso_code",
    "source.geo.location",
    "event.action",
    "event.outcome",
    "event.code",
    "process.name",
    "file.path",
    FIELD,
)
"""Fields that every signal carries where its event has them."""
_COLUMNS = {name: alert.columns(name) for name in ENTITIES}


@dataclass(frozen=True, slots=True)
class Hit:
    """One rule's rows. extra: further fields to carry, by the name correlations use, and their columns."""

    rule_id: str
    title: str
    level: str
    role: str
    rows: np.ndarray[Any, np.dtype[np.int64]]
    extra: Mapping[str, tuple[str, ...]]


def frame(batch: Batch, hits: Sequence[Hit]) -> pl.DataFrame:
    """Signals of a batch, rule by rule. `event.id` is the digest of the rule's and the event's id."""
    alike: dict[tuple[tuple[str, tuple[str, ...]], ...], list[Hit]] = defaultdict(list)
    for hit in hits:
        if len(hit.rows):
            alike[tuple(sorted(hit.extra.items()))].append(hit)
    frames = [_frame(batch, dict(extra), group) for extra, group in alike.items()]
    return pl.concat(frames) if frames else signal.empty()


def _frame(batch: Batch, extra: Mapping[str, tuple[str, ...]], hits: Sequence[Hit]) -> pl.DataFrame:
    counts = np.array([len(hit.rows) for hit in hits])
    rows = np.concatenate([hit.rows for hit in hits])
    events = batch.frame[rows]
    event_ids = events.get_column("event.id")
    rule_ids = _each([hit.rule_id for hit in hits], counts)
    ids = [digest(rule, event) for rule, event in zip(rule_ids.to_list(), event_ids.to_list(), strict=True)]
    return pl.DataFrame(
        {
            "@timestamp": events.get_column("@timestamp"),
            "event.created": _came(events),
            "event.id": ids,
            "event.kind": _each(["signal"], np.array([len(rows)])),
            "rule.id": rule_ids,
            "rule.name": _each([hit.title for hit in hits], counts),
            "hinomi.signal.role": _each([hit.role for hit in hits], counts),
            "hinomi.signal.level": _each([hit.level for hit in hits], counts),
            "hinomi.signal.event_id": event_ids,
            "hinomi.signal.event_dataset": _each([batch.dataset], np.array([len(rows)])),
            "hinomi.signal.fields": _fields(events, extra),
            FIELD: events.get_column(FIELD) if FIELD in events.columns else None,
        },
        schema=signal.SCHEMA,
    )


def _came(events: pl.DataFrame) -> pl.Series | None:
    """When each event came: when it was received, or else stored; null where nobody said (a file that is hunted over)."""
    held = [name for name in ("event.created", "event.ingested") if name in events.columns]
    return events.select(pl.coalesce(held)).to_series() if held else None


def _each(values: list[str], counts: np.ndarray[Any, np.dtype[np.int64]]) -> pl.Series:
    return pl.Series(values, dtype=pl.String).gather(np.repeat(np.arange(len(values)), counts))


def _fields(events: pl.DataFrame, extra: Mapping[str, tuple[str, ...]]) -> pl.Series:
    """JSON text of the entity columns, and the extra ones, that hold anything."""
    names = _COLUMNS | dict(extra)
    held = {name: [column for column in columns if _holds(events, column)] for name, columns in names.items()}
    values = [_first(columns).alias(name) for name, columns in held.items() if columns]
    if not values:
        return pl.repeat("{}", events.height, dtype=pl.String, eager=True)
    return events.select(pl.struct(values).struct.json_encode().alias("fields")).get_column("fields")


def _holds(events: pl.DataFrame, column: str) -> bool:
    return column in events.columns and events.get_column(column).null_count() < events.height


def _first(columns: list[str]) -> pl.Expr:
    """The first that a row has: a rule with several routes names one thing by several columns."""
    return pl.col(columns[0]) if len(columns) == 1 else pl.coalesce(columns)
