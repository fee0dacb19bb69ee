"""Each transport at three times what the path behind it takes, for a minute: who waits, what is lost, memory, recovery.

usage: python -m benchmarks overload (all); python -m benchmarks.overload NAME… [SECONDS]

The pipeline behind the spool is held at RATE messages a second, so low that a shared machine can send three times as much
to each transport (how a sender is made to wait does not depend on the rate), and three senders offer RATE each; where nobody can be
made to wait (UDP, flows) ten times as much, so that what may wait here is too little and loss must be counted. Followed and dropped
files and Kafka hold their senders never: what there is no room for rests where it is. Intake and
senders are processes of their own, two transports at a time. After the minute the pipeline is set free. Ends with 1 where
a message is missing, doubled or lost uncounted, or where memory grows. Memory is that of the intake's process after 15 s, at most
until the overload ends, and at most while the pipeline, which here lives in that process, reads all at once.
"""

import asyncio
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any

import structlog

from benchmarks._at_rest import AT_REST, receiving, transports
from collectors.spool import Reader
from tests.collectors.transports.intake import MIB, Running
from tests.collectors.transports.senders import TRANSPORTS, at_once, cut, number_of

RATE, SENDERS, SECONDS, BURST = 1_000, 3, 60.0, 0.5
_LOSSY = 10  # times RATE that each sender offers where it cannot be told to wait
SPOOL = 8 * MIB  # a spool must have room for what is being read (2 MiB a connection) beside its last segment
_SETTLED, _GROWTH, _PROBE, _PIECE = 15.0, 48.0, 100, 1_000
_FREE = 1e9
_QUIET = 10.0  # seconds in which nothing came: datagrams may wait in memory to be read, as long as the processor is busy
_LOSSES = frozenset(name for name, one in TRANSPORTS.items() if one.lossy)
_LOST = ("udp_receive_buffer_full", "udp_spool_full")


