"""Whose turn it is: runs that a person has just decided on, that are new, and a portion of all others, round by round.

Whoever decides leaves a nudge, so a decision is acted on in the next round however many runs wait; what comes by time (a
request that ends, an incident that was closed) is seen when the run's portion comes round.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field

from hinomi.store import Record, Records
from responders.playbooks.run import KIND, RunState

NUDGE = "run_nudge"
_PORTION = 300
_MOVING = (RunState.UNDOING, RunState.RUNNING, RunState.PROPOSED)


def nudge(records: Records, run_id: str) -> None:
    """A person decided something about the run."""
    records.put(NUDGE, run_id, {})


@dataclass(slots=True)
class Turns:
    """Goes round over the runs that are not over."""

    records: Records
    _new: set[str] = field(default_factory=set)
    _places: dict[RunState, str] = field(default_factory=dict)

    def new(self, run_id: str) -> None:
        """The run was proposed just now."""
        self._new.add(run_id)

    def each(self) -> Iterator[Record]:
        """The runs to be looked at in this round, each once, as they are written at that moment."""
        seen: set[str] = set()
        for identity in [*self._nudged(), *self._new]:
            held = self.records.get(KIND, identity)
            if held is not None and held.body["state"] in _MOVING and identity not in seen:
                seen.add(identity)
                yield held
        self._new.clear()
        for state in _MOVING:
            for record in self._portion(state):
                if record.id not in seen:
                    seen.add(record.id)
                    yield record

    def _nudged(self) -> list[str]:
        found = [one.id for one in self.records.find(NUDGE, limit=10_000)]
        for identity in found:
            self.records.delete(NUDGE, identity)
        return found

    def _portion(self, state: RunState) -> list[Record]:
        behind = self._places.get(state, "")
        found = self.records.find(KIND, {"state": state.value}, limit=_PORTION, after=behind)
        self._places[state] = found[-1].id if len(found) == _PORTION else ""
        return found
