"""Limits how often a password may be tried. In memory: a restart forgets, but argon2 still costs."""

from collections import defaultdict, deque
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from hinomi.clock import Clock

WINDOW = timedelta(minutes=15)
PAIR, ADDRESS, ACCOUNT = 5, 30, 20
_MOST_KEYS = 20_000


@dataclass(slots=True)
class Attempts:
    """Failures of the last 15 minutes by account and address, by address, and by account.

    The account's own limit is wider than the pair's: a stranger can slow a person down, not lock them out
    from the place where they sit with 5 tries.
    """

    clock: Clock
    failures: dict[str, deque[datetime]] = field(default_factory=lambda: defaultdict(deque))

    def allowed(self, account: str, address: str) -> bool:
        """Whether a try may be made now. The same for accounts that do not exist."""
        return all(self._recent(key) < limit for key, limit in _keys(account, address))

    def failed(self, account: str, address: str) -> None:
        """Note a failure."""
        if len(self.failures) > _MOST_KEYS:
            self._forget()
        for key, _ in _keys(account, address):
            self.failures[key].append(self.clock.now())

    def succeeded(self, account: str, address: str) -> None:
        """The person got in: their own slips no longer count."""
        self.failures.pop(_keys(account, address)[0][0], None)

    def _recent(self, key: str) -> int:
        held = self.failures.get(key)
        if held is None:
            return 0
        while held and self.clock.now() - held[0] > WINDOW:
            held.popleft()
        return len(held)

    def _forget(self) -> None:
        for key in [key for key in self.failures if not self._recent(key)]:
            del self.failures[key]


def _keys(account: str, address: str) -> tuple[tuple[str, int], ...]:
    name = account.strip().lower()[:64]
    return ((f"pair|{name}|{address}", PAIR), (f"address|{address}", ADDRESS), (f"account|{name}", ACCOUNT))
