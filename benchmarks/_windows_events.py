"""Batches of the attack-sample event logs, and the same made varied so that no cache of whole events helps."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import evtx
import numpy as np
import polars as pl

from collectors.sources.windows_eventlog import source
from hinomi.batch import Batch
from hinomi.identity import position_ids

NOW = datetime(2026, 11, 23, tzinfo=UTC)
_VARIED = (
    "CommandLine",
    "ParentCommandLine",
    "ScriptBlockText",
    "TargetFilename",
    "TargetObject",
    "Details",
    "Payload",
    "ContextInfo",
    "CallTrace",
    "QueryName",
)


def batches(folder: Path) -> list[Batch]:
    """One batch a frame of the source, over every .evtx file below the folder."""
    lines = [(path, line) for path in sorted(folder.rglob("*.evtx")) for line in _lines(path)]
    intake = pl.DataFrame(
        {
            "row": pl.Series(range(len(lines)), dtype=pl.UInt32),
            "message": [line for _, line in lines],
            "received": pl.Series([NOW] * len(lines), dtype=pl.Datetime("ns", "UTC")),
            "peer": [path.name for path, _ in lines],
        }
    )
    return [_batch(intake, frame) for frame in source.parse(intake).frames]


def _lines(path: Path) -> Iterator[str]:
    for record in evtx.PyEvtxParser(str(path)).records_json():
        yield record["data"]


def _batch(intake: pl.DataFrame, frame: pl.DataFrame) -> Batch:
    rows = frame.get_column("row")
    raw = intake[rows]
    whole = frame.drop("row").with_columns(
        position_ids("file", rows),
        raw.get_column("message").alias("event.original"),
        raw.get_column("peer").alias("log.file.path"),
    )
    return Batch.of(source.name, whole, ingested=NOW)


def replicated(given: list[Batch], times: int, *, varied: bool, size: int = 10_000) -> list[Batch]:
    """Each batch repeated and cut to `size`; varied: users, hosts, ids and command lines differ by copy."""
    frames: list[pl.DataFrame] = []
    for batch in given:
        copies = [_varied(batch.frame, copy) if varied else batch.frame for copy in range(times)]
        whole = pl.concat(copies)
        frames += [whole[start : start + size] for start in range(0, whole.height, size)]
    return [Batch(source.name, frame) for frame in frames]


def _varied(frame: pl.DataFrame, copy: int) -> pl.DataFrame:
    tag = pl.Series(np.arange(frame.height) + copy * frame.height).cast(pl.String)
    changed = [
        (pl.col(name) + " " + tag).alias(name)
        for name in frame.columns
        if name.removeprefix("winlog.event_data.") in _VARIED
        or name.endswith(("ProcessId", "ProcessGuid", "UtcTime", "LogonId"))
    ]
    changed.append(pl.col("event.original") + " " + tag)  # as it would be if written from the changed values
    host = (pl.col("winlog.computer_name") + f"-{copy}").alias("winlog.computer_name")
    return frame.with_columns(*changed, host, (pl.col("event.id") + f"-{copy}").alias("event.id"))
