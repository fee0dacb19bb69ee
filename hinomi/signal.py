"""Signals: what a rule's match leaves behind, small enough to keep all of them."""

import polars as pl

from hinomi import ecs
from hinomi.batch import SIGNALS
from hinomi.organization import FIELD

DATASET = SIGNALS

SCHEMA: dict[str, pl.DataType] = {
    "@timestamp": ecs.TIME,
    "event.created": ecs.TIME,
    "event.id": pl.String(),
    "event.kind": pl.String(),
    "rule.id": pl.String(),
    "rule.name": pl.String(),
    "hinomi.signal.role": pl.String(),
    "hinomi.signal.level": pl.String(),
    "hinomi.signal.event_id": pl.String(),
    "hinomi.signal.event_dataset": pl.String(),
    "hinomi.signal.fields": pl.String(),
    FIELD: pl.String(),
}
"""Columns of a signal frame. `event.id` is the signal's own id (digest of rule and event), `@timestamp` the
event's time, `event.created` when the event came (whenever its signal is made: a store keeps it with that day),
`event.kind` "signal", `role` "detection" or "base", `fields` JSON text of dotted fields; the last is
whose the event is."""


def empty() -> pl.DataFrame:
    """A signal frame without rows."""
    return pl.DataFrame(schema=SCHEMA)
