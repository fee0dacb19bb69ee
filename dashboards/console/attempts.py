"""Limits how often a password may be tried, over all processes of the console and over restarts.

Records of kind `attempt`, keyed by a hash: what was typed as a name may be a password. A try is noted before the
password is looked at, so that many at the same moment do not slip through; who gets in takes theirs back.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial

from hinomi.clock import Clock
from hinomi.errors import Conflict
from hinomi.identity import digest
from hinomi.store import Record, Records

KIND = "attempt"
WINDOW = timedelta(minutes=15)
PAIR, ADDRESS, ACCOUNT = 5, 30, 20
_TRIES, _SWEPT = 50, 500


@dataclass(frozen=True, slots=True)
class Attempts:
    """Failures of the last 15 minutes by account and address, by address, and by account.

    The account's own limit is wider than the pair's: a stranger can slow a person down, not lock them out
    from the place where they sit with 5 tries.
    """

    records: Records
    clock: Clock

    def begin(self, account: str, address: str) -> bool:
        """Note a try and say whether it may be made. The same for accounts that do not exist."""
        taken: list[str] = []
        for key, limit in _keys(account, address):
            if not self._change(key, partial(self._one_more, limit)):
                for other in taken:
                    self._change(other, _one_less)
                return False
            taken.append(key)
        return True

    def passed(self, account: str, address: str) -> None:
        """That try was right: it does not count, and one step of signing in is done."""
        for key, _ in _keys(account, address):
            self._change(key, _one_less)

    def succeeded(self, account: str, address: str) -> None:
        """The person got in: their own slips no longer count."""
        self.passed(account, address)
        self.records.delete(KIND, _keys(account, address)[0][0])
        self._sweep()

    def _one_more(self, most: int, times: list[datetime]) -> list[datetime] | None:
        return [*times, self.clock.now()] if len(times) < most else None

    def _change(self, key: str, change: Callable[[list[datetime]], list[datetime] | None]) -> bool:
        """Change the recent tries under the key; False where `change` refuses. Raises Conflict when others never pause."""
        for left in reversed(range(_TRIES)):
            held = self.records.get(KIND, key)
            wanted = change(self._recent(held))
            if wanted is None:
                return False
            try:
                body = {"times": [time.isoformat() for time in wanted]}
                self.records.put(KIND, key, body, expect=held.version if held else 0)
            except Conflict:
                if not left:
                    raise
            else:
                return True
        return False

    def _recent(self, held: Record | None) -> list[datetime]:
        times = [datetime.fromisoformat(text) for text in held.body["times"]] if held else []
        return [time for time in times if self.clock.now() - time <= WINDOW]

    def _sweep(self) -> None:
        for record in self.records.find(KIND, limit=_SWEPT):
            if not self._recent(record):
                self.records.delete(KIND, record.id)


def _one_less(times: list[datetime]) -> list[datetime]:
    return times[:-1]


def _keys(account: str, address: str) -> tuple[tuple[str, int], ...]:
    name = account.strip().lower()[:64]
    return (
        (digest("pair", name, address), PAIR),
        (digest("address", address), ADDRESS),
        (digest("account", name), ACCOUNT),
    )
