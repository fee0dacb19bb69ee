"""`hinomi store snapshot|restore`: the configured cluster's snapshots, as its keeper; copies of an embedded store."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from hinomi.clock import SystemClock
from hinomi.errors import InputError, Where
from hinomi.store.elastic.connection import connect
from hinomi.store.elastic.events import ElasticEvents
from ops.backup import Backups, DamagedPart
from ops.settings import read_settings
from ops.snapshots import Snapshots

_NEEDED = "--config is needed, or for an embedded store --data and --folder"


@contextmanager
def _opened(config: Path | None) -> Iterator[tuple[Snapshots, ElasticEvents, int]]:
    if config is None:
        raise InputError("--config か、内蔵の保管庫なら --data と --folder が必要です。", _NEEDED)
    settings = read_settings(config).store.elasticsearch
    if settings is None:
        raise InputError(
            "内蔵の保管庫の写しには --data と --folder を使ってください。",
            "for an embedded store use --data and --folder",
            where=Where(config, None, "store.elasticsearch"),
        )
    client = connect(settings)
    try:
        events = ElasticEvents(client, settings.namespace)
        yield Snapshots(client, settings.namespace, SystemClock()), events, settings.replicas
    finally:
        client.close()


def make(config: Path | None, folder: Path | None) -> str:
    """Make one; its name. folder: where, the first time."""
    with _opened(config) as (snapshots, events, _):
        if folder is not None:
            snapshots.register(folder)
        return snapshots.make(events)


def restore(config: Path | None, name: str, folder: Path | None) -> str:
    """Bring one back; what came, in words. Without a name those that there are. folder: where they are, if not where this
    cluster's own are."""
    with _opened(config) as (snapshots, events, replicas):
        if folder is not None:
            snapshots.look_into(folder)
        if not name:
            return "\n".join(f"{one}  {number:,} events" for one, number in snapshots.names().items())
        counts = snapshots.restore(name, events, replicas=replicas)
    return f"戻しました / restored: {sum(counts.values()):,} events, {len(counts)} datasets"


def copied(data: Path, folder: Path | None) -> tuple[str, list[DamagedPart]]:
    """A copy of an embedded store; its name, and what of the store is damaged. folder: where copies are kept."""
    if folder is None:
        raise InputError("--folder で置き場を指定してください。", "name a place with --folder")
    backups = Backups(folder)
    name = backups.make(data, SystemClock())
    return name, backups.damaged(name)


def copies(folder: Path, name: str, data: Path | None) -> tuple[str, list[DamagedPart]]:
    """Without a name the copies that are there; else what one brought back into a folder, in words, and what it lacks."""
    if not folder.is_dir():
        raise InputError(
            "写しの置き場がありません。", "there is no such folder of copies", where=Where(folder)
        )
    backups = Backups(folder)
    if not name:
        found = backups.names()
        return "\n".join(f"{one}  {sum(counts.values()):,} events" for one, counts in found.items()), []
    if data is None:
        raise InputError("--data で戻す先を指定してください。", "name an empty folder with --data")
    counts = backups.restore(name, data)
    lacking = [part for part in backups.damaged(name) if not part.here]
    number = sum(counts.values()) - sum(part.events for part in lacking)
    return f"戻しました / restored: {number:,} events, {len(counts)} datasets", lacking
