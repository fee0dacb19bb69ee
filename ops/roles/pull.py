"""The pull process: asks services for their logs and writes a spool of its own. It alone holds those services' secrets."""

import asyncio
import signal
from typing import Any

from collectors.pulls.run import serve_pulls
from collectors.spool import Spool
from collectors.transports.health import Health
from hinomi.ledger import Ledger
from ops.counts import Counts
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
        await counts.save_aside(ledger)
        said = started[0].as_dict() if started else {}
        process.ready(listeners=said, spool_used=spool.used, spool_max=spool.max_bytes)
        await asyncio.wait([pulling], timeout=_SAY_EVERY)
    await pulling
    await spool.close()
    await counts.save_aside(ledger)


if __name__ == "__main__":
    role("pull", lambda process: asyncio.run(_run(process)))
