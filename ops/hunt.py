"""Offline detection over files: what `hinomi hunt` does."""

import os
import resource
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from collectors import hunt_parts
from hinomi.alert import Level
from hinomi.errors import HinomiError, InputError
from hinomi.text import inert
from ops.hunt_job import Job, Loaded
from ops.hunt_tally import Tally
from rules.in_force import InForce

# Why a file or a part of it was left out, for people.
_DAMAGE = {
    "unknown_format": "どの形式か分かりません。--source で指定できます / format not recognised; name it with --source"
}
_MOST_NAMED = 20
"""Files named one by one as of an unknown product."""


@dataclass(slots=True)
class Hunt:
    """One hunt: paths, the rules, the cache of compiled rules.

    source: forces the format of text files; sieve: False reads every event whole, which finds the same; workers: how many
    processes read, 0 for one a core where there is enough to read; zone: of times that name none (empty: as
    this process has it). What is found, and its
    order, is the same with any number of workers.
    """

    paths: Sequence[Path]
    rules: InForce
    cache: Path
    source: str = ""
    sieve: bool = True
    workers: int = 1
    zone: str = ""
    tally: Tally = field(default_factory=Tally)
    used: int = 1
    _loaded: Loaded | None = None

    def write_jsonl(self, out: BinaryIO) -> None:
        """One nested JSON document a signal: rule.id, rule.name, log.file.path and the event."""
        for lines in self._found(jsonl=True):
            out.write(lines)
        self._tell_damage(Console(stderr=True))

    def show(self, *, progress: bool) -> None:
        """A table of the rules that hit, for people; a progress bar where there is a terminal."""
        with Progress(disable=not progress, transient=True, console=Console(stderr=True)) as bar:
            task = bar.add_task("調査中 / hunting", total=None)
            for _ in self._found(jsonl=False):
                told = f"調査中 / hunting: {self.tally.events:,} events, {self.tally.signals:,} signals"
                bar.update(task, description=told)
        console = Console()
        rules = self.tally.by_rule
        table = Table("水準 / level", "件数 / hits", "ルール / rule", title=f"{len(rules)} rules")
        for (level, title, _), n in sorted(rules.items(), key=_gravest):
            table.add_row(level, f"{n:,}", inert(title))
        console.print(table)
        self._tell_damage(console)

    def _tell_damage(self, console: Console) -> None:
        problems = self._loaded.problems if self._loaded is not None else []
        for problem in problems[:_MOST_NAMED]:
            self._tell(console, problem, "red")
        if len(problems) > _MOST_NAMED:
            self._tell(console, f"… {len(problems) - _MOST_NAMED:,} (hinomi rules check)", "red")
        for path, name in sorted(self.tally.generic.items())[:_MOST_NAMED]:
            unknown = (
                f"製品が分からないので {name} として読みました。製品ごとのルールは当たりません(--source で指定できます) / "
                f"product unknown, read as {name}: rules for a product do not meet it; name it with --source"
            )
            self._tell(console, f"{path}: {unknown}", "yellow")
        for (name, reason), lost in sorted(self.tally.lost.items()):
            self._tell(console, f"{name}: {_DAMAGE.get(reason, reason)} ({lost:,})", "yellow")

    @staticmethod
    def _tell(console: Console, text: str, style: str) -> None:
        """A line as it is: a path that is wrapped cannot be copied."""
        console.print(inert(text), style=style, markup=False, soft_wrap=True)

    def show_stats(self) -> None:
        """Counts, seconds a stage (of all workers together), events a second and peak memory, on standard error."""
        tally, loaded, console = self.tally, self._loaded, Console(stderr=True)
        console.print(f"events {tally.events:,}  signals {tally.signals:,}  rules hit {len(tally.by_rule):,}")
        if loaded is not None:
            wrong = f"unsupported {loaded.unsupported:,}  problems {len(loaded.problems):,}"
            console.print(f"rules {loaded.rules:,}  {wrong}")
            console.print(f"load     {loaded.seconds:8.2f} s")
        for (kind, reason), files in sorted(tally.rebuilt.items()):
            console.print(f"rule cache: {files:,} {kind} made again ({reason})")
        for stage, seconds in tally.seconds.items():
            console.print(f"{stage:8} {seconds:8.2f} s")
        if tally.seconds["match"]:
            rate = tally.events / tally.seconds["match"]
            console.print(f"matching {rate:,.0f} events/s  peak memory {self._peak()}")
        if tally.passed_over:
            console.print(f"passed over {tally.passed_over:,} (they hold nothing that a rule asks for)")
        for line, n in sorted(tally.counts.items()):
            console.print(f"{line.what} {n:,}  {inert(line.dataset)} {inert(line.reason)}")

    def _peak(self) -> str:
        own = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        if self.used == 1:
            return f"{own:,.0f} MiB"
        largest = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
        return f"{own:,.0f} MiB + {self.used} workers of up to {largest:,.0f} MiB"

    def _found(self, *, jsonl: bool) -> Iterator[bytes]:
        """Written signals (nothing where they are only counted), and nothing more after each part of the files."""
        try:
            for found in self._work(jsonl=jsonl):
                match found:
                    case Loaded():
                        self._loaded = found
                    case Tally():
                        self.tally.add(found)
                        yield b""
                    case bytes():
                        yield found
        except HinomiError:
            if self._loaded is not None and not self._loaded.rules:
                self._tell_damage(Console(stderr=True))
            raise
        if self.tally.empty:
            places = ", ".join(map(str, self.paths))
            raise InputError(f"{places}: 調べるログがありません。", f"{places}: there is no log to look at")

    def _work(self, *, jsonl: bool) -> Iterator[Loaded | bytes | Tally]:
        job = Job(self.rules, self.cache, self.source, self.sieve, jsonl, self.zone)
        parts = hunt_parts.parts(self.paths, cut=self.sieve)
        wanted = self.workers or min(len(os.sched_getaffinity(0)), len(parts) // hunt_parts.WORTH)
        self.used = max(1, min(wanted, len(parts)))
        if self.used == 1:
            return job.work(enumerate(parts))
        from ops.hunt_crew import Crew

        return Crew(job, parts, self.used).found()


def _gravest(one: tuple[tuple[str, str, str], int]) -> tuple[int, int, str, str]:
    (level, title, number), n = one
    return -Level(level).rank, -n, title, number
