"""Syslog listeners on real sockets: what senders send is spooled, what is lost is counted, others go on."""

import asyncio
import os
import socket
import ssl
import sys
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from tests.collectors.transports.certificates import make
from tests.collectors.transports.intake import MIB, intake, send


def test_tcp_both_framings_and_the_last_line_without_end(tmp_path: Path) -> None:
    """Newlines, counted frames and an unfinished last line, each from its own connection."""

    async def work() -> None:
        async with intake(tmp_path, fw={"kind": "tcp"}) as running:
            await send(running.port("fw"), b"<13>one\n<13>tw", b"o\n<13>three")
            await send(running.port("fw"), b"8 <13>four9 <13>fi", b"ve\n")
            rows = await running.until_spooled(5)
            assert {row["payload"] for row in rows} == {
                b"<13>one",
                b"<13>two",
                b"<13>three",
                b"<13>four",
                b"<13>five",
            }
            assert {(row["origin"], row["peer"], row["client_id"]) for row in rows} == {
                ("fw", "127.0.0.1", "")
            }
            health = running.health.listeners["fw"]
            await running.until(lambda: health.connections == 0 and health.received == 5)
            assert (health.received, health.bytes) == (5, sum(len(row["payload"]) for row in rows))
            assert health.last_received is not None

    asyncio.run(work())


def test_one_bad_sender_does_not_disturb_the_others(tmp_path: Path) -> None:
    """A 10 MB line, binary, NULs, wrong counts and a half frame, while a good sender sends on."""
    noise = bytes(range(256)) * 40

    async def work() -> None:
        listener = {"kind": "tcp", "max_message": 2 * MIB}
        async with intake(tmp_path, fw=listener) as running:
            port = running.port("fw")
            good = [b"<13>good %d\n" % n for n in range(300)]
            await asyncio.gather(
                send(port, b"<13>" + b"A" * (10 * MIB) + b"\n<13>after the long one\n"),
                send(port, noise + b"\n"),
                send(port, b"\0" * 5000 + b"\n"),
                send(port, b"9 <13>x1234567 <13>half a frame"),
                send(port, *good, pause=0.0005),
            )
            await running.until(lambda: running.payloads().count(b"<13>after the long one") == 1)
            await running.until(lambda: sum(b"good" in text for text in running.payloads()) == 300)
            long = [text for text in running.payloads() if text.startswith(b"<13>AAA")]
            assert [len(text) for text in long] == [2 * MIB]
            assert running.counted("truncated", "longer_than_max_message", "fw") == 1
            assert running.counted("truncated", "bad_frame", "fw") >= 1
            assert running.counted("dropped", "empty_line", "fw") >= 1
            assert any(b"half a frame" in text for text in running.payloads())

    asyncio.run(work())


def test_a_stalled_half_message_is_taken_and_the_connection_closed(tmp_path: Path) -> None:
    """Who sends half a message and waits (slowloris) is cut off after `stall`; the half is kept, counted."""

    async def work() -> None:
        async with intake(tmp_path, fw={"kind": "tcp", "stall": 0.3}) as running:
            reader, writer = await asyncio.open_connection("127.0.0.1", running.port("fw"))
            writer.write(b"<13>whole\n<13>half of a mess")
            async with asyncio.timeout(10):
                assert await reader.read() == b""
            writer.close()
            await running.until_spooled(2)
            assert running.payloads() == [b"<13>whole", b"<13>half of a mess"]
            assert running.counted("truncated", "half_message", "fw") == 1

    asyncio.run(work())


def test_one_connection_too_many_is_refused(tmp_path: Path) -> None:
    """The bound on connections holds, is counted, and frees up again."""

    async def work() -> None:
        async with intake(tmp_path, fw={"kind": "tcp", "max_connections": 2}) as running:
            held = [await asyncio.open_connection("127.0.0.1", running.port("fw")) for _ in range(2)]
            await running.until(lambda: running.health.listeners["fw"].connections == 2)
            reader, writer = await asyncio.open_connection("127.0.0.1", running.port("fw"))
            with pytest.raises(ConnectionError):
                if not await reader.read():
                    raise ConnectionError
            writer.close()
            assert running.errors("fw")["too_many_connections"] == 1
            for _, one in held:
                one.close()
            await running.until(lambda: running.health.listeners["fw"].connections == 0)
            await send(running.port("fw"), b"<13>again\n")
            await running.until_spooled(1)

    asyncio.run(work())


