"""kill -9 of a receiver of Lumberjack over TLS: no answered event is missing, and what is sent again keeps its identity."""

import json
import random
import ssl
import struct
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from socket import create_connection
from typing import Any

import pytest

from collectors.spool import Reader
from tests.collectors.transports import certificates
from tests.collectors.transports.test_lumberjack import line, window

KILLS, WINDOWS, EVENTS = 2, 200, 25
RECEIVER = """
import asyncio, json, sys
from pathlib import Path
from collectors.spool import Spool
from collectors.transports import serve
from hinomi.ledger import Ledger
from tests.collectors.transports.intake import listening

async def main():
    spool = Spool(Path(sys.argv[1]), max_bytes=1 << 30)
    listeners = {"beats": listening(json.loads(sys.argv[2]))}
    await serve(listeners, spool, Ledger(), ready=lambda h: print(h.ports()["beats"], flush=True), stop=asyncio.Event())

asyncio.run(main())
"""


@dataclass
class Receiver:
    """A process that is killed and started again; port: of the one that runs, 0 while none does."""

    spool: Path
    settings: str
    port: int = 0
    process: "subprocess.Popen[bytes]" = field(init=False)

    def start(self) -> None:
        command = [sys.executable, "-c", RECEIVER, str(self.spool), self.settings]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, cwd=Path(__file__).parents[3])
        assert self.process.stdout is not None
        self.port = int(self.process.stdout.readline())

    def kill(self) -> None:
        self.port = 0
        self.process.kill()
        self.process.wait()
        assert self.process.stdout is not None
        self.process.stdout.close()


@pytest.mark.slow
def test_a_killed_receiver_loses_no_answered_event(tmp_path: Path) -> None:
    """Two kills under a sender that sends each window until it is answered: all there; doubles only of windows that
    were sent again, and under one identity."""
    made = certificates.make(tmp_path / "tls")
    settings = {"kind": "lumberjack", "cert": str(made["cert"]), "key": str(made["key"])}
    receiver = Receiver(tmp_path / "spool", json.dumps(settings))
    receiver.start()
    context = ssl.create_default_context(cafile=made["ca"])
    again: Counter[int] = Counter()
    with _killed(receiver):
        for number in range(WINDOWS):
            events = [line(number * EVENTS + i) for i in range(EVENTS)]
            while not _answered(receiver.port, context, events):
                again[number] += 1
                time.sleep(0.02)
    receiver.kill()
    ids: dict[str, set[str]] = {}
    times: Counter[str] = Counter()
    for identity, text in _spooled(tmp_path / "spool"):
        ids.setdefault(text, set()).add(identity)
        times[text] += 1
    assert set(ids) == {f"number {n}" for n in range(WINDOWS * EVENTS)}
    assert all(len(one) == 1 for one in ids.values())
    doubled = {int(text.split()[1]) // EVENTS for text, n in times.items() if n > 1}
    assert again and doubled <= set(again)


@contextmanager
def _killed(receiver: Receiver) -> Iterator[None]:
    """Kills and starts it again while the block runs."""
    chance = random.Random(3)

    def work() -> None:
        for _ in range(KILLS):
            time.sleep(0.2 + chance.random() * 0.4)
            receiver.kill()
            receiver.start()

    killing = threading.Thread(target=work)
    killing.start()
    try:
        yield
    finally:
        killing.join()


def _answered(port: int, context: ssl.SSLContext, events: list[dict[str, Any]]) -> bool:
    """Whether a window was answered to its last event."""
    if not port:
        return False
    try:
        plain = create_connection(("127.0.0.1", port), timeout=20)
        with plain, context.wrap_socket(plain, server_hostname="127.0.0.1") as secure:
            secure.sendall(window(events))
            with secure.makefile("rb") as reader:
                answer = reader.read(6)
    except OSError:
        return False
    return len(answer) == 6 and answer[:2] == b"2A" and struct.unpack(">I", answer[2:]) == (len(events),)


def _spooled(spool: Path) -> Iterator[tuple[str, str]]:
    reader, after = Reader(spool / "lane-0"), None
    while block := reader.read(after):
        after = block.after
        for identity, payload in zip(block.frame["event.id"], block.frame["payload"], strict=True):
            yield identity, json.loads(payload)["message"]
