"""Signals to alerts, in order of arrival.

The correlator's state is saved in parts, those that changed, and its place after them: a crash in between leaves parts
that are further than the place, and what they have seen is read again and known.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta

from hinomi import signal
from hinomi.alert import Alert
from hinomi.clock import Clock
from hinomi.ledger import Ledger
from hinomi.store import Events, Records
from ops.watch import LiveRules
from rules.correlation import Correlator
from rules.engine import RuleSet

_SAVE_EVERY = 2.0
_SAVE_SHARE = 0.05  # of the time at most goes into saving, however large the state is
_STATE = ("state", "correlator")
Give = Callable[[Sequence[Alert]], object]


@dataclass(slots=True)
class Detection:
    """Follows the signals. late: how late, in event time, one may come and still count."""

    events: Events
    records: Records
    rules: LiveRules
    clock: Clock
    late: timedelta
    ledger: Ledger = field(default_factory=Ledger)
    after: str | None = None
    _correlator: Correlator | None = None
    _set: RuleSet | None = None
    _saved: float = 0.0
    _took: float = 0.0
    _version: int = 0
    _parts: set[str] = field(default_factory=set)

    def turn(self, give: Give) -> None:
        """Take in the signals that came; hand over the alerts that are new or grew, the newest first."""
        alerts: dict[str, Alert] = {}
        after = self.after
        for token, frame in self.events.since(signal.DATASET, self.after):
            for alert in self.correlator().feed(frame):
                alerts[alert.id] = alert
            after = token
        if after == self.after:
            return
        # Alerts are given before the place is kept: a crash in between makes the same alerts again, under the same ids.
        give(sorted(alerts.values(), key=lambda alert: (alert.last, alert.id), reverse=True))
        self.after = after
        if time.monotonic() - self._saved > max(_SAVE_EVERY, self._took / _SAVE_SHARE):
            self.save()

    def correlator(self) -> Correlator:
        """The correlator of the rules in force."""
        rules = self.rules()
        if self._correlator is None or rules is not self._set:
            fresh = Correlator.of(rules, self.clock, lateness=self.late, ledger=self.ledger)
            if self._correlator is not None:
                fresh.take_over(self._correlator)
            self._correlator, self._set = fresh, rules
        return self._correlator

    def load(self) -> None:
        """Go on from what was saved last, by whichever process."""
        self._correlator, held = None, self.records.get(*_STATE)
        self.after, self._version, self._parts = None, 0, set()
        if held is None:
            return
        self.after, self._version = held.body["after"], held.version
        self._parts = set(held.body.get("parts", ()))
        for name in self._parts:
            if (part := self.records.get(_STATE[0], f"{_STATE[1]}-{name}")) is not None:
                self.correlator().load(part.body)
        if "state" in held.body:  # of a release that kept it in one piece
            self.correlator().load(held.body["state"])

    def save(self) -> None:
        """The correlator's parts that changed, then the place: what came since the last saving is read and worked out
        again after a crash. Raises Conflict where another process has saved since."""
        began = time.monotonic()
        for name, part in self.correlator().changes().items():
            self.records.put(_STATE[0], f"{_STATE[1]}-{name}", part)
            self._parts.add(name)
        body = {"after": self.after, "parts": sorted(self._parts)}
        self._version = self.records.put(*_STATE, body, expect=self._version).version
        self._saved = time.monotonic()
        self._took = self._saved - began
