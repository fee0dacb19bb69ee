"""The work of a hunt that one process does: parts of files in, written signals and counts out."""

import time
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from io import BytesIO
from itertools import groupby
from operator import itemgetter

import polars as pl

from collectors.hunt_input import PLACES, HuntInput, Read
from collectors.hunt_parts import Part
from hinomi.batch import Batch
from ops.hunt.correlating import EVENT, PATH, SEEN
from ops.hunt.fed import Fed
from ops.hunt.signals import Hits, written
from ops.hunt.tally import UNDATED, Tally
from rules import engine

_OPEN = 8
"""Parts whose records are read together: a frame of events costs some ten milliseconds however few there are in it."""


@dataclass(slots=True)
class Hunting:
    """source: forces the format of text files; sieve: False reads every event whole, which finds the same; jsonl: whether
    signals are written or only counted."""

    rules: engine.RuleSet
    source: str
    sieve: bool
    jsonl: bool
    _open: dict[int, Tally] = field(default_factory=dict)
    _lines: list[tuple[int, int, bytes]] = field(default_factory=list)
    _counted: Tally = field(default_factory=Tally)
    _fed: list[pl.DataFrame] = field(default_factory=list)

    def work(self, parts: Iterable[tuple[int, Part] | None]) -> Iterator[bytes | Tally | Fed]:
        """Of each part, in order: lines of JSON, a nested document a signal (rule.id, rule.name, log.file.path and the event),
        by the place of the event and the rule's number; then what was counted. They come some parts later, or at a None, and
        before the last of them what correlations and baselines are to look at.

        Raises what reading a part raised, after all that was found in those before it.
        """
        reader = HuntInput(source=self.source, sieves=self.rules.sieve if self.sieve else None)
        for part in parts:
            if part is not None:
                tally = Tally()
                try:
                    for read in _timed(reader.read_part(*part), self._counted.seconds):
                        self._match(read)
                except Exception:
                    yield from self._finish(reader)
                    raise
                self._open[part[0]] = tally
                _take(reader, tally)
            if part is None or len(self._open) >= _OPEN or reader.full:
                yield from self._finish(reader)
        yield from self._finish(reader)

    def _finish(self, reader: HuntInput) -> Iterator[bytes | Tally | Fed]:
        """All that was found in the parts that were read."""
        for read in _timed(reader.read_held(), self._counted.seconds):
            self._match(read)
        _take(reader, self._counted)
        self._counted.rebuilt = Counter(self.rules.rebuilt)
        self._lines.sort(key=itemgetter(0, 1))
        found = {number: list(lines) for number, lines in groupby(self._lines, lambda one: one[0] // PLACES)}
        self._lines = []
        for number, tally in self._open.items():
            yield b"".join(line for _, _, line in found.get(number, ()))
            if number == max(self._open):
                yield from self._feed()
                tally.add(self._counted)
                self._counted = Tally()
            yield tally
        self._open.clear()

    def _match(self, read: Read) -> None:
        start = time.perf_counter()
        batch, known, places = read
        hits: Hits = self.rules.match(batch).hits if known is None else self.rules.complete(batch, known)
        matched = time.perf_counter()
        if self.rules.fed:
            hits = self._apart(batch, hits)
        for rule, rows in hits:
            self._counted.by_rule[rule.level, rule.title, rule.id] += len(rows)
        self._counted.events += len(batch)
        if hits and self.jsonl:
            self._lines += written(batch.frame, places.to_numpy(), hits)
        spent = {"match": matched - start, "write": time.perf_counter() - matched}
        self._counted.seconds.update(spent)

    def _apart(self, batch: Batch, hits: Hits) -> Hits:
        """What is not only counted; what correlations and baselines look at is put aside for them, but for what has no legible
        time: it would be of the moment of the hunt, all at once."""
        own = [(rule, rows) for rule, rows in hits if rule.id in self.rules.fed]
        if own:
            found = self.rules.signals(batch, engine.Matches(own)).select(SEEN)
            dated = pl.col("@timestamp") != pl.col("event.ingested")  # see `collectors.hunt_input`
            places = batch.frame.filter(dated).select(pl.col("event.id").alias(EVENT), PATH).unique(EVENT)
            kept = found.join(places, on=EVENT, how="inner")
            if undated := found.height - kept.height:
                self._counted.counts[UNDATED] += undated
            if kept.height:
                self._fed.append(kept)
        only = self.rules.counted_only
        self._counted.counted += sum(len(rows) for rule, rows in own if rule.id in only)
        return [(rule, rows) for rule, rows in hits if rule.id not in only]

    def _feed(self) -> Iterator[Fed]:
        if self._fed:
            whole, out = pl.concat(self._fed), BytesIO()
            whole.write_ipc(out, compression="zstd")
            self._fed = []
            yield Fed(whole.height, out.getvalue())


def _take(reader: HuntInput, tally: Tally) -> None:
    """What the reader counted since the last time."""
    tally.events += reader.passed_over
    tally.passed_over += reader.passed_over
    for damage in reader.damaged:
        tally.lost[str(damage.path), damage.reason] += damage.lost
    tally.generic |= reader.generic
    tally.counts.update(reader.ledger.take())
    reader.passed_over, reader.damaged, reader.generic = 0, [], {}


def _timed(reads: Iterator[Read], seconds: Counter[str]) -> Iterator[Read]:
    while True:
        start = time.perf_counter()
        read = next(reads, None)
        seconds["read"] += time.perf_counter() - start  # type: ignore[assignment]
        if read is None:
            return
        yield read
