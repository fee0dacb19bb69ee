"""Acts that end by themselves: what stands, until when. Written before the step is called done, lifted once."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from hinomi.clock import Clock
from hinomi.store import Record, Records
from responders.playbooks.run import Run, RunStep
from responders.roles import same_person

KIND, LIFTED = "standing", "lifted"


@dataclass(frozen=True, slots=True)
class Standing:
    """One small record an act with an end, so that asking what is due looks at these alone."""

    records: Records
    clock: Clock

    def begin(self, run: Run, step: RunStep) -> None:
        """Note when the act is to be put back; a second noting changes nothing."""
        if step.hours is None or not step.can_undo:
            return
        due = self.clock.now() + timedelta(hours=step.hours)
        body = {"run_id": run.id, "index": step.index, "due": due.isoformat(), "state": "open"}
        if self.records.get(KIND, _id(run.id, step.index)) is None:
            self.records.put(KIND, _id(run.id, step.index), body, expect=0)

    def due(self) -> Iterator[Record]:
        """What should have ended by now."""
        now = self.clock.now()
        for record in self.records.find(KIND, {"state": "open"}, limit=100_000):
            if datetime.fromisoformat(record.body["due"]) <= now:
                yield record

    def end(self, record: Record, state: str) -> None:
        """It was lifted, or there is nothing to lift any more."""
        self.records.put(KIND, record.id, {**record.body, "state": state}, expect=record.version)


def prolonged(body: Mapping[str, Any], until: datetime, by: str, people: int) -> dict[str, Any]:
    """The record once `by` says that the act stands until then; with fewer than `people` of one mind it only notes who."""
    asked = body.get("asked") or {}
    same = asked["by"] if asked and datetime.fromisoformat(asked["until"]) == until else []
    said = same if any(same_person(by, one) for one in same) else [*same, by]
    if len(said) < people:
        return {**body, "asked": {"until": until.isoformat(), "by": said}}
    return {**body, "due": until.isoformat(), "asked": None}


def standing(records: Records, run_id: str, index: int) -> Record | None:
    """The record of an act that ends by itself."""
    return records.get(KIND, _id(run_id, index))


def _id(run_id: str, index: int) -> str:
    return f"{run_id}.{index}"
