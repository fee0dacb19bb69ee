"""Users of the console: each asks for pages one after another over a connection of its own."""

import asyncio
import random
import statistics
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import httpx

PAGES: dict[str, tuple[str, float]] = {
    "queue": ("/", 0.3),
    "incident": ("/incidents/{n}", 0.3),
    "search": ("/search?range=24h&q=user.name:+user{user}", 1.5),
    "search, 30 days": ("/search?range=30d&q=user.name:+user{user}", 1.5),
    "sources": ("/sources", 2.0),
    "rules": ("/rules", 2.0),
    "compliance": ("/compliance", 2.0),
    "summary": ("/summary", 2.0),
}
"""Page → its address and the seconds that issue 8 allows at p95."""


@dataclass
class Crowd:
    """Some users of a console. consoles: its processes, whose processor seconds are counted."""

    address: str
    cookie: tuple[str, str]
    users: int
    incidents: int
    consoles: Sequence[int]
    chance: random.Random = field(default_factory=lambda: random.Random(8))

    def first(self, page: str) -> float:
        """Seconds of one call alone, with whatever is cold."""
        return self.burst(page, 1, users=1)[0][0]

    def burst(self, page: str, rounds: int, users: int = 0) -> tuple[list[float], float]:
        """Everybody asks for the page in the same moment, again and again: (seconds of each call, processor
        seconds a call)."""
        before = self._used()
        found = asyncio.run(self._bursts(page, rounds, users or self.users))
        return found, (self._used() - before) / len(found)

    def shift(self, seconds: float, pause: float) -> dict[str, list[float]]:
        """Everybody at work for a while: a page, a look at it (`pause` on average), another page."""
        return asyncio.run(self._shift(seconds, pause))

    async def _bursts(self, page: str, rounds: int, users: int) -> list[float]:
        clients = [self._client() for _ in range(users)]
        found: list[float] = []
        for _ in range(rounds):
            found += await asyncio.gather(*(self._ask(client, page) for client in clients))
        for client in clients:
            await client.aclose()
        return found

    async def _shift(self, seconds: float, pause: float) -> dict[str, list[float]]:
        found: dict[str, list[float]] = {page: [] for page in PAGES}
        until = time.perf_counter() + seconds

        async def person() -> None:
            async with self._client() as client:
                await asyncio.sleep(self.chance.uniform(0, pause))
                while time.perf_counter() < until:
                    page = self.chance.choices(list(PAGES), _HABITS)[0]
                    found[page].append(await self._ask(client, page))
                    await asyncio.sleep(self.chance.expovariate(1 / pause))

        await asyncio.gather(*(person() for _ in range(self.users)))
        return found

    async def _ask(self, client: httpx.AsyncClient, page: str) -> float:
        path = PAGES[page][0].format(
            n=100 + self.chance.randrange(self.incidents), user=f"{self.chance.randrange(1000):04}"
        )
        start = time.perf_counter()
        answer = await client.get(path)
        took = time.perf_counter() - start
        if answer.status_code != 200:
            raise SystemExit(f"{path}: {answer.status_code} {answer.text[:200]}")
        return took

    def _used(self) -> float:
        return sum(map(_seconds, self.consoles))

    def _client(self) -> httpx.AsyncClient:
        return httpx.AsyncClient(base_url=self.address, cookies=dict([self.cookie]), timeout=120)


_HABITS = (30, 40, 10, 4, 4, 4, 4, 4)
"""How often a page is asked for beside the others: people live in the queue and the incidents."""


def p95(seconds: list[float]) -> float:
    """The time that 95 of 100 calls stay under."""
    return statistics.quantiles(seconds, n=20, method="inclusive")[18] if len(seconds) > 1 else seconds[0]


def _seconds(process: int) -> float:
    """User and system seconds of a process (proc(5), fields 14 and 15, in hundredths)."""
    fields = Path(f"/proc/{process}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / 100
