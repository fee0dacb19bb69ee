"""Rules and events for tests: a rule as YAML text or mapping, events as flat mappings, and who matched."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import polars as pl
import yaml

from hinomi.batch import Batch
from rules.engine import RuleSet, load

NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
DATASET = "city.test"
TEXT, TEXTS = pl.String(), pl.List(pl.String())


def rule(detection: Mapping[str, Any], **more: Any) -> dict[str, Any]:
    """A rule over the dataset of these tests."""
    return {
        "title": "Test rule",
        "id": "11111111-2222-4333-8444-555555555555",
        "logsource": {"product": "hinomi", "service": DATASET},
        "detection": dict(detection),
        "level": "high",
        **more,
    }


def rules(folder: Path, *documents: Mapping[str, Any], **options: Any) -> RuleSet:
    """These rules, one a file, loaded."""
    folder.mkdir(parents=True, exist_ok=True)
    for number, document in enumerate(documents):
        text = yaml.safe_dump(dict(document), allow_unicode=True, sort_keys=False)
        (folder / f"rule_{number:03}.yml").write_text(text, encoding="utf-8")
    return load([folder], **options)


def batch(
    events: Sequence[Mapping[str, Any]],
    dataset: str = DATASET,
    types: Mapping[str, pl.DataType] | None = None,
) -> Batch:
    """These events, ids e0, e1, …; types: of columns whose type can't be told from the values."""
    types = types or {}
    names = dict.fromkeys(name for event in events for name in event)
    columns = {
        name: pl.Series(name, [event.get(name) for event in events], dtype=types.get(name), strict=False)
        for name in names
    }
    columns["event.id"] = pl.Series("event.id", [f"e{i}" for i in range(len(events))], dtype=pl.String)
    return Batch.of(dataset, pl.DataFrame(list(columns.values())), ingested=NOW)


def matching(
    folder: Path, detection: Mapping[str, Any], events: Sequence[Mapping[str, Any]], **options: Any
) -> list[int]:
    """The indices of the events that a detection matches."""
    loaded = rules(folder, rule(detection), **options)
    assert not loaded.problems, [str(problem) for problem in loaded.problems]
    hits = loaded.match(batch(events)).hits
    return hits[0][1].tolist() if hits else []
