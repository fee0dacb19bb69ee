"""A receiver that is a process of its own, killed and started again, and what it spooled."""

import json
import random
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from collectors.spool import Reader

_PROGRAM = """
import asyncio, json, sys
from pathlib import Path
from collectors.spool import Spool
from collectors.transports import serve
from hinomi.ledger import Ledger
from tests.collectors.transports.intake import listening

async def main():
    spool = Spool(Path(sys.argv[1]), max_bytes=1 << 30)
    listeners = {"it": listening(json.loads(sys.argv[2]))}
    await serve(listeners, spool, Ledger(), ready=lambda h: print(h.ports()["it"], flush=True), stop=asyncio.Event())

asyncio.run(main())
"""


@dataclass
class Receiver:
    """settings: of its listener; port: of the one that runs, 0 while none does."""

    spool: Path
    settings: Mapping[str, Any]
    port: int = 0
    process: "subprocess.Popen[bytes]" = field(init=False)

    def start(self) -> None:
        """Returns when it listens."""
        command = [sys.executable, "-c", _PROGRAM, str(self.spool), json.dumps(self.settings)]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, cwd=Path(__file__).parents[3])
        assert self.process.stdout is not None
        self.port = int(self.process.stdout.readline())

    def kill(self) -> None:
        """With SIGKILL."""
        self.port = 0
        self.process.kill()
        self.process.wait()
        assert self.process.stdout is not None
        self.process.stdout.close()

    @contextmanager
    def killed(self, times: int) -> Iterator[None]:
        """Kills and starts it again so many times while the block runs."""
        chance = random.Random(3)

        def work() -> None:
            for _ in range(times):
                time.sleep(0.2 + chance.random() * 0.4)
                self.kill()
                self.start()

        killing = threading.Thread(target=work)
        killing.start()
        try:
            yield
        finally:
            killing.join()

    def killed_amid(self, lines: int, arrived: Callable[[], int]) -> None:
        """Killed and started again once an eighth, a quarter and a half of so many lines have arrived; returns when all have.
        Fails where one of these takes a minute, or where all was there before a kill."""
        for goal in (lines // 8, lines // 4, lines // 2):
            _until(arrived, goal)
            self.kill()
            assert arrived() < lines, "all was sent before the receiver was killed"
            self.start()
        _until(arrived, lines)

    def spooled(self) -> Iterator[dict[str, Any]]:
        """Every entry so far."""
        reader, after = Reader(self.spool / "lane-0"), None
        while block := reader.read(after):
            after = block.after
            yield from block.frame.to_dicts()


def _until(arrived: Callable[[], int], lines: int) -> None:
    end = time.monotonic() + 60
    while arrived() < lines:
        assert time.monotonic() < end, f"{arrived()} of {lines} lines came in a minute"
        time.sleep(0.01)
