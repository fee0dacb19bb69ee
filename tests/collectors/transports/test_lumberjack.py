"""Beats' protocol, spoken by a client written from go-lumber: answered when durable, the same identity when sent again."""

import asyncio
import json
import random
import struct
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from collectors.settings import Listener
from collectors.transports.lumberjack import LumberjackFramer, NotLumberjack, event_id
from tests.collectors.transports.intake import Running, intake


def _frame(number: int, event: dict[str, Any]) -> bytes:
    document = json.dumps(event).encode()
    return b"2J" + struct.pack(">II", number, len(document)) + document


def window(events: list[dict[str, Any]], *, level: int = 3) -> bytes:
    """A window as go-lumber's client writes it: its size, then all events in one packed frame (level 0: bare)."""
    frames = b"".join(_frame(n, event) for n, event in enumerate(events, 1))
    if level:
        packed = zlib.compress(frames, level)
        frames = b"2C" + struct.pack(">I", len(packed)) + packed
    return b"2W" + struct.pack(">I", len(events)) + frames


def line(number: int) -> dict[str, Any]:
    """An event as Filebeat sends it: with the place of the line in its file."""
    place = {"offset": number * 10, "file": {"path": "/var/log/auth.log"}}
    return {
        "@metadata": {"beat": "filebeat", "version": "8.19.0"},
        "message": f"number {number}",
        "log": place,
    }


@dataclass
class Beat:
    """A client that sends a window, waits until its last event is answered, and otherwise sends it again."""

    port: int

    async def send(self, events: list[dict[str, Any]], *, give_up: int | None = None, level: int = 3) -> int:
        """Numbers answered. give_up: cut the connection once so many are, as a Beat that loses power."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        try:
            writer.write(window(events, level=level))
            await writer.drain()
            answered = 0
            while answered < (give_up if give_up is not None else len(events)):
                head = await reader.readexactly(6)
                assert head[:2] == b"2A"
                (answered,) = struct.unpack(">I", head[2:])
            return answered
        finally:
            writer.close()
            await writer.wait_closed()


def _numbers(running: Running) -> list[str]:
    return [json.loads(row["payload"])["message"] for row in running.spooled()]


def test_windows_are_answered_once_they_are_in_the_spool(tmp_path: Path) -> None:
    """Packed and bare windows: when the answer is there, every event of the window is in the spool, in order."""

    async def work() -> None:
        async with intake(tmp_path, beats={"kind": "lumberjack"}) as running:
            beat = Beat(running.port("beats"))
            for level, start in ((3, 0), (0, 500)):
                assert await beat.send([line(n) for n in range(start, start + 500)], level=level) == 500
                assert len(running.spooled()) == start + 500
            assert _numbers(running) == [f"number {n}" for n in range(1000)]

    asyncio.run(work())


def test_what_is_sent_again_has_the_same_identity(tmp_path: Path) -> None:
    """A window that is sent twice, as after a lost answer, gives the same ids: the store takes each once."""

    async def work() -> None:
        async with intake(tmp_path, beats={"kind": "lumberjack"}) as running:
            beat, events = Beat(running.port("beats")), [line(n) for n in range(100)]
            await beat.send(events, give_up=0)
            await beat.send(events)
            ids = [row["client_id"] for row in await running.until_spooled(200)]
            assert len(set(ids)) == 100 and "" not in ids

    asyncio.run(work())


def test_only_what_names_itself_or_its_place_has_an_identity() -> None:
    """The sender's own id is taken; two equal events without a place stay two."""
    assert event_id(b'{"@metadata": {"_id": "own"}, "message": "x"}') == "own"
    assert event_id(b'{"message": "x"}') == event_id(b"[1]") == event_id(b"{") == ""
    assert event_id(json.dumps(line(1)).encode()) != event_id(json.dumps(line(2)).encode())
    assert event_id(b'{"winlog": {"record_id": 7}}')


def test_frames_are_found_however_the_bytes_are_cut() -> None:
    """Every cut of the stream gives the same events."""
    stream, rng = (
        window([line(n) for n in range(20)]) + window([line(n) for n in range(5)], level=0),
        random.Random(6),
    )
    whole = LumberjackFramer(1 << 20, 1 << 20).feed(stream)
    assert [number for number, _ in whole] == [*range(1, 21), *range(1, 6)]
    for _ in range(50):
        framer, at, found = LumberjackFramer(1 << 20, 1 << 20), 0, []
        while at < len(stream):
            step = rng.randrange(1, 60)
            found += framer.feed(stream[at : at + step])
            at += step
        assert found == whole and framer.held == 0


@pytest.mark.parametrize(
    "hostile",
    [
        b"GET / HTTP/1.1\r\n",
        b"1W\0\0\0\1",
        b"2J" + struct.pack(">II", 1, 1 << 31) + b"{",
        b"2C" + struct.pack(">I", 1 << 31),
        b"2C" + struct.pack(">I", 4) + b"junk",
        b"2C" + struct.pack(">I", len(p := zlib.compress(bytes(50 << 20)))) + p,
        b"2C" + struct.pack(">I", len(q := zlib.compress(b"2C\0\0\0\1x"))) + q,
    ],
)
def test_hostile_bytes_are_refused(hostile: bytes) -> None:
    """Another protocol, an endless length, a bomb, packed frames within packed frames."""
    with pytest.raises(NotLumberjack):
        LumberjackFramer(1 << 20, 1 << 20).feed(hostile)


def test_a_listener_for_beats_may_ask_for_certificates() -> None:
    """The keys of TLS are those of other listeners."""
    made = Listener.model_validate({"kind": "lumberjack", "cert": "a.pem", "key": "b.pem", "ca": "c.pem"})
    assert made.kind == "lumberjack" and made.ca is not None
