"""Which columns a source fills: what its tables and expressions name, and what the examples beside it show."""

from collections.abc import Iterator
from functools import cache
from pathlib import Path

import polars as pl

import collectors.sources
import hinomi
from collectors import catalogue
from collectors.source import Raw, Source
from hinomi import yamlfile
from hinomi.ecs import TIME

_ADDED = frozenset(
    {
        *("@timestamp", "event.id", "event.original", "event.created", "event.dataset", "event.module"),
        *(
            "event.kind",
            "event.ingested",
            "log.source.address",
            "related.ip",
            "related.user",
            "related.hosts",
        ),
        *("source.geo.country_iso_code", "destination.geo.country_iso_code", "source.as.number"),
    }
)
"""What the pipeline adds to every event, or may."""


_DECIDE = {".py", ".yml", ".csv"}
"""Files that sources are made of: code, declarations and examples, tables."""


def decided_by() -> Iterator[bytes]:
    """All that `columns` depends on, so that its answers can be kept under the hash of it: paths and contents of what sources are
    made of, the city's own mappings among them, and the version of the library that reads their examples."""
    yield pl.__version__.encode()
    for folder in (Path(collectors.__path__[0]), Path(hinomi.__path__[0]), *catalogue.own):
        for path in sorted(path for path in folder.rglob("*") if path.suffix in _DECIDE):
            yield str(path.relative_to(folder)).encode()
            yield path.read_bytes()


@cache
def columns(dataset: str) -> frozenset[str]:
    """The columns of a dataset that an event may hold, vendor leftovers only as far as the examples show them."""
    source = catalogue.sources().get(dataset)
    if source is None:
        return frozenset()
    derived = {name for function in source._derived for name in function(Raw(frozenset()))}
    return _ADDED | derived | set(source.rename.values()) | set(source.constants) | _shown(source)


def _shown(source: Source) -> set[str]:
    lines = _examples(source.name)
    if not lines:
        return set()
    intake = pl.DataFrame({"message": lines}).with_columns(
        pl.lit(None).cast(TIME).alias("received"), pl.lit("192.0.2.1").alias("peer")
    )
    frames = source.parse(intake).frames
    return {
        name
        for frame in frames
        for name in frame.columns
        if frame.get_column(name).null_count() < frame.height
    }


def _examples(dataset: str) -> list[str]:
    """The lines of the test file beside a source."""
    path = Path(collectors.sources.__path__[0]) / f"{dataset.replace('.', '_', 1)}.test.yml"
    cases = yamlfile.read(path).value if path.exists() else []
    return [str(case["raw"]) for case in cases if isinstance(case, dict) and case.get("raw")]
