"""Very long lines: the time grows with the length, not with its square, and the line is never lost."""

import time
from collections.abc import Iterator

import polars as pl
import pytest

from collectors import catalogue
from collectors.carried import LONGEST_TEXT, too_long
from collectors.source import Source
from tests.collectors import content

LENGTH = 1_000_000
SECONDS = 1  # of the processor: the slowest source takes a third for all lines, a quadratic reading hours


def _lines(true: str) -> Iterator[str]:
    """A true line with a tail that tempts its expressions to try again at each place."""
    for tail in ("a", '"', " ", ": (a", "/\\", " k=v", " from 192.0.2.1 port 1", ","):
        yield true + tail * (LENGTH // len(tail))
    yield true * (LENGTH // len(true))
    yield "CEF:0|a|b|c|d|e|1|" + "a=\\" * (LENGTH // 3)
    yield '{"a":' * (LENGTH // 5)
    yield "devid=1 " + " ".join(f"k{number}=v" for number in range(LENGTH // 8))


@pytest.mark.parametrize("name", sorted(catalogue.sources()))
def test_a_megabyte_takes_its_time_once(name: str) -> None:
    """No sender can hold up the tower with one line. All together mostly take less than one may; each is timed where not."""
    source = catalogue.find(name)
    true = next(case.raw for case in content.cases() if case.source == name and case.ecs)
    lines = list(_lines(true))
    if _timed(source, lines) >= SECONDS:
        for line in lines:
            assert _timed(source, [line]) < SECONDS, f"{line[:40]}…{line[-20:]}"


def _timed(source: Source, lines: list[str]) -> float:
    """Seconds of the processor for these lines, each of which is read or rejected once."""
    intake = content.intake(*lines)
    start = time.process_time()
    parsed = source.parse(intake)
    taken = time.process_time() - start
    assert sorted(content.rows_of(parsed)) == list(range(len(lines)))
    return taken


def test_text_beyond_reach_is_left_out_and_said_documents_are_read_whole() -> None:
    """Of a line of text the beginning is read; a JSON document keeps what stands at its end."""
    text = "devid=1 a=b " + "c=d " * LONGEST_TEXT + "last=1"
    document = '{"a": "' + "x" * (LONGEST_TEXT + 1) + '", "last": "1"}'
    lines = pl.DataFrame({"line": [text, document, "devid=1 a=b"]})
    assert lines.select(too_long(pl.col("line"))).to_series().to_list() == [True, False, False]

    frame = catalogue.find("generic.key_value").parse(content.intake(text)).frames[0]
    assert not [name for name in frame.columns if name.endswith("last")]
    frame = catalogue.find("generic.json").parse(content.intake(document)).frames[0]
    assert [name for name in frame.columns if name.endswith("last")]