def test_a_full_spool_slows_a_tcp_sender_down_and_loses_nothing(tmp_path: Path) -> None:
    """TCP pushes back while the spool is full, the listener says so, and everything arrives in the end."""
    lines = [b"<13>%06d " % n + os.urandom(700).hex().encode() for n in range(20_000)]

    async def work() -> None:
        async with intake(tmp_path, max_bytes=8 * MIB, fw={"kind": "tcp"}) as running:
            sending = asyncio.create_task(send(running.port("fw"), *(line + b"\n" for line in lines)))
            health = running.health.listeners["fw"]
            await running.until(lambda: health.waiting_for_room)
            assert not sending.done()
            assert health.problem
            received: list[bytes] = []
            async with asyncio.timeout(60):
                while len(received) < len(lines):
                    received = running.payloads()
                    running.trim()
                    await asyncio.sleep(0.02)
            await sending
            assert received == lines
            await running.until(lambda: not health.waiting_for_room)

    asyncio.run(work())


def test_what_was_sent_before_the_stop_is_spooled(tmp_path: Path) -> None:
    """A graceful stop reads what the kernel holds for open connections, UDP included."""

    async def work() -> list[bytes]:
        async with intake(tmp_path, fw={"kind": "tcp"}, u={"kind": "udp"}) as running:
            _, writer = await asyncio.open_connection("127.0.0.1", running.port("fw"))
            await running.until(lambda: running.health.listeners["fw"].connections == 1)
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
                for n in range(100):
                    sender.sendto(b"<13>udp %d" % n, ("127.0.0.1", running.port("u")))
            writer.write(b"".join(b"<13>tcp %d\n" % n for n in range(20_000)))
        writer.close()
        return running.payloads()

    payloads = asyncio.run(work())
    assert sum(text.startswith(b"<13>tcp") for text in payloads) == 20_000
    assert sum(text.startswith(b"<13>udp") for text in payloads) == 100


def test_udp_takes_datagrams_and_counts_what_the_kernel_dropped(tmp_path: Path) -> None:
    """A burst over the receive buffer, sent while nobody reads: spooled + counted as lost = sent."""

    async def work() -> None:
        async with intake(tmp_path, u={"kind": "udp"}) as running:
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
                for n in range(3000):  # the loop does not run meanwhile, so the kernel's buffer overflows
                    sender.sendto(b"<13>%05d " % n + b"x" * 8000, ("127.0.0.1", running.port("u")))
                await running.until(
                    lambda: running.payloads() and running.health.listeners["u"].received > 10
                )
                await asyncio.sleep(0.1)
                sender.sendto(b"<13>the next one tells the count\r\n\0", ("127.0.0.1", running.port("u")))
            await running.until(lambda: running.payloads()[-1] == b"<13>the next one tells the count")
            lost = running.counted("dropped", "udp_receive_buffer_full", "u")
            assert lost > 0
            assert len(running.payloads()) - 1 + lost == 3000

    asyncio.run(work())


async def relp_session(port: int, frames: list[bytes], answers: int) -> bytes:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    for frame in frames:
        writer.write(frame)
    got = b""
    async with asyncio.timeout(10):
        while got.count(b" rsp ") < answers:
            data = await reader.read(65536)
            if not data:
                break
            got += data
    writer.close()
    return got


def test_relp_answers_each_message_after_it_is_spooled(tmp_path: Path) -> None:
    """Open, two messages (one with line ends inside), an unknown command, close; answers in order."""

    async def work() -> None:
        async with intake(tmp_path, r={"kind": "relp"}) as running:
            two = b"<13>two\nlines"
            frames = [
                b"1 open 31 relp_version=0\ncommands=syslog\n\n",
                b"2 syslog 7 <13>one\n3 sys",
                b"log %d %s\n" % (len(two), two),
                b"4 dance 0\n5 close 0\n",
            ]
            got = await relp_session(running.port("r"), frames, 5)
            assert got.startswith(b"1 rsp ")
            assert b"commands=syslog" in got
            assert b"2 rsp 6 200 OK\n3 rsp 6 200 OK\n" in got
            assert b"4 rsp 19 500 unknown command\n" in got
            assert got.endswith(b"5 rsp 0\n0 serverclose 0\n")
            assert running.payloads() == [b"<13>one", two]

    asyncio.run(work())


def test_relp_does_not_answer_while_the_spool_is_full(tmp_path: Path) -> None:
    """No answer before the message is durable: the sender keeps it."""

    async def work() -> None:
        async with intake(tmp_path, max_bytes=6 * MIB, r={"kind": "relp"}) as running:
            frames = [b"%d syslog 400000 %s\n" % (n, os.urandom(400_000)) for n in range(1, 21)]
            asking = asyncio.create_task(relp_session(running.port("r"), frames, 20))
            await running.until(lambda: running.health.listeners["r"].waiting_for_room)
            await asyncio.sleep(0.1)
            assert not asking.done()
            async with asyncio.timeout(20):
                while not asking.done():
                    running.spooled()
                    running.trim()
                    await asyncio.sleep(0.02)
            assert (await asking).count(b"200 OK") == 20
            assert len(running.payloads()) == 20

    asyncio.run(work())


