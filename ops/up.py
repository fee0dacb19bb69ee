"""Starting the tower: check the configuration, take the data folder, supervise the processes."""

from pathlib import Path

from ops import folders, journal
from ops.opened import remember
from ops.rundir import RunDir
from ops.settings import Settings, read_settings
from ops.supervisor import Child, Supervisor, python


def children(data: Path, config: Path | None, settings: Settings) -> list[Child]:
    """The processes in the order in which they stop: who takes in first, who shows last."""
    common = ["--data", str(data), *(["--config", str(config)] if config else [])]
    workers = [
        Child(f"worker-{lane}", python("ops.roles.worker", *common, "--lane", str(lane)))
        for lane in range(settings.workers)
    ]
    return [
        Child("intake", python("ops.roles.intake", *common)),
        *workers,
        Child("respond", python("ops.roles.respond", *common)),
        Child("console", python("ops.roles.console", *common)),
    ]


async def run(data: Path, config: Path | None) -> None:
    """Run until told to stop. Raises ConfigError before anything starts, HinomiError when already running."""
    settings = read_settings(config)
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
        await Supervisor(children(data, config, settings), place).serve()


def _sweep(data: Path) -> None:
    """Files that a crash left unnamed go, while surely nobody appends."""
    from hinomi.store.embedded import ParquetEvents

    events = ParquetEvents(data / "events")
    swept = events.sweep(orphans=True)
    events.close()
    if swept:
        journal.log.info("swept_unnamed_files", files=swept)
