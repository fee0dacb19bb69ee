"""A process that reads Kafka until it is ended or has seen enough: settings (JSON), spool folder, a step to die at."""

import asyncio
import json
import os
import signal
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from collectors.kafka.consumer import Group
from collectors.pulls import kinds
from collectors.pulls.kafka import KafkaReader
from collectors.pulls.run import Rounds
from collectors.spool import Spool
from collectors.transports.health import ListenerHealth
from collectors.transports.inlet import Held, Inlet
from hinomi.clock import SystemClock
from hinomi.ledger import Ledger


async def reads(
    pull: KafkaReader, folder: Path, enough: int, *, health: ListenerHealth | None = None, seconds: float = 40
) -> Ledger:
    """Read until so many messages were spooled, then until what was read is committed. Raises what a round raises."""
    ledger, said = Ledger(), health or ListenerHealth("hub", pull.kind)
    spool = Spool(folder, max_bytes=1 << 30, ledger=ledger)
    inlets = {
        source: Inlet(origin, spool, ledger, said, Held()) for source, origin in pull.origins("hub").items()
    }
    own = Rounds(pull, inlets, folder / "cursor.json", SystemClock())
    reading = asyncio.create_task(own.once())
    try:
        async with asyncio.timeout(seconds):
            while said.received < enough and not reading.done():
                await asyncio.sleep(0.05)
            if not reading.done():
                await asyncio.sleep(0.8)  # a further look at the topic: the last commit was before it
    finally:
        reading.cancel()
        ended = await asyncio.gather(reading, return_exceptions=True)
        await spool.close()
    if isinstance(ended[0], Exception):
        raise ended[0]
    return ledger


def _killed(call: Callable[..., Awaitable[Any]], *, before: bool) -> Callable[..., Awaitable[Any]]:
    async def dies(*given: Any, **more: Any) -> Any:
        if not before:
            await call(*given, **more)
        os.kill(os.getpid(), signal.SIGKILL)

    return dies


def main() -> None:
    """As above."""
    told, folder, step, enough = sys.argv[1:]
    when, _, what = step.partition("_")
    if what == "spool":
        Inlet.deliver = _killed(Inlet.deliver, before=when == "before")  # type: ignore[assignment,method-assign]
    if what == "commit":
        Group.done = _killed(Group.done, before=when == "before")  # type: ignore[assignment,method-assign]
    given = json.loads(told)
    pull = kinds()[given["kind"]].model_validate(given)
    assert isinstance(pull, KafkaReader)
    asyncio.run(reads(pull, Path(folder), int(enough)))


if __name__ == "__main__":
    main()
