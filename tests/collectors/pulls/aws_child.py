"""A pull process that is killed at a step: settings (JSON), spool folder, the step."""

import asyncio
import json
import sys
from pathlib import Path

from collectors.aws.queue import Queue
from collectors.pulls.aws_s3 import AwsS3
from collectors.transports.health import ListenerHealth
from hinomi.ledger import Ledger
from tests.collectors.pulls.child import at_work, die_at


async def rounds(pull: AwsS3, folder: Path, ledger: Ledger, health: ListenerHealth) -> None:
    """One round with a spool that is opened for it."""
    async with at_work(pull, folder, ledger, health) as own:
        await own.once()


def main() -> None:
    """One round, or less."""
    told, folder, step = sys.argv[1:]
    die_at(step, {"delete": (Queue, "delete")})
    pull = AwsS3.model_validate(json.loads(told))
    asyncio.run(rounds(pull, Path(folder), Ledger(), ListenerHealth("aws", "aws_s3")))


if __name__ == "__main__":
    main()
