"""kill -9 of a receiver of Lumberjack over TLS: no answered event is missing, and what is sent again keeps its identity."""

import json
import ssl
import struct
import time
from collections import Counter
from pathlib import Path
from socket import create_connection
from typing import Any

import pytest

from tests.collectors.transports import certificates
from tests.collectors.transports.receiver import Receiver
from tests.collectors.transports.test_lumberjack import line, window

KILLS, WINDOWS, EVENTS = 2, 200, 25


@pytest.mark.slow
def test_a_killed_receiver_loses_no_answered_event(tmp_path: Path) -> None:
    """Two kills under a sender that sends each window until it is answered: all there; doubles only of windows that
    were sent again, and under one identity."""
    made = certificates.make(tmp_path / "tls")
    settings = {"kind": "lumberjack", "cert": str(made["cert"]), "key": str(made["key"])}
    receiver = Receiver(tmp_path / "spool", settings)
    receiver.start()
    context = ssl.create_default_context(cafile=made["ca"])
    again: Counter[int] = Counter()
    with receiver.killed(KILLS):
        for number in range(WINDOWS):
            events = [line(number * EVENTS + i) for i in range(EVENTS)]
            while not _answered(receiver.port, context, events):
                again[number] += 1
                time.sleep(0.02)
    receiver.kill()
    ids: dict[str, set[str]] = {}
    times: Counter[str] = Counter()
    for entry in receiver.spooled():
        text = json.loads(entry["payload"])["message"]
        ids.setdefault(text, set()).add(entry["event.id"])
        times[text] += 1
    assert set(ids) == {f"number {n}" for n in range(WINDOWS * EVENTS)}
    assert all(len(one) == 1 for one in ids.values())
    doubled = {int(text.split()[1]) // EVENTS for text, n in times.items() if n > 1}
    assert again and doubled <= set(again)


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
