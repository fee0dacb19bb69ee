"""A million indicators against FortiGate events: what looking for them costs of the pipeline, and memory.

Aim: less than 5 % of the processor time that the rest of the pipeline takes for the same lines (parse, enrich, mask,
match, store), measured in one run on one processor.
"""

import os
import random
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import polars as pl

    from collectors.indicators import Matcher

INDICATORS, EVENTS, BLOCK = 1_000_000, 60_000, 10_000


def main() -> None:
    """In a process of its own, with one thread."""
    environment = {**os.environ, "POLARS_MAX_THREADS": "1", "PYTHONPATH": str(Path(__file__).parents[1])}
    subprocess.run([sys.executable, "-m", "benchmarks.indicators", "measure"], env=environment, check=True)


def measure() -> None:
    """The measurement itself."""
    import polars as pl

    from benchmarks._fortigate_lines import lines
    from benchmarks.pipeline import _pipeline
    from collectors.indicators import Matcher

    now = datetime.now(UTC)
    before, began = _peak(), time.process_time()
    matcher = Matcher(_held(now), now)
    made = time.process_time() - began
    held = _peak() - before
    payload = list(lines(EVENTS))
    frame = pl.DataFrame({"payload": payload}).with_columns(
        pl.lit("fw").alias("origin"),
        pl.lit("10.0.0.1").alias("peer"),
        pl.lit("").alias("client_id"),
        pl.lit(now).cast(pl.Datetime("ns", "UTC")).alias("received"),
        pl.Series("event.id", [f"e{i}" for i in range(EVENTS)]),
    )
    with tempfile.TemporaryDirectory() as folder:
        pipeline = _pipeline(Path(folder))
        pipeline.rules()
        spent = {}
        clocked = _Clocked(matcher)
        for name, own in (("without", None), ("with", clocked)) * 2:
            pipeline.indicators = own  # type: ignore[assignment]  # a matcher with a clock
            spent[name] = spent.get(name, 0.0) + _seconds(pipeline, frame)
    looked, whole = clocked.spent / 2, spent["without"] / 2
    print(f"indicators held      {matcher.size:12,}   made ready in {made:.1f} s, {held:,.0f} MiB")
    print(f"looking for them     {looked / whole:12.1%} of the pipeline without it (aim: under 5 %)")
    print(f"whole with/without   {spent['with'] / spent['without']:12.3f}   (processor time)")


class _Clocked:
    """A matcher and the processor time that it took."""

    def __init__(self, matcher: "Matcher") -> None:
        self.matcher, self.spent = matcher, 0.0

    def mark(self, frame: "pl.DataFrame") -> "pl.DataFrame":
        """See `Matcher.mark`."""
        began = time.process_time()
        marked = self.matcher.mark(frame)
        self.spent += time.process_time() - began
        return marked


def _seconds(pipeline: Any, frame: Any) -> float:
    began = time.process_time()
    for start in range(0, EVENTS, BLOCK):
        pipeline.process(frame[start : start + BLOCK])
    return time.process_time() - began


def _held(now: datetime) -> "pl.DataFrame":
    import polars as pl

    from collectors.indicators.held import SCHEMA

    rows = pl.DataFrame(list(_values()), schema={"kind": pl.String, "value": pl.String}, orient="row")
    return rows.with_columns(
        pl.lit("feed").alias("source"),
        pl.lit(80).alias("confidence"),
        pl.lit(now).alias("since"),
        pl.lit(now + timedelta(days=90)).alias("expires"),
        pl.lit("").alias("about"),
    ).select(pl.col(name).cast(kind) for name, kind in SCHEMA.items())


def _values() -> Iterator[tuple[str, str]]:
    chance = random.Random(3)
    for number in range(INDICATORS):
        match number % 10:
            case 0 | 1 | 2:
                yield (
                    "address",
                    f"{chance.randrange(1, 223)}.{chance.randrange(256)}.{number >> 8 & 255}.{number & 255}",
                )
            case 3 | 4 | 5 | 6:
                yield "domain", f"{chance.randrange(10**9):x}{number:x}.example.net"
            case 7:
                yield "url", f"http://{number:x}.example.org/{chance.randrange(10**9):x}"
            case 8:
                yield "file", f"{chance.getrandbits(256):064x}"
            case _ if number % 1000 == 9:
                yield (
                    "network",
                    f"{chance.randrange(1, 223)}.{chance.randrange(256)}.{number >> 8 & 255}.0/24",
                )
            case _:
                yield "file", f"{chance.getrandbits(128):032x}"


def _peak() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


if __name__ == "__main__":
    measure() if sys.argv[1:] == ["measure"] else main()
