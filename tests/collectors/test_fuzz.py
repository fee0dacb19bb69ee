"""The coverage-guided fuzzer, for seconds: the long form is `python -m benchmarks.fuzz`."""

import importlib.util
import subprocess
import sys
from hashlib import sha256
from pathlib import Path
from random import Random

import polars as pl
import pytest

from benchmarks.fuzz import check
from collectors import catalogue, emitted
from collectors.shapes import lines
from collectors.source import Source
from tests import shared

ROOT = Path(__file__).parents[2]


OF_SHAPES = [
    "generic.key_value", "generic.cef", "forcepoint.ngfw", "city.resident_view", "zeek.log", "generic.syslog", "yamaha.rt", "linux.auditd",
]  # fmt: skip
"""Key=value, CEF, LEEF, CSV, JSON, syslog, text patterns and joined records."""
_TURNS = 3


def _by_turns() -> list[str]:
    """Some further sources: the same for the same code, others whenever anything that sources are made of changes."""
    code, every = sha256(b"\0".join(emitted.decided_by())), sorted(set(catalogue.sources()) - set(OF_SHAPES))
    return Random(code.hexdigest()).sample(every, _TURNS)


@pytest.mark.timeout(180)
def test_sources_stand_inputs_that_a_fuzzer_finds() -> None:
    """Every shared shape, and some of all other sources by turns, from their own lines on: nothing raises, no row is lost. The
    same code meets the same inputs again."""
    if importlib.util.find_spec("atheris") is None:
        shared.missing("atheris is not installed")
    bounds = ["--seconds", "8", "--runs", "400", "--seed", "6"]
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.fuzz", *bounds, "--sources", *OF_SHAPES, *_by_turns()],
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
