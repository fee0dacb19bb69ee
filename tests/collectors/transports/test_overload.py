"""More than the spool takes: senders wait or loss is counted, memory stays flat, and all goes on once there is room.

A short form of `benchmarks spool`: the spool is shut for a while (which is any overload, however many times the rate), then
opened again.
"""

import asyncio
import resource
from collections.abc import Awaitable, Callable
from pathlib import Path

import httpx
import pytest

from tests.collectors.flows.capture import flow_set, template, version_9
from tests.collectors.flows.test_flows import FIELDS, RECORD
from tests.collectors.transports.intake import MIB, Running, intake

SHUT, MOST_GROWTH = 2.0, 160 * MIB
PAYLOAD = b"x" * 1000
Send = Callable[[Running, int], Awaitable[None]]


async def tcp(running: Running, n: int) -> None:
    """So many lines down one connection."""
    _, writer = await asyncio.open_connection("127.0.0.1", running.port("in"))
    for start in range(0, n, 100):
        writer.write(b"".join(b"%d %s\n" % (i, PAYLOAD) for i in range(start, min(start + 100, n))))
        await writer.drain()
    writer.close()
    await writer.wait_closed()


async def http(running: Running, n: int) -> None:
    """So many lines in requests of a hundred, each sent again as long as it is refused."""
    url = f"http://127.0.0.1:{running.port('in')}/ingest/in"
    async with httpx.AsyncClient(timeout=30) as client:
        for start in range(0, n, 100):
            body = b"\n".join(b"%d %s" % (i, PAYLOAD) for i in range(start, min(start + 100, n)))
            while (answer := await client.post(url, content=body)).status_code != 200:
                assert answer.status_code in {429, 503} and answer.headers["retry-after"]
                await asyncio.sleep(0.05)


@pytest.mark.parametrize(("kind", "send"), [("tcp", tcp), ("http", http)])
def test_senders_wait(tmp_path: Path, kind: str, send: Send) -> None:
    """TCP is not read on and HTTP is told to come again: every line once, memory flat, no loss."""
    n = 60_000

    async def main() -> None:
        async with intake(tmp_path, **{"in": {"kind": kind}}) as running:
            await send(running, 100)
            await running.until_spooled(100)
            before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
            most, running.spool.max_bytes = running.spool.max_bytes, 0
            sending = asyncio.create_task(send(running, n))
            await asyncio.sleep(SHUT)
            assert not sending.done() and running.health.listeners["in"].errors["spool_full"]
            grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 - before
            assert grown < MOST_GROWTH, grown
            running.spool.max_bytes = most
            await asyncio.wait_for(sending, 60)
            await running.until(lambda: running.health.listeners["in"].received == n + 100, 60)
            numbers = [int(line.split(b" ")[0]) for line in running.payloads()][100:]
            assert numbers == list(range(n))
            assert not running.health.listeners["in"].waiting_for_room
            assert not running.ledger.counts

    asyncio.run(main())


@pytest.mark.parametrize("kind", ["udp", "flow"])
def test_what_udp_loses_is_counted(tmp_path: Path, kind: str) -> None:
    """Datagrams that neither the kernel nor we can hold are counted: received and lost together are all that was sent."""
    known = version_9(0, flow_set(0, template(256, *FIELDS)))
    flow = version_9(1, flow_set(256, RECORD))

    async def main() -> None:
        async with intake(tmp_path, **{"in": {"kind": kind, "port": 0}}) as running:
            loop = asyncio.get_running_loop()
            target = ("127.0.0.1", running.port("in"))
            transport, _ = await loop.create_datagram_endpoint(asyncio.DatagramProtocol, remote_addr=target)
            if kind == "flow":
                transport.sendto(known)
            await asyncio.sleep(0.1)
            most, running.spool.max_bytes = running.spool.max_bytes, 0
            sent = 80_000 if kind == "udp" else 20_000
            for i in range(sent):
                transport.sendto(b"%d %s" % (i, PAYLOAD) if kind == "udp" else flow)
                if i % 500 == 499:
                    await asyncio.sleep(0)
            running.spool.max_bytes = most

            def told() -> int:
                reasons = ("udp_receive_buffer_full", "udp_spool_full")
                return running.health.listeners["in"].received + sum(
                    running.counted("dropped", r, "in") for r in reasons
                )

            await running.until(lambda: told() == sent, 60)
            assert (
                kind == "flow" or running.health.listeners["in"].received < sent
            )  # else nothing was too much
            transport.sendto(flow if kind == "flow" else b"after")
            await running.until(lambda: told() == sent + 1)
            transport.close()

    asyncio.run(main())
