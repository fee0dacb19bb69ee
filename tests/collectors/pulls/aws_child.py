"""A pull process that is killed at a step: settings (JSON), spool folder, the step."""

import asyncio
import json
import os
import signal
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from collectors import unopened
from collectors.aws.queue import Queue
from collectors.pulls.aws_s3 import AwsS3
from collectors.pulls.run import Rounds
from collectors.spool import Spool
from collectors.transports.health import ListenerHealth
from collectors.transports.inlet import Held, Inlet
from hinomi.clock import SystemClock
from hinomi.ledger import Ledger


async def rounds(pull: AwsS3, folder: Path, ledger: Ledger, health: ListenerHealth) -> None:
    """One round with a spool that is opened for it."""
    spool = Spool(folder, max_bytes=1 << 30, ledger=ledger)
    origins = {**pull.origins("aws"), unopened.ORIGIN: unopened.ORIGIN}
    inlets = {source: Inlet(origin, spool, ledger, health, Held()) for source, origin in origins.items()}
    own = Rounds(pull, inlets, folder / "cursor.json", SystemClock())
    try:
        await own.once()
    finally:
        await spool.close()


def _killed(call: Callable[..., Awaitable[Any]], *, before: bool) -> Callable[..., Awaitable[Any]]:
    async def dies(*given: Any, **more: Any) -> Any:
        if not before:
            await call(*given, **more)
        os.kill(os.getpid(), signal.SIGKILL)

    return dies


def main() -> None:
    """One round, or less."""
    told, folder, step = sys.argv[1:]
    when, _, what = step.partition("_")
    if what == "spool":
        Inlet.deliver = _killed(Inlet.deliver, before=when == "before")  # type: ignore[assignment,method-assign]
    if what == "delete":
        Queue.delete = _killed(Queue.delete, before=when == "before")  # type: ignore[assignment,method-assign]
    pull = AwsS3.model_validate(json.loads(told))
    asyncio.run(rounds(pull, Path(folder), Ledger(), ListenerHealth("aws", "aws_s3")))


if __name__ == "__main__":
    main()
