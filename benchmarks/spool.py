"""Received → spooled and fsynced, one connection, one process: messages/s beside rsyslog's.

The rivals (../shared/data/peers.md, same kind of machine): rsyslog 8.2302 took 334,000 to 390,000 messages
of 250 bytes a second on one TCP connection and wrote them to a file without fsync. Here a message counts
when it is durable. The sender is another process; the spool's own lies on the temporary folder's disk.
"""

import asyncio
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from collectors.settings import Kind, Listener
from collectors.spool import Entries, Reader, Spool
from collectors.transports import Health, serve
from hinomi.ledger import Ledger

MESSAGES = 200_000
RSYSLOG = 334_000
BULK = 1_000
_SEND = """
import socket, sys, threading
def answers(connection):
    while connection.recv(1 << 20):
        pass
blob = open(sys.argv[2], "rb").read()
print("ready", flush=True)
sys.stdin.readline()
with socket.create_connection(("127.0.0.1", int(sys.argv[1]))) as connection:
    reading = threading.Thread(target=answers, args=[connection])
    reading.start()
    connection.sendall(blob)
    connection.shutdown(socket.SHUT_WR)
    reading.join()
"""


def _messages() -> list[bytes]:
    """RFC 5424 messages of about 250 bytes, each different."""
    return [
        f"<38>1 2026-11-20T10:{n // 6000 % 60:02d}:{n // 100 % 60:02d}.{n % 1000:03d}+09:00 web{n % 9:02d} "
        f"sshd {n} - - Failed password for invalid user u{n * 7919 % 10_000:04d} from 192.0.2.{n % 250} "
        f"port {n % 60_000} ssh2 session {n * 104_729:016x} {n * 15_485_863:016x} zone=internet "
        f"seat=10.30.{n % 8 + 8}.{n % 250} request {n * 32_452_843:016x}{n * 49_979_687:016x} tries={n % 7}".encode()
        for n in range(MESSAGES)
    ]


def _bulk(messages: list[bytes], port: int) -> bytes:
    """The requests of one keep-alive connection, pipelined."""
    requests = []
    for start in range(0, len(messages), BULK):
        pairs = b"".join(
            b'{"create":{}}\n{"message":"%s"}\n' % text for text in messages[start : start + BULK]
        )
        last = b"Connection: close\r\n" if start + BULK >= len(messages) else b""
        head = b"POST /_bulk HTTP/1.1\r\nHost: x\r\n%sContent-Length: %d\r\n\r\n" % (last, len(pairs))
        requests.append(head + pairs)
    return b"".join(requests)


async def _measure(folder: Path, kind: Kind, blob: bytes) -> tuple[float, float]:
    """(seconds until everything was durable, CPU seconds of this process)."""
    (folder / "blob").write_bytes(blob)
    ledger, stop = Ledger(), asyncio.Event()
    spool = Spool(folder / "spool", max_bytes=4 << 30, ledger=ledger)
    ready: asyncio.Future[Health] = asyncio.get_running_loop().create_future()
    listeners = {"in": Listener(kind=kind, address="127.0.0.1")}
    task = asyncio.create_task(serve(listeners, spool, ledger, ready=ready.set_result, stop=stop))
    health = (await ready).listeners["in"]
    command = [sys.executable, "-c", _SEND, str(health.port), str(folder / "blob")]
    sender = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert sender.stdin is not None
    assert sender.stdout is not None
    await asyncio.to_thread(sender.stdout.readline)
    start, cpu = time.perf_counter(), time.process_time()
    sender.stdin.write(b"go\n")
    sender.stdin.flush()
    while health.received < MESSAGES:
        await asyncio.sleep(0.002)
    seconds, used = time.perf_counter() - start, time.process_time() - cpu
    stop.set()
    await task
    sender.communicate()
    await spool.close()
    return seconds, used


def _report(name: str, size: int, seconds: float, cpu: float) -> None:
    rate = MESSAGES / seconds
    print(
        f"{name:<24} {rate:>9,.0f} messages/s  {size / seconds / 1e6:6.0f} MB/s  "
        f"{MESSAGES / cpu:>9,.0f}/s of CPU  {rate / RSYSLOG:5.2f} × rsyslog without fsync"
    )


async def _alone(folder: Path) -> float:
    """Acknowledged appends/s of one message each, 64 writers at once: what group commit gives."""
    spool = Spool(folder, max_bytes=1 << 30)

    async def writer() -> None:
        for _ in range(100):
            await spool.append(Entries("in", "192.0.2.1", time.time_ns(), [b"x" * 250]))

    start = time.perf_counter()
    await asyncio.gather(*(writer() for _ in range(64)))
    rate = 6400 / (time.perf_counter() - start)
    await spool.close()
    return rate


def _read(folder: Path) -> tuple[int, float]:
    reader, after, rows = Reader(folder / "lane-0"), None, 0
    start = time.perf_counter()
    while block := reader.read(after):
        after, rows = block.after, rows + len(block.frame)
    return rows, rows / (time.perf_counter() - start)


def main() -> None:
    """Print each way in, then reading back, then single appends."""
    messages = _messages()
    size = sum(map(len, messages))
    print(f"{MESSAGES:,} messages of {size // MESSAGES} bytes")
    blobs = {
        "TCP, newline": (Kind.TCP, b"\n".join(messages) + b"\n"),
        "TCP, octet counting": (Kind.TCP, b"".join(b"%d %s" % (len(text), text) for text in messages)),
        f"_bulk, {BULK} a request": (Kind.HTTP, _bulk(messages, 0)),
    }
    for name, (kind, blob) in blobs.items():
        with tempfile.TemporaryDirectory() as folder:
            seconds, cpu = asyncio.run(_measure(Path(folder), kind, blob))
            _report(name, size, seconds, cpu)
            rows, rate = _read(Path(folder) / "spool")
            held = sum(path.stat().st_size for path in Path(folder).rglob("*.segment"))
            assert rows == MESSAGES, f"{rows} of {MESSAGES} were read back"
    print(f"{'read back as frames':<24} {rate:>9,.0f} messages/s  {held / rows:6.1f} bytes on disk each")
    with tempfile.TemporaryDirectory() as folder:
        print(
            f"{'one message an append':<24} {asyncio.run(_alone(Path(folder))):>9,.0f} acknowledged/s, 64 writers"
        )
    print(f"peak memory {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024} MB (with the messages)")


if __name__ == "__main__":
    main()
