"""The worker's side of the rhythm: what it tallied, and until when it has seen everything, as records."""

import secrets
from dataclasses import dataclass, field

from collectors.rhythm import Tally
from hinomi.clock import Clock
from hinomi.ledger import Ledger
from hinomi.store import Records

KIND, THROUGH = "arrival", "arrival_through"
_EVERY = 2.0
_AWAY = 900.0
"""Seconds for which a worker may be away and still have seen everything: the spool kept it."""


@dataclass(slots=True)
class Arrivals:
    """One worker's tally. through: everything received until then is counted, seconds since 1970."""

    records: Records
    process: str
    clock: Clock
    ledger: Ledger
    tally: Tally = field(default_factory=Tally)
    through: float = 0.0
    _since: float = 0.0
    _said: float = 0.0
    _run: str = field(default_factory=lambda: secrets.token_hex(4))

    def save(self) -> None:
        """Write what changed, at most every two seconds. Raises StoreError; nothing is lost then."""
        now = self.clock.now().timestamp()
        if now - self._said < _EVERY or not self.through:
            return
        if not self._since:
            self._begin()
        self._said = now
        for slot, origins in self.tally.take(now).items():
            try:
                self._add(slot, origins)
            except BaseException:
                self.tally.changed.add(slot)
                raise
        body = {"process": self.process, "since": self._since, "through": self.through}
        self.records.put(THROUGH, self.process, body)
        unnamed, self.tally.unnamed = self.tally.unnamed, 0
        self.ledger.count("sampled", unnamed, reason="rhythm_of_too_many_senders")

    def _begin(self) -> None:
        """Since when all was seen: a restart is no gap, as what came meanwhile waited in the spool."""
        held = self.records.get(THROUGH, self.process)
        seen = held is not None and self.through - float(held.body["through"]) < _AWAY
        self._since = float(held.body["since"]) if held is not None and seen else self.through

    def _add(self, slot: int, origins: dict[str, object]) -> None:
        identity = f"{self.process}|{slot}|{self._run}"  # this run's, beside those from before a restart
        self.records.put(KIND, identity, {"slot": slot, "origins": origins})
