"""Where events and records are kept: two protocols, each with an embedded and a server implementation."""

from hinomi.store.protocols import (
    Appended,
    Bucket,
    Checkpoint,
    Counted,
    DatasetStats,
    DayStats,
    Events,
    Flaw,
    Page,
    Record,
    Records,
    Span,
    Survey,
)

__all__ = [
    "Appended",
    "Bucket",
    "Checkpoint",
    "Counted",
    "DatasetStats",
    "DayStats",
    "Events",
    "Flaw",
    "Page",
    "Record",
    "Records",
    "Span",
    "Survey",
]
