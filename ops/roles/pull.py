"""The pull process: asks services for their logs and writes a spool of its own. It alone holds those services' secrets."""

import asyncio
import signal
from typing import Any

from collectors.pulls.run import serve_pulls
from collectors.spool import Spool
from collectors.transports.health import Health
from hinomi.errors import StoreError
from hinomi.ledger import Ledger
from ops.counts import Counts
from ops.journal import log
from ops.roles.start import Role, role

_SAY_EVERY = 1.0


async def _run(process: Role) -> None:
    settings, ledger, stop = process.settings, Ledger(), asyncio.Event()
    counts = Counts(process.records(), process.label)
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    spool = Spool(process.data / "pull", max_bytes=settings.spool.max_mib << 20, ledger=ledger)
    started: list[Health] = []
    pulls = settings.pull
    pulling: asyncio.Task[Any] = asyncio.create_task(
        serve_pulls(pulls, spool, ledger, clock=process.clock, ready=started.append, stop=stop)
    )
    while not pulling.done():
        await _saved(counts, ledger)
        said = started[0].as_dict() if started else {}
        process.ready(listeners=said, spool_used=spool.used, spool_max=spool.max_bytes)
        await asyncio.wait([pulling], timeout=_SAY_EVERY)
    await pulling
    await spool.close()
    await _saved(counts, ledger)


async def _saved(counts: Counts, ledger: Ledger) -> None:
    """Aside, and without an end: pulling goes on while the store is away; the counts wait in the ledger."""
    try:
        await asyncio.to_thread(counts.save, ledger)
    except StoreError as error:
        log.error("counts_not_saved", reason=str(error))


if __name__ == "__main__":
    role("pull", lambda process: asyncio.run(_run(process)))
