"""The commands of docs/elasticsearch.md, run as they stand: its blocks in order, with only addresses and folders read anew."""

import os
import re
import subprocess
import sys
import textwrap
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from tests.e2e.tower import ROOT, Tower, until

PAGE = ROOT / "docs" / "elasticsearch.md"
_BLOCK = re.compile(r"^( *)```(\w*)\n(.*?)^\1```$", re.MULTILINE | re.DOTALL)
_LASTING = re.compile(r"hinomi (up|collect|detect|respond|console) --data (\S+)(?: --config (\S+))?")


@dataclass(frozen=True)
class Block:
    """A block of the page: its language ("" for commands) and its text."""

    language: str
    text: str


def blocks(page: str) -> list[Block]:
    """Every block, in order."""
    return [Block(found[2], textwrap.dedent(found[3])) for found in _BLOCK.finditer(page)]


@dataclass
class Shell:
    """Runs blocks. instead: what stands in place of what the page says; folder: where relative paths begin.

    What goes on until it is stopped (`hinomi up`, the parts) is awaited until it is ready and then runs on.
    """

    folder: Path
    instead: Mapping[str, str]
    running: list[Tower] = field(default_factory=list)

    def here(self, text: str) -> str:
        """The text with this place's addresses and folders."""
        for said, meant in self.instead.items():
            text = text.replace(said, meant)
        return text

    def run(self, text: str) -> str:
        """What the block's commands print. Fails the test where one fails."""
        told, lines = "", list[str]()
        for line in self.here(text).splitlines():
            if lasting := _LASTING.match(line):
                told += self._ended("\n".join(lines))
                lines = []
                self._begin(*lasting.groups())
            else:
                lines.append(line)
        return told + self._ended("\n".join(lines))

    def _ended(self, text: str) -> str:
        if not text.strip():
            return ""
        environment = {
            **os.environ,
            "PATH": f"{self._programs()}:{os.environ['PATH']}",
            "PYTHONPATH": str(ROOT),
        }
        done = subprocess.run(
            ["bash", "-eu", "-o", "pipefail", "-c", text],
            capture_output=True,
            text=True,
            cwd=self.folder,
            env=environment,
            timeout=600,
            check=False,
        )
        assert done.returncode == 0, f"{text}\n{done.stdout[-2000:]}\n{done.stderr[-2000:]}"
        return done.stdout

    def _programs(self) -> Path:
        """`hinomi` as this interpreter has it; other programs of the page are put there by the test."""
        place = self.folder / "bin"
        place.mkdir(exist_ok=True)
        command = place / "hinomi"
        command.write_text(f'#!/bin/sh\nexec {sys.executable} -m ops.cli "$@"\n')
        command.chmod(0o755)
        return place

    def _begin(self, part: str, data: str, config: str) -> None:
        place = self.folder / data
        place.parent.mkdir(parents=True, exist_ok=True)
        tower = Tower(place, self.folder / config, part)
        self.running.append(tower)
        tower.start(wait=False)
        until(tower.ready, 240, f"{part} is ready")

    def stop(self) -> None:
        """Stop what runs, as Ctrl-C does."""
        while self.running:
            assert self.running.pop().stop() == 0

    def kill(self) -> None:
        """End what runs still."""
        for tower in self.running:
            if tower.process is not None and tower.process.poll() is None:
                tower.kill()
