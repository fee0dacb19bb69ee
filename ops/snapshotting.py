"""`hinomi store snapshot|restore`: the configured cluster's snapshots, as its keeper."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from hinomi.clock import SystemClock
from hinomi.errors import InputError, Where
from hinomi.store.elastic.connection import connect
from hinomi.store.elastic.events import ElasticEvents
from ops.settings import read_settings
from ops.snapshots import Snapshots


@contextmanager
def _opened(config: Path) -> Iterator[tuple[Snapshots, ElasticEvents]]:
    settings = read_settings(config).store.elasticsearch
    if settings is None:
        raise InputError(
            "スナップショットは Elasticsearch の保管庫のためのものです。",
            "snapshots are for a store on Elasticsearch",
            where=Where(config, None, "store.elasticsearch"),
        )
    client = connect(settings)
    try:
        yield Snapshots(client, settings.namespace, SystemClock()), ElasticEvents(client, settings.namespace)
    finally:
        client.close()


def make(config: Path, folder: Path | None) -> str:
    """Make one; its name. folder: where, the first time."""
    with _opened(config) as (snapshots, events):
        if folder is not None:
            snapshots.register(folder)
        return snapshots.make(events)


def listed(config: Path) -> str:
    """Names and numbers of events."""
    with _opened(config) as (snapshots, _):
        return "\n".join(
            f"{name}  {sum(counts.values()):,} events" for name, counts in snapshots.names().items()
        )


def restore(config: Path, name: str) -> str:
    """Bring one back; what came, in words."""
    with _opened(config) as (snapshots, events):
        counts = snapshots.restore(name, events)
    return f"戻しました / restored: {sum(counts.values()):,} events, {len(counts)} datasets"
