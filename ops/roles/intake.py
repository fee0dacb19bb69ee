"""The intake process: every listener, writing the spool. Its only secrets are TLS keys and intake tokens."""

import asyncio
import signal
from typing import Any

from collectors.spool import Spool
from collectors.transports import serve
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
    most = settings.spool.max_mib << 20
    spool = Spool(process.data / "spool", max_bytes=most, lanes=settings.workers, quick=True, ledger=ledger)
    started: asyncio.Future[Health] = loop.create_future()
    serving = asyncio.create_task(serve(settings.listen, spool, ledger, ready=started.set_result, stop=stop))
    waiting: list[asyncio.Future[Any]] = [serving, started]
    await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
    while not serving.done():
        await counts.save_aside(ledger)
        process.ready(listeners=started.result().as_dict(), spool_used=spool.used, spool_max=spool.max_bytes)
        await asyncio.wait([serving], timeout=_SAY_EVERY)
    await serving
    await spool.close()
    await counts.save_aside(ledger)


if __name__ == "__main__":
    role("intake", lambda process: asyncio.run(_run(process)))
