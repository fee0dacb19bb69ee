"""Time as a dependency: every part that asks for the time takes a Clock."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Protocol
from zoneinfo import ZoneInfo

JST = ZoneInfo("Asia/Tokyo")


class Clock(Protocol):
    """Something that knows the time."""

    def now(self) -> datetime:
        """The time now, zoned, UTC."""
        ...


@dataclass(frozen=True, slots=True)
class SystemClock:
    """The machine's clock."""

    def now(self) -> datetime:
        """The time now in UTC."""
        return datetime.now(UTC)


@dataclass(slots=True)
class FixedClock:
    """A clock that moves only when told; for tests, simulations and drills."""

    time: datetime

    def now(self) -> datetime:
        """The time it was set to."""
        return self.time

    def advance(self, by: timedelta) -> None:
        """Move the clock forward."""
        self.time += by


def today() -> date:
    """The day in Japan, whatever zone the machine keeps: the last day of what people decide is one of theirs."""
    return datetime.now(JST).date()
