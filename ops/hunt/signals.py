"""Signals as `hinomi hunt --jsonl` writes them: the event as a nested JSON document, and the rule in it."""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import orjson
import polars as pl

from hinomi import ecs, ecs_text
from rules import engine
from rules.engine.distinct import distinct

Rows = np.ndarray[Any, np.dtype[np.signedinteger[Any]]]
Hits = Sequence[tuple[engine.Rule, Rows]]
_SAID = {f"rule.{name}" for name in ("id", "name", "level", "tags")}
"""What a signal says of its rule: what an event has there (the RuleName of Sysmon, say) has no place in it."""


def written(frame: pl.DataFrame, places: Rows, hits: Hits) -> Iterator[tuple[int, int, bytes]]:
    """(place, rule, line) of each signal."""
    rows = distinct(np.concatenate([found for _, found in hits]))
    events = frame[rows]  # each once, for all rules
    theirs = {name for name in events.columns if name.partition(".")[0] == "rule"}
    if theirs - _SAID:
        return _merged(events, places, rows, hits)
    return _joined(ecs_text.texts(events.drop(theirs)), places, rows, hits)


def _about(rule: engine.Rule) -> dict[str, Any]:
    return {"id": rule.id, "name": rule.title, "level": rule.level, "tags": list(rule.tags)}


def _joined(texts: Sequence[bytes], places: Rows, rows: Rows, hits: Hits) -> Iterator[tuple[int, int, bytes]]:
    """The rule as the last member of each event's document (which is never empty: it has an id)."""
    for rule, found in hits:
        end = b',"rule":' + orjson.dumps(_about(rule)) + b"}\n"
        for place, text in zip(places[found].tolist(), np.searchsorted(rows, found).tolist(), strict=True):
            yield place, rule.index, texts[text][:-1] + end


def _merged(events: pl.DataFrame, places: Rows, rows: Rows, hits: Hits) -> Iterator[tuple[int, int, bytes]]:
    """The same where events say something of a rule themselves that a signal keeps."""
    documents = list(ecs.documents(events))
    for rule, found in hits:
        for place, number in zip(places[found].tolist(), np.searchsorted(rows, found).tolist(), strict=True):
            document = documents[number]
            said = {**document, "rule": {**document.get("rule", {}), **_about(rule)}}
            yield place, rule.index, orjson.dumps(said, default=str, option=orjson.OPT_APPEND_NEWLINE)
