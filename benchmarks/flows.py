"""Flows a second of one core's time: datagrams of NetFlow 9 to lines, and these through the source.

The limit is the source of firewall lines beside it: whoever reads a firewall's log on one core reads its flows on it, too.
"""

import random
import struct
import time
from collections.abc import Callable

import polars as pl

from collectors import catalogue
from collectors.flows.decoder import Decoder
from hinomi import ecs
from tests.collectors.flows.capture import flow_set, template, version_9

_DATAGRAMS, _RECORDS = 2_000, 30
_FIELDS = ((8, 4), (12, 4), (7, 2), (11, 2), (4, 1), (1, 4), (2, 4), (22, 4), (21, 4))


def _record(chance: random.Random) -> bytes:
    source, destination = (
        bytes([192, 0, 2, chance.randrange(255)]),
        bytes([198, 51, 100, chance.randrange(255)]),
    )
    return struct.pack(
        ">4s4sHHBIIII", source, destination, chance.randrange(65535), 443, 6, 900, 3, 400_000, 500_000
    )


def _timed(work: Callable[[], int]) -> float:
    """Things a second of processor time."""
    began = time.process_time()
    n = work()
    return n / (time.process_time() - began)


def main() -> None:
    """Print both rates."""
    chance = random.Random(1)
    known = version_9(0, flow_set(0, template(256, *_FIELDS)))
    sets = [flow_set(256, b"".join(_record(chance) for _ in range(_RECORDS))) for _ in range(_DATAGRAMS)]
    datagrams = [known, *(version_9(n + 1, body) for n, body in enumerate(sets))]
    lines: list[bytes] = []

    def decode() -> int:
        lines.extend(Decoder().decode("192.0.2.254", datagrams))
        return len(lines)

    decoded = _timed(decode)
    frame = pl.DataFrame({"message": [line.decode() for line in lines], "peer": ["192.0.2.254"] * len(lines)})
    received = frame.with_columns(pl.lit(0).cast(ecs.TIME).alias("received"))
    source = catalogue.find("network.flow")
    parsed = _timed(lambda: sum(one.height for one in source.parse(received).frames))
    print(f"datagrams to lines {decoded:,.0f} flows/s of one core; through the source {parsed:,.0f} flows/s")


if __name__ == "__main__":
    main()
