"""The work of a hunt that one process does: parts of files in, written signals and counts out."""

import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import orjson
import polars as pl

from collectors.hunt_input import HuntInput, Read
from collectors.hunt_parts import Part
from collectors.source import Source
from hinomi import ecs, ecs_text
from ops.hunt_tally import Tally
from rules import engine

Rows = np.ndarray[Any, np.dtype[np.signedinteger[Any]]]
Hits = Sequence[tuple[engine.Rule, Rows]]


@dataclass(slots=True)
class Hunting:
    """source: forces the format of text files; sieve: False reads every event whole, which finds the same; jsonl: whether
    signals are written or only counted."""

    rules: engine.RuleSet
    source: str
    sieve: bool
    jsonl: bool
    _known: dict[Path, Source | None] = field(default_factory=dict)

    def part(self, part: Part) -> Iterator[bytes | Tally]:
        """Lines of JSON, a nested document a signal (rule.id, rule.name, log.file.path and the event); at last what was counted."""
        reader = HuntInput(source=self.source, known=self._known)
        reader.sieves = self.rules.sieve if self.sieve else None
        tally = Tally()
        for read in _timed(reader.read_part(part), tally.seconds):
            tally.events += len(read.batch)
            hits = self._match(read, tally)
            if hits and self.jsonl:
                start = time.perf_counter()
                yield _written(read.batch.frame, hits)
                tally.seconds["write"] += time.perf_counter() - start  # type: ignore[assignment]  # floats count too
        tally.events += reader.passed_over
        tally.passed_over = reader.passed_over
        for damage in reader.damaged:
            tally.lost[str(damage.path), damage.reason] += damage.lost
        tally.generic, tally.counts = reader.generic, reader.ledger.counts
        tally.rebuilt = Counter(self.rules.rebuilt)
        yield tally

    def _match(self, read: Read, tally: Tally) -> Hits:
        start = time.perf_counter()
        batch, known = read
        hits: Hits = self.rules.match(batch).hits if known is None else self.rules.complete(batch, known)
        tally.seconds["match"] += time.perf_counter() - start  # type: ignore[assignment]
        for rule, rows in hits:
            tally.by_rule[rule.level, rule.title, rule.id] += len(rows)
        return hits


def _timed(reads: Iterator[Read], seconds: Counter[str]) -> Iterator[Read]:
    while True:
        start = time.perf_counter()
        read = next(reads, None)
        seconds["read"] += time.perf_counter() - start  # type: ignore[assignment]
        if read is None:
            return
        yield read


def _written(frame: pl.DataFrame, hits: Hits) -> bytes:
    rows = np.unique(np.concatenate([found for _, found in hits]))
    events = frame[rows]  # each once, for all rules
    if any(name.partition(".")[0] == "rule" for name in events.columns):
        return b"".join(_merged(events, rows, hits))
    return b"".join(_joined(ecs_text.texts(events), rows, hits))


def _about(rule: engine.Rule) -> dict[str, Any]:
    return {"id": rule.id, "name": rule.title, "level": rule.level, "tags": list(rule.tags)}


def _joined(texts: Sequence[bytes], rows: Rows, hits: Hits) -> Iterator[bytes]:
    """The rule as the last member of each event's document (which is never empty: it has an id)."""
    for rule, found in hits:
        end = b',"rule":' + orjson.dumps(_about(rule)) + b"}\n"
        for place in np.searchsorted(rows, found).tolist():
            yield texts[place][:-1]
            yield end


def _merged(events: pl.DataFrame, rows: Rows, hits: Hits) -> Iterator[bytes]:
    """The same where events say something of a rule themselves."""
    documents = list(ecs.documents(events))
    for rule, found in hits:
        for place in np.searchsorted(rows, found).tolist():
            document = documents[place]
            said = {**document, "rule": {**document.get("rule", {}), **_about(rule)}}
            yield orjson.dumps(said, default=str, option=orjson.OPT_APPEND_NEWLINE)
