"""A whole hunt: the parts of the files, the processes that read them, and what comes of it."""

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from time import perf_counter
from typing import BinaryIO

from collectors import hunt_parts
from collectors.hunt_input import UNKNOWN_FORMAT
from hinomi.errors import HinomiError, InputError
from hinomi.ledger import Line
from ops.hunt.correlating import Aside, Watch, written
from ops.hunt.fed import Fed
from ops.hunt.job import Job, Loaded
from ops.hunt.tally import NOT_CORRELATED, UNDATED, Tally
from ops.standard_streams import writing
from rules.in_force import InForce


@dataclass(slots=True)
class Hunt:
    """One hunt: paths, the rules, the cache of compiled rules.

    source: forces the format of text files; sieve: False reads every event whole, which finds the same; workers: how many
    processes read, 0 for one a core and no more than there are parts (a second gains from two parts on: `benchmarks.hunt`);
    zone: of times that name none (empty: as this process has it); own: folders of the city's own
    mappings. What is found, and its order, is the same with any number of workers.
    """

    paths: Sequence[Path]
    rules: InForce
    cache: Path
    source: str = ""
    sieve: bool = True
    workers: int = 1
    zone: str = ""
    own: Sequence[Path] = ()
    tally: Tally = field(default_factory=Tally)
    used: int = 1
    _loaded: Loaded | None = None

    @property
    def complete(self) -> bool:
        """Whether every file could be read, with all the rules but those whose placeholders have no values; known once the hunt
        is over. What of it was understood: `understood`."""
        unread = any(reason != UNKNOWN_FORMAT for _, reason in self.tally.lost)
        return not unread and not (self._loaded is not None and self._loaded.problems)

    @property
    def understood(self) -> bool:
        """Whether an event came of every line of all files."""
        return not self.tally.lost and not self.tally.not_understood

    def write_jsonl(self, out: BinaryIO) -> None:
        """One nested JSON document a signal: rule.id, rule.name, log.file.path and the event."""
        for lines in self._found(jsonl=True):
            with writing():
                out.write(lines)
        with writing():
            out.flush()
        self._tell_damage()

    def show(self, *, progress: bool) -> None:
        """A table of the rules that hit, for people; a progress bar where there is a terminal."""
        from rich.console import Console
        from rich.progress import Progress

        from ops.hunt import shown

        # no thread that draws it anew: a process with threads cannot be copied (`ops.hunt.starting`)
        with Progress(
            disable=not progress, transient=True, console=Console(stderr=True), auto_refresh=False
        ) as bar:
            task = bar.add_task("調査中 / hunting", total=None)
            for _ in self._found(jsonl=False):
                told = f"調査中 / hunting: {self.tally.events:,} events, {self.tally.signals:,} signals"
                bar.update(task, description=told, refresh=True)
        with writing():
            shown.rules(Console(), self.tally)
            shown.damage(Console(), self.tally, self._loaded)

    def show_stats(self) -> None:
        """Counts and times, on standard error."""
        from rich.console import Console

        from ops.hunt import shown

        shown.stats(Console(stderr=True), self.tally, self._loaded, workers=self.used)

    def _tell_damage(self) -> None:
        """On standard error."""
        valueless = self._loaded is not None and self._loaded.valueless
        if (
            self.tally.generic
            or valueless
            or self.tally.not_correlated
            or self.tally.counts[UNDATED]
            or not (self.complete and self.understood)
        ):
            from rich.console import Console

            from ops.hunt import shown

            shown.damage(Console(stderr=True), self.tally, self._loaded)

    def _found(self, *, jsonl: bool) -> Iterator[bytes]:
        """Written signals (nothing where they are only counted), and nothing more after each part of the files."""
        job = Job(self.rules, self.cache, tuple(self.own), self.source, self.sieve, jsonl, self.zone)
        aside = Aside()
        try:
            for found in self._work(job):
                match found:
                    case Fed():
                        aside.add(found)
                    case Loaded():
                        self._loaded = found
                    case Tally():
                        self.tally.add(found)
                        yield b""
                    case bytes():
                        yield found
        except HinomiError:
            if self._loaded is not None and not self._loaded.rules:
                self._tell_damage()
            raise
        if self.tally.empty:
            places = ", ".join(map(str, self.paths))
            raise InputError(f"{places}: 調べるログがありません。", f"{places}: there is no log to look at")
        if self._loaded is not None and self._loaded.watching:
            yield from self._watched(job, aside)

    def _watched(self, job: Job, aside: Aside) -> Iterator[bytes]:
        """What correlations and baselines find, written behind all signals."""
        start = perf_counter()
        watch = Watch(job.rules.load(job.cache))
        for alert, path in watch.look(aside.frame()):
            self.tally.by_rule[str(alert.level), alert.title_en, alert.rule_id] += 1
            if job.jsonl:
                yield written(alert, path)
        self.tally.seconds["correlate"] += perf_counter() - start  # type: ignore[assignment]
        if aside.over:
            self.tally.counts[Line("dropped", "", NOT_CORRELATED)] += aside.over
        assert self._loaded is not None
        self._loaded = self._loaded._replace(problems=[*self._loaded.problems, *watch.problems])
        yield b""

    def _work(self, job: Job) -> Iterator[Loaded | bytes | Tally | Fed]:
        parts = hunt_parts.parts(self.paths, cut=self.sieve)
        wanted = self.workers or len(os.sched_getaffinity(0))
        self.used = max(1, min(wanted, len(parts)))
        if self.used == 1:
            return job.work(enumerate(parts))
        from ops.hunt.crew import Crew

        return Crew(job, parts, self.used).found()
