"""What every process does first: read its arguments and the configuration, log, die with its parent."""

import argparse
import contextlib
import os
import secrets
import signal
import socket
import sys
import threading
import traceback
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path

from hinomi.clock import Clock, SystemClock
from hinomi.errors import HinomiError
from hinomi.store import Events, Records
from ops import journal, stores, zones
from ops.rundir import RunDir
from ops.settings import Settings, read_settings
from ops.supervisor import die_with_parent


@dataclass(slots=True)
class Role:
    """One process: its name, its folders, its configuration, and the wish that it stop."""

    name: str
    data: Path
    settings: Settings
    run: RunDir
    lane: int = 0
    clock: Clock = field(default_factory=SystemClock)
    stop: threading.Event = field(default_factory=threading.Event)

    @property
    def machine(self) -> str:
        """What tells this data folder from those of other machines on one cluster: `<name>/`; alone: nothing."""
        return "" if self.settings.store.kind == "embedded" else f"{machine_name(self.data)}/"

    @property
    def label(self) -> str:
        """The process's name among all machines."""
        return f"{self.machine}{self.name}"

    def events(self) -> Events:
        """The event store."""
        return stores.open_events(self.settings.store, self.data, self.clock)

    def records(self, *, answer: float | None = None) -> Records:
        """The records. answer: see `stores.open_records`."""
        return stores.open_records(self.settings.store, self.data, self.clock, answer=answer)

    def ready(self, **more: object) -> None:
        """Say that the process is ready, and anything else of interest."""
        self.run.write(self.name, {"ready": True, "pid": os.getpid(), **more})


def machine_name(data: Path) -> str:
    """The host's name and four digits that stay with the data folder, which holds the spool."""
    path = data / "machine"
    if not path.exists():
        made = path.with_name(f".machine.{os.getpid()}")
        made.write_text(f"{socket.gethostname().split('.')[0]}-{secrets.token_hex(2)}", encoding="utf-8")
        with contextlib.suppress(FileExistsError):
            os.link(made, path)  # the first process's name holds
        made.unlink()
    return path.read_text(encoding="utf-8")


def _watched(process: Role) -> AbstractContextManager[None]:
    """Whoever calls people is told, too, where the store refuses, from the start on."""
    if process.name != "respond":
        return contextlib.nullcontext()
    from ops.blindness import watched  # brings the channels, which no other process needs

    return watched(process)


def role(name: str, body: Callable[[Role], None]) -> None:
    """Run a process's body; an error of its own is logged in words and ends it with a code."""
    from ops.shared.keeping import kept_current  # which knows what a Role is

    parser = argparse.ArgumentParser()
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--config", type=Path)
    parser.add_argument("--lane", type=int, default=0)
    parser.add_argument("--parent", type=int)
    arguments = parser.parse_args()
    full = f"{name}-{arguments.lane}" if name == "worker" or arguments.lane else name
    die_with_parent(arguments.parent)
    journal.configure(full)
    try:
        settings = read_settings(arguments.config)
        zones.use(settings.timezone, "timezone")
        process = Role(full, arguments.data, settings, RunDir.of(arguments.data), arguments.lane)
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: process.stop.set())
        with _watched(process):
            # Intake and pulls take lines in and spool them, whatever the store is doing.
            if name in {"intake", "pull"} or stores.made_ready(
                settings.store, process.clock, process.stop.wait
            ):
                with kept_current(process):
                    body(process)
    except HinomiError as error:
        journal.log.error("failed", reason=str(error))
        sys.exit(error.exit_code)
    except Exception as error:  # the supervisor starts the process again; the log says why, in one line
        if os.environ.get("HINOMI_DEBUG"):
            raise
        where = traceback.extract_tb(error.__traceback__)[-1]
        place = f"{Path(where.filename).name}:{where.lineno}"
        journal.log.error("crashed", error=f"{type(error).__name__}: {error}", at=place)
        sys.exit(70)
