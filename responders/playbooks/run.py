"""A playbook run: its plan, its state and its journal, kept as one record that changes by compare-and-set."""

from datetime import datetime
from enum import StrEnum
from typing import Any

import orjson
from pydantic import BaseModel, ConfigDict, Field

from hinomi.identity import digest

KIND = "playbook_run"
APPROVAL = "approval"


class RunState(StrEnum):
    """Where a run stands."""

    PROPOSED = "proposed"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    DENIED = "denied"
    EXPIRED = "expired"
    WITHDRAWN = "withdrawn"
    UNDOING = "undoing"
    UNDONE = "undone"


class StepState(StrEnum):
    """Where a step stands. STARTED is journalled, with what `look` found, before the target is touched."""

    PLANNED = "planned"
    FOR_PERSON = "for_person"
    STARTED = "started"
    DONE = "done"
    SIMULATED = "simulated"
    SKIPPED = "skipped"
    FAILED = "failed"
    UNDONE = "undone"


class RunStep(BaseModel):
    """One step for one target, as planned and as it went. again_at: a pause after a target did not answer."""

    model_config = ConfigDict(frozen=True)

    index: int
    title_ja: str
    title_en: str
    act: str = ""
    values: dict[str, str] = Field(default_factory=dict)
    can_undo: bool = False
    state: StepState = StepState.PLANNED
    result_ja: str = ""
    result_en: str = ""
    before: dict[str, Any] = Field(default_factory=dict)
    attempts: int = 0
    started: datetime | None = None
    again_at: datetime | None = None

    @property
    def touched(self) -> bool:
        """Whether the target may have been changed and not been put back: also by a step that failed after it began."""
        begun = self.state in (StepState.STARTED, StepState.DONE, StepState.FAILED)
        return bool(self.act and begun and self.before)


class Run(BaseModel):
    """One run of a playbook for one incident. plan_hash: what an approval is an approval of."""

    model_config = ConfigDict(frozen=True)

    id: str
    incident_id: str
    playbook: str
    title_ja: str
    title_en: str
    approver: str
    impact_ja: str
    impact_en: str
    dry_run: bool = True
    requested_by: str = "hinomi"
    created: datetime
    expires: datetime
    state: RunState = RunState.PROPOSED
    decided_by: str = ""
    steps: list[RunStep]
    journal: list[str] = Field(default_factory=list)

    @property
    def plan_hash(self) -> str:
        """A digest of what would be done to what: it changes when the plan does."""
        plan = [(step.index, step.act, step.values, step.title_ja) for step in self.steps]
        return digest(self.id, self.playbook, str(self.dry_run), orjson.dumps(plan).decode())

    @property
    def undoable(self) -> bool:
        """Whether a person may ask for it to be put back: it is over, and something that it touched can be undone."""
        over = not self.dry_run and self.state in (RunState.DONE, RunState.FAILED)
        return over and any(step.touched and step.can_undo for step in self.steps)

    def with_step(self, step: RunStep) -> "Run":
        """The run with one step replaced."""
        return self.model_copy(
            update={"steps": [step if old.index == step.index else old for old in self.steps]}
        )
