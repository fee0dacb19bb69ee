"""Which senders are quiet: their lines take a lane of their own, so that a server's log never waits behind a firewall's.

A leaky bucket a sender: it runs out at `LINES` a second and holds `BURST`. Whoever overflows it is loud until a minute has
passed since. Order within a sender holds but for the moment at which it changes sides; correlations count in event time.
"""

from collections.abc import Callable
from dataclasses import dataclass, field

LINES = 200.0
BURST = 2_000.0
_CALM = 60.0
_SENDERS = 20_000  # forged addresses must not grow the table for ever


@dataclass(slots=True)
class _Bucket:
    level: float
    at: float
    loud_until: float = 0.0


@dataclass(slots=True)
class Pace:
    """now: seconds of a clock that never goes back."""

    now: Callable[[], float]
    _buckets: dict[tuple[str, str], _Bucket] = field(default_factory=dict)

    def quiet(self, sender: tuple[str, str], lines: int) -> bool:
        """Whether a sender (listener, address) is quiet, having sent so many lines now."""
        now = self.now()
        bucket = self._buckets.get(sender)
        if bucket is None:
            if len(self._buckets) >= _SENDERS:
                self._buckets.clear()
            bucket = self._buckets[sender] = _Bucket(0.0, now)
        bucket.level = max(0.0, bucket.level - (now - bucket.at) * LINES) + lines
        bucket.at = now
        if bucket.level > BURST:
            bucket.level, bucket.loud_until = BURST, now + _CALM
        return now >= bucket.loud_until
