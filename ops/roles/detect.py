"""The detect process: signals to alerts, handed over in records. Of several, one leads and the others stand by."""

import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field

from hinomi.clock import Clock
from hinomi.errors import HinomiError
from hinomi.store import Events, Records
from hinomi.store.elastic.events import ElasticEvents
from ops.counts import Counts
from ops.detection import Detection
from ops.folders import cache_folder
from ops.handover import Handover
from ops.inside import Inside
from ops.journal import log
from ops.leading import Leading
from ops.lease import Fenced
from ops.roles.start import Role, role
from ops.watch import LiveRules
from rules.engine import RuleSet
from rules.stats import Tally

_PAUSE = 0.3
_SAY_EVERY = 1.0


@dataclass(slots=True)
class Scheduled:
    """Rules that run inside the cluster, in a thread of their own: months of lines may take minutes, in which signals must
    go on to be alerts. records: those that only the leader may write."""

    events: Events
    records: Records
    clock: Clock
    stopped: Callable[[], bool]
    _pool: ThreadPoolExecutor = field(default_factory=lambda: ThreadPoolExecutor(1, "scheduled"))
    _under_way: Future[int] | None = None

    def turn(self, rules: RuleSet) -> None:
        """Begin what is due, unless what was begun is still under way. What the last one could not do is said, and done the
        next time: it is no reason to begin live detection anew."""
        if not isinstance(self.events, ElasticEvents):
            return
        if self._under_way is not None:
            if not self._under_way.done():
                return
            if (failed := self._under_way.exception()) is not None:
                log.error("scheduled_rules_failed", reason=_said(failed))
        inside = Inside(self.events, rules, self.clock)
        self._under_way = self._pool.submit(inside.run_due, self.records, self.stopped)

    def close(self) -> None:
        """Wait until the page that is being read has been read."""
        self._pool.shutdown()


@dataclass(slots=True)
class Detect:
    """Correlates while it leads."""

    role: Role
    leading: Leading
    detection: Detection
    handover: Handover
    counts: Counts
    scheduled: "Scheduled"
    _said: float = 0.0

    def run(self) -> None:
        """Until told to stop."""
        self._compile()
        while not self.role.stop.is_set():
            if self.leading.now(self.detection.load):
                self._turn()
            self._say()
            self.role.stop.wait(_PAUSE)
        try:
            if self.leading.lease.held():
                self.detection.close()
        finally:
            self.scheduled.close()

    def _compile(self) -> None:
        """Before it is needed: taking over must be quick. What cannot be compiled now is tried again in each turn."""
        try:
            self.detection.correlator()
        except Exception as error:  # whatever the rules hold
            log.error("detect_failed", reason=_said(error))

    def _turn(self) -> None:
        try:
            self.detection.turn(self.handover.give)
            self.scheduled.turn(self.detection.rules())
        except Exception as error:  # whatever the signals or the rules hold: the next turn may go
            log.error("detect_failed", reason=_said(error))
            self.leading.again()
            self.role.stop.wait(1.0)

    def _say(self) -> None:
        if time.monotonic() - self._said < _SAY_EVERY:
            return
        self._said = time.monotonic()
        try:
            self.counts.save(self.detection.ledger)
        except HinomiError as error:
            log.error("counts_not_saved", reason=str(error))
        leads, problems = self.leading.lease.held(), self.detection.problems()
        self.role.ready(after=self.detection.after, leader=leads, problems=problems)


def _said(error: BaseException) -> str:
    return str(error) if isinstance(error, HinomiError) else f"{type(error).__name__}: {error}"


def _run(process: Role) -> None:
    events, records = process.events(), process.records()
    with Leading.of("detect", process) as leading:
        fenced = Fenced(records, leading.lease)
        rules = LiveRules(process.settings.rules_in_force(process.data), cache_folder())
        tally = Tally(fenced, process.label, process.clock)
        detection = Detection(
            events, fenced, rules, process.clock, process.settings.rules.lateness, tally=tally
        )
        scheduled = Scheduled(
            events, fenced, process.clock, lambda: process.stop.is_set() or not leading.lease.held()
        )
        Detect(process, leading, detection, Handover(fenced), Counts(records, process.label), scheduled).run()


if __name__ == "__main__":
    role("detect", _run)
