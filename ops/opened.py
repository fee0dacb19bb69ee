"""A tower's stores opened for one command."""

import getpass
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from hinomi.clock import SystemClock
from hinomi.errors import InputError, Where
from ops.rundir import RunDir

if TYPE_CHECKING:
    from hinomi.store import Events, Records
    from ops.settings import Settings
    from responders.desk import Desk

_CONFIGURATION = "configuration"


@dataclass(frozen=True, slots=True)
class Opened:
    """The stores of a data folder, the configuration they run with, and the desk that people decide with."""

    data: Path
    settings: "Settings"
    events: "Events"
    records: "Records"
    clock: SystemClock
    desk: "Desk"


@contextmanager
def opened(data: Path, *, make: bool = False, config: Path | None = None) -> Iterator[Opened]:
    """Open a data folder. config: the configuration that names the store (default: the one that `hinomi up` last ran
    with here). Raises InputError where there is no data folder and none is to be made."""
    if not make and not (data / "records.sqlite").exists() and not _path(data):
        raise InputError(
            "データフォルダがありません。--data を確かめてください。",
            "there is no data folder here",
            where=Where(data),
        )
    # not above: they take a second to load, and most of a group's commands open nothing
    from ops import stores
    from ops.service import open_desk
    from ops.settings import read_settings

    clock, settings = SystemClock(), read_settings(config or remembered(data))
    events = stores.open_events(settings.store, data, clock)
    records = stores.open_records(settings.store, data, clock)
    try:
        yield Opened(data, settings, events, records, clock, open_desk(settings, records, data, clock))
    finally:
        events.close()
        records.close()


def remember(data: Path, config: Path | None) -> None:
    """Note which configuration this data folder is run with."""
    RunDir.of(data).write(_CONFIGURATION, {"path": str(config.resolve()) if config else ""})


def remembered(data: Path) -> Path | None:
    """The configuration that this data folder was last run with; None: all defaults, or never run. Raises InputError where
    it is gone: by the defaults a command would look into another store."""
    path = _path(data)
    if path and not Path(path).exists():
        raise InputError(
            f"{data} は設定 {path} で動かしていましたが、そのファイルがありません。元の場所に戻すか、"
            "新しい場所の設定で hinomi up を起動し直してください。",
            f"{data} was run with the configuration {path}, which is gone: put it back, or start hinomi up again with the one"
            " that took its place",
            where=Where(Path(path)),
        )
    return Path(path) if path else None


def _path(data: Path) -> str:
    """As `remember` noted it; empty where nothing is noted."""
    return str(RunDir(data / "run").read(_CONFIGURATION).get("path") or "") if (data / "run").is_dir() else ""


def shares_with_nobody(place: Opened) -> bool:
    """Whether the store is this machine's own; then it is said that there is nobody to share with."""
    alone = place.settings.store.kind == "embedded"
    if alone:
        typer.echo(
            "保管庫がこの機械だけのもの(embedded)なので、配る先はありません。"
            " / the store is this machine's own: there is nobody to share with"
        )
    return alone


def operator() -> str:
    """Who runs the command, for the audit log: the account behind sudo, else the one that runs it."""
    return f"cli:{os.environ.get('SUDO_USER') or getpass.getuser()}"
