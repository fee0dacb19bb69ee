"""Sends a scenario's streams through the real transports: syslog over TCP, `_bulk` over HTTP, dropped files."""

import shutil
import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from pathlib import Path

import httpx

from hinomi.errors import HinomiError
from ops.demo.scenario import Written
from ops.demo.tower import DemoTower

_BULK = 1000


def send_all(tower: DemoTower) -> int:
    """Send every stream, four at a time; returns the lines sent. Raises HinomiError when one is refused."""
    with ThreadPoolExecutor(4) as pool:
        return sum(pool.map(lambda stream: _send(tower, stream), tower.manifest.streams))


def _send(tower: DemoTower, stream: Written) -> int:
    match stream.transport:
        case "syslog_tcp":
            return _syslog(tower.ports[stream.source], stream)
        case "bulk":
            return _bulk(tower, stream)
        case "file":
            return _drop(tower.drop / stream.source.replace(".", "-"), stream)


def _lines(path: Path) -> Iterator[bytes]:
    with path.open("rb") as handle:
        for line in handle:
            yield line.rstrip(b"\n")


def _syslog(port: int, stream: Written) -> int:
    sent = 0
    with (
        socket.create_connection(("127.0.0.1", port), timeout=60) as connection,
        connection.makefile("wb") as out,
    ):
        for line in _lines(stream.path):
            out.write(b"%d %s" % (len(line), line) if stream.framing == "octet" else line + b"\n")
            sent += 1
        out.flush()
        connection.shutdown(socket.SHUT_WR)
        connection.recv(1)  # the other side closes once it has read everything
    return sent


def _bulk(tower: DemoTower, stream: Written) -> int:
    url = f"http://127.0.0.1:{tower.ports[stream.source]}/_bulk"
    headers = {"Authorization": f"Bearer {tower.token}", "Content-Type": "application/x-ndjson"}
    lines, sent = _lines(stream.path), 0
    with httpx.Client(timeout=60, headers=headers) as client:
        while chunk := list(islice(lines, _BULK)):
            body = b"".join(
                b'{"create":{"_id":"%d"}}\n%s\n' % (sent + i, line) for i, line in enumerate(chunk)
            )
            answer = client.post(url, content=body)
            if answer.status_code != 200 or answer.json()["errors"]:
                raise HinomiError(
                    f"{stream.source}: 受け付けられませんでした({answer.status_code})。",
                    f"{stream.source} was refused: {answer.status_code}",
                )
            sent += len(chunk)
    return sent


def _drop(folder: Path, stream: Written) -> int:
    """Copied beside, then renamed into place, as a sender should: the reader never sees half a file."""
    beside = folder.parent / f".{stream.path.name}"
    shutil.copyfile(stream.path, beside)
    beside.replace(folder / stream.path.name)
    return stream.lines
