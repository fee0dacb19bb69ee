"""The coverage-guided fuzzer, for seconds: the long form is `python -m benchmarks.fuzz`."""

import subprocess
import sys
from pathlib import Path

import polars as pl
import pytest

from benchmarks.fuzz import check
from collectors.shapes import lines
from collectors.source import Source

ROOT = Path(__file__).parents[2]


@pytest.mark.timeout(180)
def test_sources_stand_inputs_that_a_fuzzer_finds() -> None:
    """A text pattern, key=value, joined records and JSON, from their own lines on: nothing raises, no row is lost."""
    names = ["yamaha.rt", "generic.key_value", "linux.auditd", "zeek.log"]
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.fuzz", "--seconds", "4", "--sources", *names],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Done" in done.stdout or "cov:" in done.stdout


def test_the_check_fails_for_a_source_that_gives_a_row_twice() -> None:
    """What the fuzzer holds sources to is a check that can fail."""
    source = Source(name="a.b", title={"ja": "甲", "en": "a"}, shape=lines("."))

    check(source, "fine")
    source.shape = _Twice()
    with pytest.raises(AssertionError, match="rows"):
        check(source, "fine")


class _Twice:
    """Gives each row twice."""

    def read(self, intake: pl.DataFrame) -> list[pl.DataFrame]:
        """The intake two times."""
        return [intake, intake]
