"""Who sends to a collector in the fault campaign: numbered events at a rate, each again until it is acknowledged."""

import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime

import httpx

from hinomi.clock import JST
from hinomi.identity import digest
from tests.e2e.split import REFUSED, as_bulk

TOKEN = {"Authorization": "Bearer t0ken-for-tests"}
_BATCH = 250


@dataclass(slots=True)
class Attack:
    """Planted: its address, and when all its lines were acknowledged (monotonic seconds)."""

    address: str
    acknowledged: float = 0.0


@dataclass(slots=True)
class Sender(threading.Thread):
    """Sends to one collector in a thread of its own, and plants attacks among the rest.

    number: of the collector; rate: events a second; again: requests that were sent again.
    """

    number: int
    port: int
    rate: float
    stop: threading.Event
    sent: int = 0
    again: int = 0
    longest: float = 0.0
    waiting: list[Attack] = field(default_factory=list)
    planted: list[Attack] = field(default_factory=list)

    def __post_init__(self) -> None:
        threading.Thread.__init__(self, daemon=True)

    __hash__ = threading.Thread.__hash__

    def plant(self, address: str) -> None:
        """An attack from this address comes with the next events."""
        self.waiting.append(Attack(address))

    def run(self) -> None:
        """Until told to stop; all that was begun is acknowledged then."""
        began = time.monotonic()
        with httpx.Client(timeout=10, headers=TOKEN) as http:
            while not self.stop.is_set() or self.waiting:
                if self.waiting:
                    self._attack(http, self.waiting.pop(0))
                lines = [self._event(n) for n in range(self.sent, self.sent + _BATCH)]
                self._send(http, lines)
                self.sent += _BATCH
                self.stop.wait(max(0.0, began + self.sent / self.rate - time.monotonic()))

    def ids(self) -> Iterator[str]:
        """The id under which each event must be stored."""
        origin = f"web{self.number}"
        for n in range(self.sent):
            yield digest(origin, f"s{self.number}-{n}")
        for attack in self.planted:
            for n in range(REFUSED):
                yield digest(origin, f"{attack.address}-{n}")

    def _event(self, n: int) -> tuple[str, str]:
        text = f"Accepted password for u{n % 5_000} from 10.1.{n % 250}.{n % 199} port 4000 ssh2"
        return f"s{self.number}-{n}", _line(f"host{self.number}", n % 30_000, text)

    def _attack(self, http: httpx.Client, attack: Attack) -> None:
        last = attack.address.rpartition(".")[2]
        text = f"Failed password for x{last} from {attack.address} port 4000 ssh2"
        self._send(http, [(f"{attack.address}-{n}", _line(f"victim{last}", n, text)) for n in range(REFUSED)])
        attack.acknowledged = time.monotonic()
        self.planted.append(attack)

    def _send(self, http: httpx.Client, events: Sequence[tuple[str, str]]) -> None:
        content, began = as_bulk(events), time.monotonic()
        while not self._taken(http, content):
            self.again += 1
            time.sleep(0.2)
        self.longest = max(self.longest, time.monotonic() - began)

    def _taken(self, http: httpx.Client, content: str) -> bool:
        try:
            answer = http.post(f"http://127.0.0.1:{self.port}/_bulk", content=content)
        except httpx.HTTPError:
            return False
        return answer.status_code == 200 and not answer.json()["errors"]


def _line(host: str, pid: int, text: str) -> str:
    return f"<38>{datetime.now(JST):%b %d %H:%M:%S} {host} sshd[{pid}]: {text}"
