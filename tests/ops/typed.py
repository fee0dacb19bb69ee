"""A command as it was typed, run in this process: a tenth of the time of a process of its own, which has to import first.

For what a command says. What it leaves to the system (standard streams, signals, its end) needs a real process: see
`tests.ops.test_cli.hinomi`. Tests take it as the fixture `typed`.
"""

import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from ops import cli


@dataclass(frozen=True, slots=True)
class Typed:
    """Runs commands; what pytest captures is what they say."""

    patch: pytest.MonkeyPatch
    captured: pytest.CaptureFixture[str]

    def __call__(self, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
        """Its exit code, and what it wrote on standard output and error."""
        words = ["hinomi", *map(str, arguments)]
        self.captured.readouterr()
        with self.patch.context() as here:
            here.setattr(sys, "argv", words)
            here.setattr(
                cli, "_journal", lambda: None
            )  # it is the process's for good, and this is the tests'
            with pytest.raises(SystemExit) as ended:
                cli.main()
        said = self.captured.readouterr()
        return subprocess.CompletedProcess(words, int(ended.value.code or 0), said.out, said.err)
