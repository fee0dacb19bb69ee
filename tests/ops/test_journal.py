"""The tower's own log goes wherever standard error goes, and a line that cannot be written stops no work."""

import subprocess
import sys

PROGRAM = """
import io, os, sys
from ops import journal
journal.configure("x")
journal.log.info("first")
sys.stderr, first = io.StringIO(), sys.stderr
journal.log.info("second")
sys.stderr, second = first, sys.stderr
print("second" in second.getvalue(), "first" in second.getvalue())
reading, writing = os.pipe()
os.close(reading)
sys.stderr = os.fdopen(writing, "w", closefd=False)
journal.log.info("nowhere")
sys.stderr = io.StringIO()
sys.stderr.close()
journal.log.info("nowhere")
sys.stderr = first
print("goes on")
"""


def test_the_log_follows_standard_error_and_never_stops_work() -> None:
    """Standard error of another moment gets that moment's lines; closed below or above, what is logged is lost, no more."""
    done = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stdout.split("\n")[:2]) == (0, ["True False", "goes on"]), done.stderr
    assert '"first"' in done.stderr and "second" not in done.stderr
