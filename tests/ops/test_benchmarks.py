"""What `python -m benchmarks` says where something is missing."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("name", ["pipeline", "growth", "reload", "start"])
def test_no_figure_without_the_data_it_is_of(tmp_path: Path, name: str) -> None:
    """Where other people's rules and events are not beside the project, it is said which, and nothing is measured."""
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks", name],
        env={**os.environ, "HINOMI_SHARED": str(tmp_path)},
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=180,
    )
    assert done.returncode == 1 and "Traceback" not in done.stderr
    assert f"nothing measured: {tmp_path}/data/" in done.stderr and "HINOMI_SHARED" in done.stderr
    assert done.stdout == f"== {name}\n"
