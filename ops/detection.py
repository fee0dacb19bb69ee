"""Signals to alerts, in order of arrival; alerts are handed over the gravest first, a portion a turn.

In a storm a turn takes no longer than half a second, so that people are called between two portions; what is left is kept
in memory. Nothing is saved while something is left: after a crash it is read and worked out again.

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
from hinomi.errors import Conflict, PartDamaged, StoreError
from hinomi.faults import Faults
from hinomi.ledger import Ledger
from hinomi.store import Events, Records
from ops.journal import log
from ops.watch import LiveRules
from rules.correlation import Correlator
from rules.engine import RuleSet
from rules.stats import Tally

_SAVE_EVERY = 2.0
_SAVE_SHARE = 0.05  # of the time at most goes into saving, however large the state is
_STATE = ("state", "correlator")
_TURN = 0.5  # seconds of handing over before people are called
_PORTION = 20
_LONGEST = 300.0  # seconds for which alerts may be left: then all are handed over, so that a place is saved
Give = Callable[[Sequence[Alert]], object]


@dataclass(slots=True)
class Detection:
    """Follows the signals. late: how late, in event time, one may come and still count; tally: where it is counted what each
    correlation and baseline costs."""

    events: Events
    records: Records
    rules: LiveRules
    clock: Clock
    late: timedelta
    ledger: Ledger = field(default_factory=Ledger)
    tally: Tally | None = None
    after: str | None = None
    _correlator: Correlator | None = None
    _set: RuleSet | None = None
    _saved: float = 0.0
    _took: float = 0.0
    _version: int = 0
    _parts: set[str] = field(default_factory=set)
    _read: str | None = None
    _left: dict[str, Alert] = field(default_factory=dict)
    _behind: float = 0.0
    _refused: str = ""
    _tally_refused: bool = False

    def turn(self, give: Give) -> bool:
        """Take in the signals that came; hand over alerts that are new or grew. True when some are left."""
        try:
            self._follow()
        except PartDamaged as error:
            self._pass_over(error)
        if self._read is None or (self._read == self.after and not self._left):
            return False
        self._hand_over(give)
        if self._left:
            return True
        # Alerts are given before the place is kept: a crash in between makes the same alerts again, under the same ids.
        self.after, self._behind = self._read, 0.0
        if time.monotonic() - self._saved > max(_SAVE_EVERY, self._took / _SAVE_SHARE):
            self.save()
        return False

    def _follow(self) -> None:
        for token, frame in self.events.since(signal.DATASET, self._read or self.after):
            for alert in self.correlator().feed(frame):
                self._left[alert.id] = alert
            self._read = token

    def _pass_over(self, error: PartDamaged) -> None:
        """Signals of a damaged file are counted as lost, and those behind it go on to be alerts."""
        self.ledger.count("dropped", error.events, dataset=signal.DATASET, reason="part_damaged")
        log.error("signals_passed_over", events=error.events, reason=str(error))
        self._read = error.behind

    def _hand_over(self, give: Give) -> None:
        """The gravest and newest first, in portions, until they are all given or the turn is over.

        A portion that raises is left, to be given again; those behind it are given, then it is raised.
        """
        began = time.monotonic()
        self._behind = self._behind or began
        until = began + (_TURN if began - self._behind < _LONGEST else float("inf"))
        ordered = sorted(
            self._left.values(), key=lambda one: (one.level.rank, one.last, one.id), reverse=True
        )
        with Faults() as faults:
            for start in range(0, len(ordered), _PORTION):
                portion = ordered[start : start + _PORTION]
                with faults.kept():
                    give(portion)
                    for alert in portion:
                        del self._left[alert.id]
                if time.monotonic() > until:
                    return

    def correlator(self) -> Correlator:
        """The correlator of the rules in force; the one before where none can be made of them, which is said."""
        rules = self.rules()
        if self._correlator is None or rules is not self._set:
            self._correlator, self._set = self._renewed(rules), rules
        return self._correlator

    def _renewed(self, rules: RuleSet) -> Correlator:
        self._refused = ""
        try:
            fresh = Correlator.of(rules, self.clock, lateness=self.late, ledger=self.ledger)
            if self._correlator is not None:
                fresh.take_over(self._correlator)
        except Exception as error:  # whatever the rules hold: people must be called by those that were good
            if self._correlator is None:
                raise
            self._refused = f"{type(error).__name__}: {error}"
            log.error("correlator_not_renewed", reason=self._refused)
            return self._correlator
        return fresh

    def problems(self) -> list[str]:
        """What of the rules cannot run, as far as they were made ready."""
        found = [] if self._correlator is None else [str(one) for one in self._correlator.problems]
        return [*found, self._refused] if self._refused else found

    def load(self) -> None:
        """Go on from what was saved last, by whichever process."""
        self._correlator, held = None, self.records.get(*_STATE)
        self.after, self._version, self._parts = None, 0, set()
        self._read, self._left, self._behind = None, {}, 0.0
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
        if self._left:
            return
        began = time.monotonic()
        for name, part in self.correlator().changes().items():
            self.records.put(_STATE[0], f"{_STATE[1]}-{name}", part)
            self._parts.add(name)
        body = {"after": self.after, "parts": sorted(self._parts)}
        self._version = self.records.put(*_STATE, body, expect=self._version).version
        self._saved = time.monotonic()
        self._took = self._saved - began
        if self.tally is not None:
            self.tally.fed(self.correlator().costs.take())
            self._save_tally(self.tally)

    def close(self) -> None:
        """The last saving before a stop. Where the store fails, whoever begins next reads and works out again what came since the one
        before, as after a crash."""
        try:
            self.save()
        except StoreError as error:
            log.error("detection_not_saved", reason=str(error))

    def _save_tally(self, tally: Tally) -> None:
        """What cannot be saved stays counted and is said once, until it can be again: detection goes on without it."""
        try:
            tally.save()
        except Conflict:  # somebody else writes what is ours
            raise
        except StoreError as error:
            if not self._tally_refused:
                log.warning("rule_stats_not_saved", reason=str(error))
            self._tally_refused = True
        else:
            self._tally_refused = False
