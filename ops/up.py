"""Starting the tower: check the configuration, take the data folder, supervise the processes."""

import os
from collections.abc import Sequence
from pathlib import Path

from hinomi import yamlfile
from hinomi.errors import ConfigError, Where
from ops import folders, journal, named_sources
from ops.greeting import Greeting
from ops.opened import remember
from ops.rundir import RunDir
from ops.settings import Settings, read_settings
from ops.supervisor import Child, Supervisor, python

PARTS = ("collect", "detect", "respond", "console")
"""Each of these can run alone, any number of times, once the store is Elasticsearch."""


def children(
    data: Path, config: Path | None, settings: Settings, parts: Sequence[str] = PARTS
) -> list[Child]:
    """The processes in the order in which they stop: who takes in first, who shows last."""
    common = [
        "--data",
        str(data),
        *(["--config", str(config)] if config else []),
        "--parent",
        str(os.getpid()),
    ]

    def child(name: str, *more: str) -> Child:
        return Child("-".join([name, *more[1:]]), python(f"ops.roles.{name}", *common, *more))

    consoles = settings.console.processes
    alone = settings.store.kind == "embedded"  # then the respond process correlates, too
    made = {
        "collect": [
            child("intake"),
            *([child("pull")] if settings.pull else []),
            *(child("worker", "--lane", str(n)) for n in range(settings.workers)),
        ],
        "detect": [] if alone else [child("detect")],
        "respond": [child("respond")],
        "console": [child("console"), *(child("console", "--lane", str(n)) for n in range(1, consoles))],
    }
    return [one for part in PARTS if part in parts for one in made[part]]


async def run_part(part: str, data: Path, config: Path) -> None:
    """Run one part on this machine. Raises ConfigError where the store is one that only one machine can use."""
    if read_settings(config).store.kind == "embedded":
        raise ConfigError(
            f"hinomi {part} だけを動かすには、store.kind を elasticsearch にします(内蔵の保管庫は1台用です)。",
            f"hinomi {part} alone needs store.kind elasticsearch: the embedded store is for one machine",
            where=Where(config, None, "store.kind"),
        )
    await run(data, config, [part])


async def run(data: Path, config: Path | None, parts: Sequence[str] = PARTS) -> None:
    """Run until told to stop. Raises ConfigError before anything starts, HinomiError when already running."""
    settings = read_settings(config)
    _rules_there_are(config, settings)
    _sources_there_are(config, settings)
    folders.make(data)
    data.chmod(0o700)
    place = RunDir.of(data)
    journal.configure("supervisor")
    with place.lock():
        for name in place.names():
            place.forget(name)
        remember(data, config)
        if settings.store.kind == "embedded":
            _sweep(data)
        greeting = Greeting.at_terminal(place, data)
        greeting.starting()
        await Supervisor(children(data, config, settings, parts), place, greeting).serve()


def _rules_there_are(config: Path | None, settings: Settings) -> None:
    """Processes that cannot load their rules would start, fail and start again. Raises ConfigError."""
    for number, path in enumerate(settings.rules.folders):
        if config is not None and not path.exists():
            raise ConfigError(
                f"「{path}」がありません。相対パスは hinomi を起動した場所({Path.cwd()})から数えます。",
                f"there is no {path}; relative paths count from where hinomi is started ({Path.cwd()})",
                where=yamlfile.read(config).places.where(f"rules.folders.{number}"),
            )


def _sources_there_are(config: Path | None, settings: Settings) -> None:
    """Raises ConfigError for the first name that no source has."""
    for key, name, near in named_sources.unknown(settings):
        hint, meant = (
            (f"「{'」「'.join(near)}」のことですか。", f"; did you mean {', '.join(near)}?")
            if near
            else ("", "")
        )
        raise ConfigError(
            f"「{name}」というソースはありません。{hint}",
            f"no source is called {name}{meant}",
            where=Where(key=key) if config is None else yamlfile.read(config).places.where(key),
        )


def _sweep(data: Path) -> None:
    """Files that a crash left unnamed go; where a command is appending, at the next start."""
    from hinomi.store.embedded import ParquetEvents

    events = ParquetEvents(data / "events")
    swept = events.sweep(orphans=True)
    events.close()
    if swept:
        journal.log.info("swept_unnamed_files", files=swept)
