"""Offline detection over files: what `hinomi hunt` does."""

import resource
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import orjson
import polars as pl
from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from collectors.hunt_input import HuntInput, Read
from hinomi import ecs, ecs_text
from hinomi.alert import Level
from hinomi.batch import Batch
from hinomi.errors import InputError
from hinomi.text import inert
from rules import engine
from rules.in_force import InForce

# Why a file or a part of it was left out, for people.
_DAMAGE = {
    "unknown_format": "どの形式か分かりません。--source で指定できます / format not recognised; name it with --source"
}
_MOST_NAMED = 20
"""Files named one by one as of an unknown product."""
Rows = np.ndarray[Any, np.dtype[np.signedinteger[Any]]]
Hits = Sequence[tuple[engine.Rule, Rows]]


@dataclass(slots=True)
class Hunt:
    """One hunt: paths, the rules, the cache of compiled rules.

    source: forces the format of text files; sieve: False reads every event whole, which finds the same.
    """

    paths: Sequence[Path]
    rules: InForce
    cache: Path
    source: str = ""
    sieve: bool = True
    events: int = 0
    signals: int = 0
    by_rule: Counter[tuple[str, str, str]] = field(default_factory=Counter)
    _input: HuntInput | None = None
    _loaded: engine.RuleSet | None = None
    _seconds: dict[str, float] = field(default_factory=dict)

    def write_jsonl(self, out: BinaryIO) -> None:
        """One nested JSON document a signal: rule.id, rule.name, log.file.path and the event."""
        for batch, hits in self._matches():
            rows = np.unique(np.concatenate([found for _, found in hits]))
            events = batch.frame[rows]  # each once, for all rules
            if any(name.partition(".")[0] == "rule" for name in events.columns):
                _write_merged(out, events, rows, hits)
            else:
                _write_joined(out, ecs_text.texts(events), rows, hits)
        self._tell_damage(Console(stderr=True))

    def show(self, *, progress: bool) -> None:
        """A table of the rules that hit, for people; a progress bar where there is a terminal."""
        with Progress(disable=not progress, transient=True, console=Console(stderr=True)) as bar:
            task = bar.add_task("調査中 / hunting", total=None)
            for _ in self._matches():
                bar.update(
                    task, description=f"調査中 / hunting: {self.events:,} events, {self.signals:,} signals"
                )
        console = Console()
        table = Table("水準 / level", "件数 / hits", "ルール / rule", title=f"{len(self.by_rule)} rules")
        for (level, title, _), n in sorted(
            self.by_rule.items(), key=lambda one: (-Level(one[0][0]).rank, -one[1])
        ):
            table.add_row(level, f"{n:,}", inert(title))
        console.print(table)
        self._tell_damage(console)

    def _tell_damage(self, console: Console) -> None:
        problems = self._loaded.problems if self._loaded is not None else []
        for problem in problems[:_MOST_NAMED]:
            self._tell(console, str(problem), "red")
        if len(problems) > _MOST_NAMED:
            self._tell(console, f"… {len(problems) - _MOST_NAMED:,} (hinomi rules check)", "red")
        for path, name in list(self._reader().generic.items())[:_MOST_NAMED]:
            unknown = (
                f"製品が分からないので {name} として読みました。製品ごとのルールは当たりません(--source で指定できます) / "
                f"product unknown, read as {name}: rules for a product do not meet it; name it with --source"
            )
            self._tell(console, f"{path}: {unknown}", "yellow")
        for damage in self._reader().damaged:
            said = _DAMAGE.get(damage.reason, damage.reason)
            self._tell(console, f"{damage.path}: {said} ({damage.lost:,})", "yellow")

    @staticmethod
    def _tell(console: Console, text: str, style: str) -> None:
        """A line as it is: a path that is wrapped cannot be copied."""
        console.print(inert(text), style=style, markup=False, soft_wrap=True)

    def show_stats(self) -> None:
        """Counts, seconds a stage, events a second and peak memory, on standard error."""
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        loaded = self._loaded
        console = Console(stderr=True)
        console.print(f"events {self.events:,}  signals {self.signals:,}  rules hit {len(self.by_rule):,}")
        if loaded is not None:
            wrong = f"unsupported {len(loaded.unsupported):,}  problems {len(loaded.problems):,}"
            console.print(f"rules {len(loaded.rules):,}  {wrong}")
            for (kind, reason), files in sorted(loaded.rebuilt.items()):
                console.print(f"rule cache: {files:,} {kind} made again ({reason})")
        for stage, seconds in self._seconds.items():
            console.print(f"{stage:8} {seconds:8.2f} s")
        if self._seconds.get("match"):
            rate = self.events / self._seconds["match"]
            console.print(f"matching {rate:,.0f} events/s  peak memory {peak:,.0f} MiB")
        if unread := self._reader().passed_over:
            console.print(f"passed over {unread:,} (they hold nothing that a rule asks for)")
        for line, n in sorted(self._reader().ledger.counts.items()):
            console.print(f"{line.what} {n:,}  {inert(line.dataset)} {inert(line.reason)}")

    def _reader(self) -> HuntInput:
        if self._input is None:
            self._input = HuntInput(source=self.source)
            if self.sieve and self._loaded is not None:
                self._input.sieves = self._loaded.sieve
        return self._input

    def _matches(self) -> Iterator[tuple[Batch, Hits]]:
        start = time.perf_counter()
        rules = self._loaded = self.rules.load(self.cache)
        self._seconds["load"] = time.perf_counter() - start
        if not rules.rules:
            places = ", ".join(map(str, self.rules.folders))
            self._tell_damage(Console(stderr=True))
            raise InputError(
                f"{places}: 動かせる Sigma ルールがありません。--rules を確かめてください。",
                f"{places}: no Sigma rule to run; see hinomi rules check",
            )
        for batch, known in self._timed_batches():
            start = time.perf_counter()
            hits = rules.match(batch).hits if known is None else rules.complete(batch, known)
            self._seconds["match"] = self._seconds.get("match", 0.0) + time.perf_counter() - start
            for rule, rows in hits:
                self.signals += len(rows)
                self.by_rule[rule.level, rule.title, rule.id] += len(rows)
            if hits:
                yield batch, hits

    def _timed_batches(self) -> Iterator[Read]:
        reads = self._reader().read(self.paths)
        while True:
            start = time.perf_counter()
            read = next(reads, None)
            self._seconds["read"] = self._seconds.get("read", 0.0) + time.perf_counter() - start
            if read is None:
                break
            self.events += len(read.batch)
            yield read
        self.events += self._reader().passed_over
        if not self.events and not self._reader().damaged and not self._reader().ledger.counts:
            places = ", ".join(map(str, self.paths))
            raise InputError(f"{places}: 調べるログがありません。", f"{places}: there is no log to look at")


def _about(rule: engine.Rule) -> dict[str, Any]:
    return {"id": rule.id, "name": rule.title, "level": rule.level, "tags": list(rule.tags)}


def _write_joined(out: BinaryIO, texts: Sequence[bytes], rows: Rows, hits: Hits) -> None:
    """The rule as the last member of each event's document (which is never empty: it has an id)."""
    for rule, found in hits:
        end = b',"rule":' + orjson.dumps(_about(rule)) + b"}\n"
        for place in np.searchsorted(rows, found).tolist():
            out.write(texts[place][:-1] + end)


def _write_merged(out: BinaryIO, events: pl.DataFrame, rows: Rows, hits: Hits) -> None:
    """The same where events say something of a rule themselves."""
    documents = list(ecs.documents(events))
    for rule, found in hits:
        for place in np.searchsorted(rows, found).tolist():
            document = documents[place]
            said = {**document, "rule": {**document.get("rule", {}), **_about(rule)}}
            out.write(orjson.dumps(said, default=str, option=orjson.OPT_APPEND_NEWLINE))