def test_what_is_no_relp_is_closed_and_counted(tmp_path: Path) -> None:
    """A browser, a scanner: closed at once, nothing spooled."""

    async def work() -> None:
        async with intake(tmp_path, r={"kind": "relp"}) as running:
            assert await relp_session(running.port("r"), [b"GET / HTTP/1.1\r\n\r\n"], 1) == b""
            assert running.errors("r")["not_relp"] == 1
            assert running.payloads() == []

    asyncio.run(work())


def client_context(files: dict[str, Path], *, with_certificate: bool) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=files["ca"])
    if with_certificate:
        context.load_cert_chain(files["client_cert"], files["client_key"])
    return context


async def send_tls(port: int, context: ssl.SSLContext, data: bytes) -> None:
    _, writer = await asyncio.open_connection("127.0.0.1", port, ssl=context)
    writer.write(data)
    await writer.drain()
    writer.close()
    await writer.wait_closed()


def test_tls_with_and_without_a_client_certificate(tmp_path: Path) -> None:
    """The mutual listener takes only a sender with a certificate of its CA; the other takes any; both TLS ≥ 1.2."""
    files = make(tmp_path / "pem")
    server = {"kind": "tls", "cert": files["cert"], "key": files["key"]}

    async def work() -> None:
        async with intake(tmp_path / "spool", plain=server, mutual={**server, "ca": files["ca"]}) as running:
            known, unknown = (client_context(files, with_certificate=yes) for yes in (True, False))
            await send_tls(running.port("plain"), unknown, b"<13>any\n")
            await send_tls(running.port("mutual"), known, b"<13>known\n")
            await running.until_spooled(2)
            with pytest.raises((ssl.SSLError, ConnectionError)):
                reader, writer = await asyncio.open_connection(
                    "127.0.0.1", running.port("mutual"), ssl=unknown
                )
                writer.write(b"<13>unknown\n")
                if not await reader.read():
                    raise ConnectionError
            old = client_context(files, with_certificate=False)
            old.maximum_version = ssl.TLSVersion.TLSv1_2
            await send_tls(running.port("plain"), old, b"<13>tls12\n")
            await running.until_spooled(3)
            assert set(running.payloads()) == {b"<13>any", b"<13>known", b"<13>tls12"}

    asyncio.run(work())


def test_a_listener_that_cannot_start_says_why_and_the_others_go_on(tmp_path: Path) -> None:
    """A taken port and an unreadable certificate are named; the third listener works."""
    (tmp_path / "bad.pem").write_text("no certificate")
    bad = {"kind": "tls", "cert": tmp_path / "bad.pem", "key": tmp_path / "bad.pem"}

    async def work() -> None:
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            taken.listen()
            port = taken.getsockname()[1]
            async with intake(
                tmp_path / "s", a={"kind": "tcp", "port": port}, b=bad, c={"kind": "tcp"}
            ) as running:
                await send(running.port("c"), b"<13>works\n")
                await running.until_spooled(1)
                said = running.health.as_dict()
                assert f"127.0.0.1:{port} を開けません" in said["a"]["problem"]
                assert "証明書か鍵を読めません" in said["b"]["problem"]
                assert [said[name]["up"] for name in "abc"] == [False, False, True]

    asyncio.run(work())


def test_a_listener_that_stays_down_is_logged_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Tried every few seconds; said again only when it fails of something else, or after it has worked."""
    monkeypatch.setattr(sys.modules["collectors.transports.serve"], "_TRY_AGAIN", 0.02)
    files = make(tmp_path / "pem")
    cert = files["cert"].read_bytes()
    files["cert"].unlink()
    listener = {"kind": "tls", "cert": files["cert"], "key": files["key"]}

    async def work() -> None:
        async with intake(tmp_path / "s", a=listener) as running:
            await asyncio.sleep(0.3)
            files["cert"].write_text("no certificate")
            await asyncio.sleep(0.3)
            files["cert"].write_bytes(cert)
            await running.until(lambda: running.health.listeners["a"].up)

    with capture_logs() as said:
        asyncio.run(work())
    told = [one["reason"] for one in said if one["event"].startswith("listener is down")]
    assert len(told) == 2 and "見つかりません" in told[0] and "PEM" in told[1]
