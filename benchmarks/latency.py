"""From a raw log line to the delivered mail, while a firewall sends 5,000 events a second: a real `hinomi up` on the embedded
store with the rules that come with it, real sockets, a real SMTP server. Limit: p99 under 5 seconds.

A page is an incident of its own: a grade-3 line (`useradd … UID=0`) or a grade-2 line (SSH from the Internet), each
about another server and account. The limits of the hour and the storm are set aside here, as each page is to be measured;
`benchmarks.storm` is about those.

usage: python -m benchmarks.latency [seconds] [events a second] [pages a second]
"""

import re
import socket
import sys
import tempfile
import threading
import time
from datetime import datetime
from pathlib import Path
from typing import Any

import yaml

from benchmarks._fortigate_lines import lines
from benchmarks._way import PAGE, tell, way
from hinomi.clock import JST
from tests.e2e.tower import Tower, free_port, until
from tests.responders.peers.relay import Relay, relay

LIMIT = 5.0
_PORTION = 0.05  # seconds of background sent at once


def configuration(folder: Path, mail: int, ports: dict[str, int], **notify: Any) -> Path:
    """A tower with a firewall, a server's log and one person who gets mail."""
    listen = {
        name: {"kind": "tcp", "address": "127.0.0.1", "port": port, "source": source}
        for (name, port), source in zip(ports.items(), ("fortinet.fortigate", "linux.auth"), strict=True)
    }
    channel = {
        "kind": "smtp",
        "host": "127.0.0.1",
        "port": mail,
        "tls": "none",
        "sender": "h@city.example.jp",
    }
    settings = {
        "listen": listen,
        "console": {"port": 0},
        "metrics": {"port": 0},
        "enrich": {"zones": {"internet": ["10.0.0.0/8"]}},
        "respond": {
            "notify": {"channels": {"mail": channel}, **notify},
            "oncall": {
                "people": {"sato": {"name_ja": "佐藤", "channels": ["mail"], "mail": "sato@city.example.jp"}},
                "layers": [{"people": ["sato"]}],
            },
        },
    }
    path = folder / "hinomi.yaml"
    path.write_text(yaml.safe_dump(settings, allow_unicode=True), encoding="utf-8")
    return path


class Background(threading.Thread):
    """The firewall: so many events a second, with the time of now in them."""

    def __init__(self, port: int, rate: int) -> None:
        super().__init__(daemon=True)
        self.port, self.rate, self.sent, self.over = port, rate, 0, threading.Event()
        self.lines = lines(20_000)

    def run(self) -> None:
        """Until told that it is over; late portions are sent at once."""
        started, size = time.monotonic(), max(1, int(self.rate * _PORTION))
        with socket.create_connection(("127.0.0.1", self.port)) as out:
            while not self.over.is_set():
                if (ahead := self.sent / self.rate - (time.monotonic() - started)) > 0:
                    time.sleep(min(ahead, _PORTION))
                    continue
                stamp = f"eventtime={time.time_ns()}".encode()
                at = self.sent % (len(self.lines) - size)
                portion = b"\n".join(self.lines[at : at + size]) + b"\n"
                out.sendall(re.sub(rb"eventtime=\d+", stamp, portion))
                self.sent += size


def page(n: int) -> bytes:
    """A line that calls somebody: every other one of grade 3."""
    now = f"{datetime.now(JST):%b %d %H:%M:%S}"
    if n % 2:
        source = f"203.0.{n // 250}.{n % 250 + 1}"
        words = f"Accepted publickey for staff{n:04} from {source} port 4000 ssh2"
        return f"<86>{now} dmz{n:04} sshd[9]: {words}\n".encode()
    return (
        f"<85>{now} web{n:04} useradd[5]: new user: name=door{n:04}, UID=0, GID=0, home=/root,"
        " shell=/bin/bash, from=/dev/pts/0\n"
    ).encode()


def measured(
    tower: Tower, mail: Relay, ports: dict[str, int], seconds: float, rate: int, pages: float
) -> dict[int, float]:
    """When each page's line was sent; returns when all have come, or half a minute after the last."""
    background, sent = Background(ports["fw"], rate), dict[int, float]()
    background.start()
    time.sleep(3)
    with socket.create_connection(("127.0.0.1", ports["server"])) as out:
        for n in range(int(seconds * pages)):
            out.sendall(page(n))
            sent[n] = time.time()
            time.sleep(1 / pages)
        end = time.monotonic() + 30
        while len(_came(mail)) < len(sent) and time.monotonic() < end:
            time.sleep(0.2)
    background.over.set()
    background.join(10)
    took = time.monotonic()
    until(lambda: _stored(tower) >= background.sent, 60, "the background is stored")
    print(f"{background.sent:,} background events; stored {time.monotonic() - took:.1f} s after the last")
    return sent


def _came(mail: Relay) -> dict[int, float]:
    """Page → when the first mail that names its server came."""
    came: dict[int, float] = {}
    for at, text in mail.texts():
        for n in PAGE.findall(text):
            came.setdefault(int(n), at)
    return came


def _stored(tower: Tower) -> int:
    from hinomi.store.embedded import ParquetEvents

    events = ParquetEvents(tower.data / "events")
    try:
        return sum(one.events for one in events.datasets() if one.name == "fortinet.fortigate")
    finally:
        events.close()


def said(took: list[tuple[int, float]]) -> float:
    """Print the figures of each grade; the p99 of all."""
    for grade in (3, 2):
        one = sorted(seconds for own, seconds in took if own == grade)
        print(
            f"grade {grade}: {len(one)} pages, median {one[len(one) // 2]:.2f} s, p99 {_p99(one):.2f} s, most {one[-1]:.2f} s"
        )
    return _p99(sorted(seconds for _, seconds in took))


def _p99(ordered: list[float]) -> float:
    return ordered[min(len(ordered) - 1, int(len(ordered) * 0.99))]


def run(folder: Path, seconds: float, rate: int, pages: float) -> float:
    """Measure on a tower of its own; the p99 in seconds."""
    ports = {"fw": free_port(), "server": free_port()}
    with relay() as mail:
        many = {"storm_messages": 100_000, "per_person_an_hour": 100_000, "an_hour": 100_000}
        tower = Tower(folder / "data", configuration(folder, mail.port, ports, **many))
        tower.data.mkdir()
        try:
            tower.start()
            sent = measured(tower, mail, ports, seconds, rate, pages)
        finally:
            tower.stop()
        came = _came(mail)
    tell(way(tower.data, sent, came))
    return said([(2 if n % 2 else 3, came.get(n, float("inf")) - at) for n, at in sent.items()])


def main(seconds: float = 120, rate: int = 5_000, pages: float = 2) -> bool:
    """Measure; True when the limit holds."""
    with tempfile.TemporaryDirectory(prefix="hinomi-latency-") as folder:
        p99 = run(Path(folder), seconds, rate, pages)
    print(f"{rate:,} events/s behind: p99 {p99:.2f} s, {p99 / LIMIT:.2f} × the limit of {LIMIT:.0f} s")
    return p99 < LIMIT


if __name__ == "__main__":
    sys.exit(
        0 if main(*(float(text) for text in sys.argv[1:2]), *(int(text) for text in sys.argv[2:3])) else 1
    )
