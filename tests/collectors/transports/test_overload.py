"""More than the spool takes: senders wait or loss is counted, memory stays flat, and all goes on once there is room.

A short form of `benchmarks overload`: the spool is shut for a while (which is any overload, however many times the rate),
then opened again.
"""

import asyncio
import resource
import socket
from pathlib import Path

import pytest

from tests.collectors.transports.intake import MIB, intake
from tests.collectors.transports.senders import TRANSPORTS, at_once, number_of

SHUT, MOST_GROWTH = 2.0, 160 * MIB
WAITING = sorted(name for name, one in TRANSPORTS.items() if not one.lossy)
LOSSY = sorted(name for name, one in TRANSPORTS.items() if one.lossy)
SENT = {
    "tcp": 200_000,
    "tls": 200_000,
    "tcp-short": 200_000,
    "tls-short": 60_000,
    "relp": 60_000,
    "lumberjack": 20_000,
    "http": 60_000,
    "otlp": 20_000,
}


@pytest.mark.parametrize("name", WAITING)
def test_senders_wait(tmp_path: Path, name: str) -> None:
    """TCP, TLS, RELP and Lumberjack are not read on, HTTP is told to come again: every message once, memory flat, no
    loss."""
    n, transport = SENT[name], TRANSPORTS[name]

    async def main() -> None:
        settings, tls = transport.listener(tmp_path / "tls")
        async with intake(tmp_path / "spool", **{"in": settings}) as running:
            port, health = running.port("in"), running.health.listeners["in"]
            await transport.send(port, at_once(range(100)), tls)
            await running.until_spooled(100)
            before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
            most, running.spool.max_bytes = running.spool.max_bytes, 0
            sending = asyncio.create_task(transport.send(port, at_once(range(100, n)), tls))
            await asyncio.sleep(SHUT)
            assert not sending.done() and health.errors["spool_full"]
            grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 - before
            assert grown < MOST_GROWTH, grown
            running.spool.max_bytes = most
            await asyncio.wait_for(sending, 60)
            await running.until(lambda: health.received == n, 60)
            assert sorted(number_of(payload) for payload in running.payloads()) == list(range(n))
            assert not health.waiting_for_room
            assert not running.ledger.counts

    asyncio.run(main())


@pytest.mark.parametrize("name", LOSSY)
def test_what_udp_loses_is_counted(tmp_path: Path, name: str) -> None:
    """Datagrams that neither the kernel nor we can hold are counted: received and lost together are all that was sent."""
    sent, transport = 250_000 if name == "udp" else 20_000, TRANSPORTS[name]

    async def main() -> None:
        async with intake(tmp_path, **{"in": {"kind": name, "port": 0}}) as running:
            port, health = running.port("in"), running.health.listeners["in"]
            await transport.send(port, at_once(range(1)), None)
            await running.until(lambda: health.received == 1)
            most, running.spool.max_bytes = running.spool.max_bytes, 0
            await transport.send(port, at_once(range(1, sent)), None)
            running.spool.max_bytes = most

            def told() -> int:
                reasons = ("udp_receive_buffer_full", "udp_spool_full")
                return health.received + sum(running.counted("dropped", r, "in") for r in reasons)

            # a flow's template comes with every start of a sender: it may be lost, and is no flow
            await running.until(lambda: told() >= sent, 60)
            assert told() <= sent + (name == "flow")
            assert name == "flow" or health.received < sent  # else nothing was too much
            before = health.received
            await transport.send(port, at_once(range(sent, sent + 1)), None)
            await running.until(lambda: health.received == before + 1)

    asyncio.run(main())


def test_short_datagrams_count_with_what_they_take_in_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While the spool is full, datagrams of one byte are held up to the same memory as long ones, not to as many bytes."""
    monkeypatch.setattr("collectors.transports.udp._MOST_HELD", 64_000)
    sent = 3_000

    async def main() -> None:
        async with intake(tmp_path, max_bytes=0, **{"in": {"kind": "udp", "port": 0}}) as running:
            health = running.health.listeners["in"]
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
                for _ in range(sent // 100):
                    for _ in range(100):
                        sender.sendto(b"x", ("127.0.0.1", running.port("in")))
                    await asyncio.sleep(0)  # the receiver's turn
            await running.until(lambda: running.counted("dropped", "udp_spool_full", "in") > 0, 30)
            running.spool.max_bytes = 8 * MIB

            def told() -> int:
                reasons = ("udp_receive_buffer_full", "udp_spool_full")
                return health.received + sum(running.counted("dropped", r, "in") for r in reasons)

            await running.until(lambda: told() >= sent, 60)
            assert told() == sent
            assert health.received <= 64_000 / 65 + 1

    asyncio.run(main())


def test_what_udp_held_is_spooled_though_it_is_more_than_the_spool_holds(tmp_path: Path) -> None:
    """A spool that was full has room for a part of what waited meanwhile: that part comes, and then the rest."""
    held, transport, room = 50_000, TRANSPORTS["udp"], 8 * MIB

    async def main() -> None:
        async with intake(tmp_path, max_bytes=0, **{"in": {"kind": "udp", "port": 0}}) as running:
            health, reasons = running.health.listeners["in"], ("udp_receive_buffer_full", "udp_spool_full")
            sent = 0

            def lost() -> int:
                return sum(running.counted("dropped", reason, "in") for reason in reasons)

            def spooled() -> int:
                rows = running.spooled()
                running.trim()
                return len(rows)

            while sent - lost() < held:
                await transport.send(running.port("in"), at_once(range(sent, sent + 10_000)), None)
                sent += 10_000
            running.spool.max_bytes = room
            await running.until(lambda: spooled() == health.received == sent - lost(), 60)
            assert sum(len(row["payload"]) for row in running.rows) > room

    asyncio.run(main())
