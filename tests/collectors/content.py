"""What stands in `collectors/sources/`: each source, its test file, and a line parsed as the tower would."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

import polars as pl

import collectors.sources
from collectors import catalogue
from collectors.source import ROW, Parsed, Source
from hinomi import ecs, yamlfile

FOLDER = Path(collectors.sources.__path__[0])
RECEIVED = datetime(2026, 11, 20, 3, 15, tzinfo=UTC)
"""When the lines of test files arrive: their RFC 3164 times mean November 2026."""


@dataclass(frozen=True)
class Case:
    """One line of a test file: `raw` and either what it must become (`ecs`) or why it must not (`rejected`)."""

    source: str
    name: str
    raw: str
    ecs: dict[str, Any] | None
    rejected: str | None


def files() -> list[Path]:
    """Every source file of the folder."""
    modules = [path for path in FOLDER.glob("*.py") if path.name != "__init__.py"]
    return sorted([*modules, *FOLDER.glob("*.source.yml")])


def test_file(path: Path) -> Path:
    """The test file beside a source."""
    return path.with_name(f"{path.name.removesuffix('.py').removesuffix('.source.yml')}.test.yml")


def source_name(path: Path) -> str:
    """The source that a file holds, by the naming rule `<vendor>_<product>`."""
    stem = test_file(path).name.removesuffix(".test.yml")
    return stem.replace("_", ".", 1)


def cases() -> Iterator[Case]:
    """Every case of every test file."""
    for path in files():
        yield from cases_of(path)


@cache
def cases_of(path: Path) -> tuple[Case, ...]:
    """Every case beside a source's file."""
    if not test_file(path).exists():
        return ()
    entries = yamlfile.read(test_file(path)).value
    for entry in entries:
        unknown = set(entry) - {"name", "raw", "ecs", "rejected"}
        assert not unknown, f"{test_file(path).name}: {entry.get('name')}: unknown keys {unknown}"
    return tuple(
        Case(source_name(path), entry["name"], entry["raw"], entry.get("ecs"), entry.get("rejected"))
        for entry in entries
    )


def examples(source: str) -> list[str]:
    """The lines of a source's test file that it understands."""
    path = (
        FOLDER / f"{source.replace('.', '_', 1)}.py"
    )  # beside which its test file stands, whatever it is itself
    return [case.raw for case in cases_of(path) if case.rejected is None]


def intake(*lines: str) -> pl.DataFrame:
    """Lines as the pipeline hands them to a source."""
    return pl.DataFrame(
        {"message": lines, "peer": ["192.0.2.10"] * len(lines)},
        schema={"message": pl.String, "peer": pl.String},
    ).with_columns(pl.lit(RECEIVED).cast(ecs.TIME).alias("received"))


def rows_of(parsed: Parsed) -> list[int]:
    """Every row that the result accounts for, as often as it does."""
    frames = [frame[ROW] for frame in [*parsed.frames, parsed.rejected]]
    return [row for series in frames for row in series.to_list()]


def flat(frame: pl.DataFrame) -> dict[str, Any]:
    """The only row, without nulls."""
    return next(ecs.rows(frame))


def sources() -> list[Source]:
    """Every source, declared ones included."""
    return list(catalogue.sources().values())