@dataclass(slots=True)
class Drain(threading.Thread):
    """The pipeline in its place: reads the spool, RATE messages a second until it is set free, and remembers each
    message's number."""

    folder: Path
    numbered: bool
    rate: float = RATE
    drained: int = 0
    seen: bytearray = field(default_factory=lambda: bytearray(int(RATE * _LOSSY * SENDERS * SECONDS * 2)))
    stop: threading.Event = field(default_factory=threading.Event)

    def __post_init__(self) -> None:
        threading.Thread.__init__(self, daemon=True)

    __hash__ = threading.Thread.__hash__

    def run(self) -> None:
        """Until told."""
        reader, after, free = Reader(self.folder / "lane-0"), None, time.monotonic()
        while not self.stop.is_set():
            block = reader.read(after, RATE // 10)
            if block is None:
                free = time.monotonic()
                self.stop.wait(0.02)
                continue
            after = block.after
            if self.numbered:
                for payload in block.frame["payload"]:
                    self.seen[number_of(payload)] += 1
            self.drained += len(block.frame)
            reader.trim(after)
            free = max(free, time.monotonic() - 0.5) + len(block.frame) / self.rate
            self.stop.wait(max(0.0, free - time.monotonic()))


def receive(name: str, folder: Path) -> None:
    """The intake's process: says each second how it goes, and at the end what it saw."""
    structlog.configure(logger_factory=structlog.PrintLoggerFactory(sys.stderr))
    asyncio.run(_receive(name, folder))


async def _receive(name: str, folder: Path) -> None:
    async with receiving(name, folder, SPOOL) as running:
        drain = Drain(folder / "spool", name != "flow")
        drain.start()
        print(running.port("in"), flush=True)
        for rate in (RATE, _FREE):  # a line on stdin ends the overload, a second one all
            drain.rate = rate
            ended = asyncio.create_task(asyncio.to_thread(sys.stdin.readline))
            while not ended.done():
                print(json.dumps(_state(running, drain)), flush=True)
                await asyncio.wait([ended], timeout=1.0)
        drain.stop.set()
        await asyncio.to_thread(drain.join)
        twice, once = sum(n > 1 for n in drain.seen), sum(n == 1 for n in drain.seen)
        print(json.dumps(_state(running, drain) | {"once": once, "twice": twice}), flush=True)


def _state(running: Running, drain: Drain) -> dict[str, Any]:
    health = running.health.listeners["in"]
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return {
        "at": time.monotonic(),
        "received": health.received,
        "drained": drain.drained,
        "full": health.errors["spool_full"],
        "waiting": health.waiting_for_room,
        "lost": sum(running.counted("dropped", reason, "in") for reason in _LOST),
        "memory": pages * os.sysconf("SC_PAGE_SIZE") / MIB,
    }


def send(name: str, port: int, seconds: float, folder: Path) -> None:
    """The senders' process: offers three times RATE, then a probe when told to."""
    asyncio.run(_send(name, port, seconds, folder))


async def _send(name: str, port: int, seconds: float, folder: Path) -> None:
    import ssl

    transport, numbers = transports(folder)[name], count()
    tls = ssl.create_default_context(cafile=str(folder / "ca.pem")) if transport.kind == "tls" else None
    size = int(_offered(name) * BURST)

    async def paced() -> AsyncIterator[range]:
        due = time.monotonic()
        until = due + seconds
        while time.monotonic() < until:
            start = next(numbers) * size
            for piece in cut(range(start, start + size), _PIECE):
                yield piece
            due = max(due + BURST, time.monotonic() - BURST)
            await asyncio.sleep(max(0.0, due - time.monotonic()))

    began = time.monotonic()
    await asyncio.gather(*(transport.send(port, paced(), tls) for _ in range(SENDERS)))
    sent = next(numbers) * size
    print(json.dumps({"sent": sent, "seconds": time.monotonic() - began}), flush=True)
    await asyncio.to_thread(sys.stdin.readline)
    began = time.monotonic()
    await transport.send(port, at_once(range(sent, sent + _PROBE)), tls)
    print(json.dumps({"sent": sent + _PROBE, "probe": time.monotonic() - began}), flush=True)


def measured(name: str, seconds: float = SECONDS) -> tuple[str, list[str]]:
    """One transport: the line to print, and what is wrong."""
    with tempfile.TemporaryDirectory() as place:
        return _measured(name, seconds, Path(place))


def _measured(name: str, seconds: float, folder: Path) -> tuple[str, list[str]]:
    receiver = _process("receive", name, str(folder))
    port, states = _line(receiver), list[dict[str, Any]]()
    reading = threading.Thread(target=_collect, args=[receiver, states], daemon=True)
    reading.start()
    sender = _process("send", name, str(port), str(seconds), str(folder))
    overload, ended = _line(sender), time.monotonic()
    sent = int(overload["sent"])
    _say(receiver)
    least = (
        0 if name in _LOSSES else sent
    )  # the kernel tells what it dropped with the next datagram that it hands over
    told = _wait(
        states,
        lambda state: (
            state["at"] > ended + 1
            and _taken(state) >= least
            and state["drained"] == state["received"]
            and (name not in _LOSSES or _quiet(states))
        ),
        120,
    )
    recovered = time.monotonic() - ended
    _say(sender)
    probe = _line(sender)
    _wait(states, lambda state: _taken(state) >= int(probe["sent"]), 30)
    sender.wait(30)
    _say(receiver)
    receiver.wait(60)
    reading.join(10)
    return _verdict(
        name, states, int(probe["sent"]), (overload["seconds"], ended), recovered if told else float("inf")
    )


def _verdict(
    name: str, states: list[dict[str, Any]], sent: int, overload: tuple[float, float], recovered: float
) -> tuple[str, list[str]]:
    seconds, ended = overload
    last, begin = states[-1], next(one["at"] for one in states if one["received"])
    settled = max(one["memory"] for one in states if one["at"] - begin <= _SETTLED)
    most = max(one["memory"] for one in states if one["at"] <= ended)
    after = max(one["memory"] for one in states)
    wrong = []
    if most > settled + _GROWTH or after > settled + 2 * _GROWTH:
        wrong.append(f"memory grew from {settled:.0f} to {most:.0f}, then {after:.0f} MiB")
    if recovered == float("inf") or last["waiting"]:
        wrong.append("it did not recover")
    if last["received"] + last["lost"] < sent or (last["lost"] and name not in _LOSSES):
        wrong.append(f"of {sent:,} sent {last['received']:,} came, {last['lost']:,} were counted as lost")
    if last["twice"] or (name != "flow" and last["once"] != last["received"]):
        wrong.append(f"{last['twice']:,} came twice, {last['once']:,} once")
    if not last["full"] and not last["lost"]:
        wrong.append("nothing was too much")
    held = f"waits {last['full']:>6,}" if name not in _LOSSES else f"lost  {last['lost']:>9,}"
    return (
        f"{name:<10} offered {SENDERS * _offered(name):>6,}/s, handed over {sent / seconds:>7,.0f}/s  {held}  "
        f"memory {settled:4.0f} → {most:4.0f}, then {after:4.0f} MiB  all drained after {recovered:4.1f} s  "
        f"{last['received']:>9,} came{', each once' if name != 'flow' else ''}"
    ), wrong


def _quiet(states: list[dict[str, Any]]) -> bool:
    """Whether nothing came for a while."""
    before = [one for one in states if one["at"] <= states[-1]["at"] - _QUIET]
    return bool(before) and before[-1]["received"] == states[-1]["received"]


def _offered(name: str) -> int:
    """Messages a second of each sender."""
    return RATE * (_LOSSY if name in _LOSSES else 1)


def _taken(state: dict[str, Any]) -> int:
    return int(state["received"]) + int(state["lost"])


def _process(*arguments: str) -> "subprocess.Popen[str]":
    command = [sys.executable, "-m", "benchmarks.overload", *arguments]
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


def _line(process: "subprocess.Popen[str]") -> Any:
    assert process.stdout is not None
    return json.loads(process.stdout.readline())


def _say(process: "subprocess.Popen[str]") -> None:
    assert process.stdin is not None
    process.stdin.write("\n")
    process.stdin.flush()


def _collect(process: "subprocess.Popen[str]", into: list[dict[str, Any]]) -> None:
    assert process.stdout is not None
    for line in process.stdout:
        into.append(json.loads(line))


def _wait(states: list[dict[str, Any]], condition: Any, seconds: float) -> bool:
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        if states and condition(states[-1]):
            return True
        time.sleep(0.1)
    return False


def main(names: list[str] | None = None, seconds: float = SECONDS) -> None:
    """Print a line a transport."""
    failed = False
    with ThreadPoolExecutor(2) as two:
        chosen = names or [*TRANSPORTS, *AT_REST]
        for line, wrong in two.map(lambda name: measured(name, seconds), chosen):
            print(line, *(f"\n  WRONG: {one}" for one in wrong), flush=True)
            failed = failed or bool(wrong)
    if failed:
        raise SystemExit(1)


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["receive", name, folder]:
            receive(name, Path(folder))
        case ["send", name, port, seconds, folder]:
            send(name, int(port), float(seconds), Path(folder))
        case [*names, seconds] if seconds.replace(".", "").isdigit():
            main(names, float(seconds))
        case names:
            main(names)
