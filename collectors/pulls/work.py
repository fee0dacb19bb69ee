"""What a round of a pull is given besides its own settings."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from collectors.transports.health import ListenerHealth
from hinomi.clock import Clock
from hinomi.ledger import Ledger


@dataclass(slots=True)
class Work:
    """One pull at work. name: what the city calls it; sleep: waits so many seconds; problem: what somebody should look
    at although records come, in Japanese, for the doctor."""

    name: str
    clock: Clock
    sleep: Callable[[float], Awaitable[None]]
    health: ListenerHealth
    ledger: Ledger
    problem: str = ""

    def ignored(self, n: int, reason: str) -> None:
        """Count what the service sent that is no record by its own word (a test message, a deletion)."""
        if n:
            self.ledger.count("dropped", n, dataset=self.name, reason=reason)

    def failed(self, reason: str) -> None:
        """Count what did not work and is tried again."""
        self.health.errors[reason] += 1
