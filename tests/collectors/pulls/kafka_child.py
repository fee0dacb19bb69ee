"""A process that reads Kafka until it is ended or has seen enough: settings (JSON), spool folder, a step to die at."""

import asyncio
import json
import sys
from pathlib import Path

from collectors.kafka.consumer import Group
from collectors.pulls import kinds
from collectors.pulls.kafka import KafkaReader
from collectors.transports.health import ListenerHealth
from hinomi.ledger import Ledger
from tests.collectors.pulls.child import at_work, die_at


async def reads(
    pull: KafkaReader, folder: Path, enough: int, *, health: ListenerHealth | None = None, seconds: float = 40
) -> Ledger:
    """Read until so many messages were spooled, then until what was read is committed. Raises what a round raises."""
    ledger, said = Ledger(), health or ListenerHealth("hub", pull.kind)
    async with at_work(pull, folder, ledger, said) as own:
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
    if isinstance(ended[0], Exception):
        raise ended[0]
    return ledger


def main() -> None:
    """As above."""
    told, folder, step, enough = sys.argv[1:]
    die_at(step, {"commit": (Group, "done")})
    given = json.loads(told)
    pull = kinds()[given["kind"]].model_validate(given)
    assert isinstance(pull, KafkaReader)
    asyncio.run(reads(pull, Path(folder), int(enough)))


if __name__ == "__main__":
    main()
