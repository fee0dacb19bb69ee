"""What sources say of texts that stand in their lines as they are holds of every event of their own tests."""

from pathlib import Path

import polars as pl
import pytest
import yaml

from collectors import catalogue
from collectors.narrow import Verbatim
from rules.engine.fold import fold_all
from rules.engine.necessary import _RUN, _SHORTEST
from tests.rules.engine.rulebook import NOW

FOLDER = Path(__file__).parents[2] / "collectors" / "sources"
SOURCES = ["microsoft.m365_audit"]


@pytest.mark.parametrize("name", SOURCES)
def test_texts_stand_in_their_line(name: str) -> None:
    """Each run of plain letters of a verbatim column is in the raw line, and so is one of the column's marks."""
    source = catalogue.find(name)
    assert source.verbatim is not None
    cases = yaml.safe_load((FOLDER / f"{name.replace('.', '_')}.test.yml").read_text(encoding="utf-8"))
    lines = [case["raw"] for case in cases if isinstance(case.get("raw"), str)]
    intake = pl.DataFrame({"message": lines}).with_columns(
        pl.lit(NOW).cast(pl.Datetime("ns", "UTC")).alias("received"), pl.lit("").alias("peer")
    )
    checked = sum(
        _check(source.verbatim, column, frame, lines)
        for frame in source.parse(intake.with_row_index("row")).frames
        for column in source.verbatim.columns
        if column in frame.columns
    )
    assert checked > 15


def _check(verbatim: Verbatim, column: str, frame: pl.DataFrame, lines: list[str]) -> int:
    held = 0
    for row, text in frame.select("row", pl.col(column).cast(pl.String)).iter_rows():
        line = fold_all([lines[row]])[0]
        if text is None or any(word in line for word in verbatim.always):
            continue
        held += 1
        runs = [run for run in _RUN.findall(fold_all([text])[0]) if len(run) >= _SHORTEST]
        assert all(run in line for run in runs), (column, text, lines[row])
        marks = verbatim.columns[column]
        assert not marks or any(mark in lines[row] for mark in marks), (column, text, lines[row])
    return held
