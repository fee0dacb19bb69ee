"""How often playbooks may act and try: so many acts of a kind in an hour, so many retries, with pauses that grow."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from hinomi.clock import Clock
from hinomi.errors import Conflict
from hinomi.pauses import growing
from hinomi.store import Records
from responders.connectors.actions import ACTIONS, Reach
from responders.playbooks.run import Run, RunStep
from responders.playbooks.settings import AN_HOUR

_AN_HOUR = timedelta(hours=1)
_FIRST, _LONGEST = timedelta(seconds=5), timedelta(minutes=10)
_RECENT = ("recent_acts", "all")


@dataclass(frozen=True, slots=True)
class Limits:
    """What the plan and the city allow, held against what was begun within the hour.

    The acts of the last hour stand in one small record, so that asking costs the same after years of runs.
    """

    records: Records
    clock: Clock
    an_hour: Mapping[Reach, int]

    def reserve(self, run: Run, step: RunStep) -> bool:
        """Take one of the hour's acts for this step, for good; False when the limit is reached: the step then waits."""
        key, now = f"{run.id}.{step.index}", self.clock.now()
        while True:
            held = self.records.get(*_RECENT)
            recent = _since(held.body["acts"] if held else {}, now - _AN_HOUR)
            if key in recent:
                return True  # reserved before a crash
            if self._full(recent, step):
                return False
            recent[key] = {"at": now.isoformat(), "act": step.act}
            try:
                self.records.put(*_RECENT, {"acts": recent}, expect=held.version if held else 0)
            except Conflict:
                continue
            return True

    def _full(self, recent: Mapping[str, Mapping[str, str]], step: RunStep) -> bool:
        own = sum(one["act"] == step.act for one in recent.values())
        reach = ACTIONS[step.act].reach
        alike = sum(ACTIONS[one["act"]].reach is reach for one in recent.values())
        return own >= step.an_hour or alike >= self.an_hour.get(reach, AN_HOUR[reach])

    def again_at(self, attempts: int, asked: float = 0) -> datetime:
        """When to try again after so many attempts: 5, 10, 20 seconds … up to ten minutes later. asked: seconds that the target
        wants to be left alone, of which ten minutes are kept to as well."""
        wanted = min(timedelta(seconds=asked), _LONGEST)
        return self.clock.now() + max(growing(_FIRST, _LONGEST, attempts), wanted)

    def waits(self, step: RunStep) -> bool:
        """Whether the step's pause is not over yet. One that is longer than any is from before the clock was set back."""
        now = self.clock.now()
        return step.again_at is not None and now < step.again_at <= now + _LONGEST

    def late(self, step: RunStep) -> bool:
        """Whether the step has taken longer than the plan gives it."""
        began = step.started
        given = timedelta(minutes=step.within_minutes) if step.within_minutes else None
        return bool(began and given and self.clock.now() >= began + given)


def _since(acts: Mapping[str, Mapping[str, str]], start: datetime) -> dict[str, Mapping[str, str]]:
    return {
        key: one
        for key, one in acts.items()
        if datetime.fromisoformat(one["at"]) > start and one["act"] in ACTIONS
    }
