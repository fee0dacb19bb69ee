"""Running all pulls of one process: each asks by its own rhythm; what it got is spooled before its cursor moves."""

import asyncio
import contextlib
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import orjson
import structlog

from collectors import unopened
from collectors.pulls import findings
from collectors.pulls.findings import Finding
from collectors.pulls.pull import Cursor, Page, Pull
from collectors.pulls.streams import PartlyRefused
from collectors.pulls.work import Work
from collectors.spool import Spool
from collectors.transports.health import Health, ListenerHealth, Note
from collectors.transports.inlet import Held, Inlet
from hinomi.clock import Clock
from hinomi.durable import write_durably
from hinomi.errors import HinomiError
from hinomi.identity import digest
from hinomi.ledger import Ledger

log = structlog.get_logger()
_REMEMBERED = 200_000
_LONGEST_PAUSE = 900.0
_PORTION = 2_000
_NOTES = 5


async def serve_pulls(
    pulls: Mapping[str, Pull],
    spool: Spool,
    ledger: Ledger,
    *,
    clock: Clock,
    ready: Callable[[Health], None],
    stop: asyncio.Event,
) -> None:
    """Run every pull until `stop`. The spool is left open for the caller to close.

    A pull that fails says so in its health and is tried again, ever more slowly; the others go on.
    """
    health, held = Health(), Held()
    state = spool.folder / "cursors"
    state.mkdir(exist_ok=True)
    rounds = []
    for name, pull in pulls.items():
        said = ListenerHealth(name, pull.kind, address=pull.address())
        health.listeners[name] = said
        inlets = inlets_of(pull, name, spool, ledger, said, held)
        rounds.append(Rounds(pull, inlets, state / f"{digest(name)[:16]}.json", clock))
    ready(health)
    tasks = [asyncio.create_task(one.run()) for one in rounds]
    await stop.wait()
    for task in tasks:
        task.cancel()  # a page that is not spooled whole is asked for again; what it held is known by its id
    await asyncio.gather(*tasks, return_exceptions=True)


def inlets_of(
    pull: Pull, name: str, spool: Spool, ledger: Ledger, health: ListenerHealth, held: Held
) -> dict[str, Inlet]:
    """By the format of what it spools, see `Pull.origins`; and those of what cannot be opened or brought."""
    own = (unopened.ORIGIN, findings.ORIGIN)
    origins = {**pull.origins(name), **dict(zip(own, own, strict=True))}
    return {source: Inlet(origin, spool, ledger, health, held) for source, origin in origins.items()}


@dataclass(slots=True)
class Rounds:
    """One pull while it runs. inlets: see `inlets_of`.

    Identities of late are remembered, so that an overlap costs no disk.
    """

    pull: Pull
    inlets: Mapping[str, Inlet]
    record: Path
    clock: Clock
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
    _lately: dict[str, None] = field(default_factory=dict)
    _saved: Cursor | None = None

    @property
    def inlet(self) -> Inlet:
        """That of the pull's own format."""
        return self.inlets[self.pull.source]

    async def run(self) -> None:
        """For ever."""
        pause = self.pull.every
        while True:
            began = time.monotonic()
            try:
                await self.once()
            except PartlyRefused as error:
                pause = self._partly(error)
            except HinomiError as error:
                pause = self._down(error.ja, error.en, pause)
            except Exception as error:  # an answer that is not as documented must not end the others
                what = f"{type(error).__name__}: {error}"[:200]
                pause = self._down(
                    f"応答を読めません({what})。", f"the answer cannot be read ({what})", pause
                )
            else:
                pause = self.pull.every
            await asyncio.sleep(max(pause - (time.monotonic() - began), 0.0))

    async def once(self) -> None:
        """One round. Raises HinomiError."""
        health = self.inlet.health
        work = Work(self.inlet.origin, self.clock, self.sleep, health, self.inlet.ledger)
        pages = self.pull.round(work, self._cursor())
        async with contextlib.aclosing(pages):  # type: ignore[type-var]
            async for page in pages:
                await self._take(page)
                health.up, health.problem = True, work.problem
        health.up, health.problem = True, work.problem

    async def _take(self, page: Page) -> None:
        await self._tell(page.findings)
        inlet = self.inlets[page.source or self.pull.source]
        first = {identity: i for i, identity in reversed(list(enumerate(page.ids)))}
        fresh = sorted(i for identity, i in first.items() if identity not in self._lately)
        known = len(page.ids) - len(fresh)
        if known:
            inlet.ledger.count("duplicate", known, dataset=inlet.origin, reason="pulled_again")
        for start in range(0, len(fresh), _PORTION):
            part = fresh[start : start + _PORTION]
            payloads, ids = [page.payloads[i] for i in part], [page.ids[i] for i in part]
            await inlet.deliver(page.sender or self.pull.address(), payloads, ids)
            self._remember(ids)
        if page.cursor != self._saved:
            await asyncio.to_thread(write_durably, self.record, orjson.dumps(dict(page.cursor)))
            self._saved = page.cursor

    async def _tell(self, found: Sequence[Finding]) -> None:
        """Spool what could not be brought as lines of Hinomi's own, count it, and keep the latest for the doctor."""
        name, health = self.inlet.origin, self.inlet.health
        for one in found:
            identity = one.identity(name)
            if identity in self._lately:
                continue
            await self.inlets[findings.ORIGIN].deliver(self.pull.address(), [one.line(name)], [identity])
            self._remember([identity])
            self.inlet.ledger.count("dropped", max(one.n, 1), dataset=name, reason=one.kind)
            health.errors[one.kind] += 1
            health.notes = [*health.notes[1 - _NOTES :], Note(one.said.ja, one.said.en, bad=True)]

    def _remember(self, ids: list[str]) -> None:
        self._lately.update(dict.fromkeys(ids))
        while len(self._lately) > _REMEMBERED:
            del self._lately[next(iter(self._lately))]

    def _cursor(self) -> Cursor:
        try:
            found = orjson.loads(self.record.read_bytes())
        except (FileNotFoundError, orjson.JSONDecodeError):
            found = {}  # better twice than never: identities tell what is known
        self._saved = found if isinstance(found, dict) else {}
        return self._saved

    def _partly(self, error: PartlyRefused) -> float:
        """Some records come, and go on coming by the usual rhythm; somebody should look at the others."""
        health = self.inlet.health
        health.up, health.problem = True, error.ja
        health.errors["partly_refused"] += 1
        log.error("pull partly refused", pull=self.inlet.origin, reason=error.en)
        return self.pull.every

    def _down(self, ja: str, en: str, pause: float) -> float:
        health = self.inlet.health
        health.up, health.problem = False, ja
        health.errors["round_failed"] += 1
        log.error("pull failed; trying again", pull=self.inlet.origin, reason=en)
        return min(max(pause, self.pull.every) * 2, _LONGEST_PAUSE)
