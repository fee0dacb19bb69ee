"""How often playbooks may act and try: so many acts of a kind in an hour, so many retries, with pauses that grow."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from hinomi.clock import Clock
from hinomi.store import Records
from responders.playbooks.playbook import Playbook
from responders.playbooks.run import KIND, Run, RunStep

_AN_HOUR = timedelta(hours=1)
_FIRST, _LONGEST = timedelta(seconds=5), timedelta(minutes=10)


@dataclass(frozen=True, slots=True)
class Limits:
    """What the playbooks declare, held against what the runs have done."""

    records: Records
    clock: Clock
    playbooks: Mapping[str, Playbook]

    def reached(self, run: Run, step: RunStep) -> bool:
        """Whether this kind of act has reached its limit for the hour; the step then waits."""
        since = self.clock.now() - _AN_HOUR
        recent = sum(
            one.act == step.act and one.started is not None and one.started > since
            for record in self.records.find(KIND, limit=100_000)
            for one in Run.model_validate(record.body).steps
        )
        return recent >= self._declared(run, step)[0]

    def retries(self, run: Run, step: RunStep) -> int:
        """How often the step may be tried again when its target does not answer."""
        return self._declared(run, step)[1]

    def again_at(self, attempts: int) -> datetime:
        """When to try again after so many attempts: 5, 10, 20 seconds … up to ten minutes later."""
        pause = _LONGEST if attempts > 10 else min(_FIRST * 2 ** max(attempts - 1, 0), _LONGEST)
        return self.clock.now() + pause

    def waits(self, step: RunStep) -> bool:
        """Whether the step's pause is not over yet."""
        return step.again_at is not None and self.clock.now() < step.again_at

    def _declared(self, run: Run, step: RunStep) -> tuple[int, int]:
        playbook = self.playbooks.get(run.playbook)
        declared = next((one for one in playbook.steps if one.act == step.act), None) if playbook else None
        return (declared.an_hour, declared.retries) if declared else (1, 0)
