"""How long each stage of the pipeline takes, for the benchmark, the metrics and the doctor."""

import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field


@dataclass(slots=True)
class Stages:
    """Seconds of wall time by stage since the start."""

    seconds: Counter[str] = field(default_factory=Counter)

    @contextmanager
    def timed(self, stage: str) -> Iterator[None]:
        """Add the time that the block takes to the stage."""
        start = time.perf_counter()
        try:
            yield
        finally:
            self.seconds[stage] += time.perf_counter() - start  # type: ignore[assignment]  # floats count too

    def shares(self) -> dict[str, float]:
        """Each stage's part of the whole, 0 to 1."""
        total = sum(self.seconds.values()) or 1.0
        return {stage: spent / total for stage, spent in self.seconds.most_common()}
