"""The detect process: signals to alerts, handed over in records. Of several, one leads and the others stand by."""

import time
from dataclasses import dataclass

from hinomi.errors import HinomiError
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

_PAUSE = 0.3
_SAY_EVERY = 1.0


@dataclass(slots=True)
class Detect:
    """Correlates while it leads."""

    role: Role
    leading: Leading
    detection: Detection
    handover: Handover
    counts: Counts
    _said: float = 0.0

    def run(self) -> None:
        """Until told to stop."""
        self._compile()
        while not self.role.stop.is_set():
            if self.leading.now(self.detection.load):
                self._turn()
            self._say()
            self.role.stop.wait(_PAUSE)
        if self.leading.lease.held():
            self.detection.save()

    def _compile(self) -> None:
        """Before it is needed: taking over must be quick. What cannot be compiled now is tried again in each turn."""
        try:
            self.detection.correlator()
        except Exception as error:  # whatever the rules hold
            log.error("detect_failed", reason=_said(error))

    def _turn(self) -> None:
        try:
            self.detection.turn(self.handover.give)
            if isinstance(self.detection.events, ElasticEvents):
                rules = self.detection.rules()
                Inside(self.detection.events, rules, self.role.clock).run_due(self.detection.records)
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


def _said(error: Exception) -> str:
    return str(error) if isinstance(error, HinomiError) else f"{type(error).__name__}: {error}"


def _run(process: Role) -> None:
    events, records = process.events(), process.records()
    with Leading.of("detect", process) as leading:
        fenced = Fenced(records, leading.lease)
        rules = LiveRules(process.settings.rules_in_force(process.data), cache_folder())
        detection = Detection(events, fenced, rules, process.clock, process.settings.rules.lateness)
        Detect(process, leading, detection, Handover(fenced), Counts(records, process.label)).run()


if __name__ == "__main__":
    role("detect", _run)
