"""A playbook run: its plan, its state and its journal, kept as one record that changes by compare-and-set."""

from datetime import datetime
from enum import StrEnum
from typing import Any

import orjson
from pydantic import BaseModel, ConfigDict, Field

from hinomi.identity import digest
from hinomi.words import Words

KIND = "playbook_run"
APPROVAL = "approval"
TOWER = "hinomi"
"""Who asks for a run that an alert names."""
PROTECTED = Words("守る対象のため、人が判断してください。", "protected: a person must decide")
"""Why an act is not done: said of it when it is planned, or when it was protected since."""
NOT_MET = Words("条件に当たりません。", "its condition does not hold")
"""Why a step was passed over."""
_LINES = 500
_GATE_MINUTES = 30


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
    WAITING = "waiting"


SETTLED = frozenset(
    {
        StepState.FOR_PERSON,
        StepState.DONE,
        StepState.SIMULATED,
        StepState.SKIPPED,
        StepState.FAILED,
        StepState.UNDONE,
    }
)
"""States after which the steps that follow may begin."""


class RunStep(BaseModel):
    """One step for one target, as planned and as it went.

    after: steps that come before it; when: conditions on answers, all must hold; gate: the decision that covers it;
    about: entities whose events are kept (ECS field → values); expires: until when a gate or task waits; again_at: a
    pause after a target did not answer; first_hours: it may be done before the approval and then stands so long unconfirmed;
    for_acts: a gate that is asked only where an act stands behind it; moot: a gate at which nobody was asked, as every act behind it
    would be refused; aged: it failed as its approval was too old, not for anything that a target said; renewed: how often a gate was
    asked anew as its approval had grown too old; renews: a gate that the engine added as that of the plan had; by: who decided or did it;
    asks, choices, answer: a person's answer;
    extent: what a search found for the act when it was asked for, and nothing else is touched; systems: names of the targets that stood
    behind the one it names when it was asked for, None where nobody could be told; warned_ja, warned_en: why its target
    would refuse it, as it last said, before anybody approved; called_off: it was given up as the incident was no threat, or put back
    because of that.
    """

    model_config = ConfigDict(frozen=True)

    index: int
    title_ja: str
    title_en: str
    kind: str = ""
    after: list[int] = Field(default_factory=list)
    when: list[str] = Field(default_factory=list)
    gate: int | None = None
    act: str = ""
    on: str = ""
    values: dict[str, str] = Field(default_factory=dict)
    about: dict[str, list[str]] = Field(default_factory=dict)
    detail: str = ""
    hours: int | None = None
    can_undo: bool = False
    checked: bool = True
    an_hour: int = 5
    retries: int = 3
    within_minutes: int | None = None
    first_hours: int | None = None
    wait: bool = False
    if_late: str = "go_on"
    role: str = ""
    people: int = 1
    for_acts: bool = False
    moot: bool = False
    called_off: bool = False
    aged: bool = False
    renewed: int = 0
    renews: bool = False
    asks: str = ""
    choices: list[str] = Field(default_factory=list)
    serves: list[str] = Field(default_factory=list)
    state: StepState = StepState.PLANNED
    result_ja: str = ""
    result_en: str = ""
    extent: list[str] | None = None
    systems: list[str] | None = None
    warned_ja: str = ""
    warned_en: str = ""
    before: dict[str, Any] = Field(default_factory=dict)
    attempts: int = 0
    started: datetime | None = None
    again_at: datetime | None = None
    expires: datetime | None = None
    by: list[str] = Field(default_factory=list)
    answer: str = ""
    note: str = ""

    @property
    def settled(self) -> bool:
        """Whether what comes after it may begin."""
        return self.state in SETTLED

    @property
    def touched(self) -> bool:
        """Whether the target may have been changed and not been put back: also by a step that failed after it began."""
        begun = self.state in (StepState.STARTED, StepState.DONE, StepState.FAILED)
        return bool(self.act and begun and self.before)

    @property
    def of_others(self) -> bool:
        """Whether it is for other systems than the one that has the very name of its target."""
        return self.systems is not None and self.systems != [self.on or self.act.partition(".")[0]]

    @property
    def stands_minutes(self) -> int:
        """How long a request at it, as a gate, stands before it is put anew."""
        return self.within_minutes or _GATE_MINUTES

    def as_ended(self, state: StepState, ja: str, en: str) -> "RunStep":
        """The step in another state, with how it went in words."""
        return self.model_copy(update={"state": state, "result_ja": ja, "result_en": en})


class Run(BaseModel):
    """One run of a playbook for one incident. plan_hash: what an approval is an approval of.

    warned_ja, warned_en: what of it its targets would refuse, or could not count, when people were asked; people: how many different ones
    must approve; approved_by: who did; undo_because: why it is put back (`person`,
    `failure`); halted: it was under way when a person asked for that; journal: what happened when, a line each.
    """

    model_config = ConfigDict(frozen=True)

    id: str
    incident_id: str
    playbook: str
    title_ja: str
    title_en: str
    approver: str
    impact_ja: str
    impact_en: str
    warned_ja: str = ""
    warned_en: str = ""
    dry_run: bool = True
    requested_by: str = TOWER
    created: datetime
    expires: datetime
    state: RunState = RunState.PROPOSED
    decided_by: str = ""
    people: int = 1
    approved_by: list[str] = Field(default_factory=list)
    on_failure: str = "continue"
    undo_because: str = "person"
    halted: bool = False
    authority_inferred: bool = True
    facts: dict[str, Any] = Field(default_factory=dict)
    steps: list[RunStep]
    journal: list[str] = Field(default_factory=list)

    def done_at(self, index: int) -> datetime | None:
        """When the step was first done, which of an act means verified at its target; as the journal has it."""
        ending = f"→{StepState.DONE}"
        for at, number, moved, *_ in (line.split(" ", 3) for line in self.journal if line.count(" ") >= 2):
            if number == str(index) and moved.endswith(ending):
                return datetime.fromisoformat(at)
        return None

    @property
    def plan_hash(self) -> str:
        """A digest of what would be done to what: it changes when the plan does. A gate that was added only asks once more."""
        plan = [
            (step.index, step.act, step.on, step.values, step.title_ja, step.after, step.when, step.hours)
            + ((step.first_hours,) if step.first_hours else ())
            + ((step.gate, step.role, step.people) if step.gate is not None or step.role else ())
            + ((step.systems,) if step.of_others else ())
            for step in self.steps
            if not (step.renews and step.kind == "approve" and not step.act)
        ]
        whole = (plan, self.on_failure, self.approver, self.people)
        return digest(self.id, self.playbook, str(self.dry_run), orjson.dumps(whole).decode())

    @property
    def answers(self) -> dict[str, str]:
        """What people answered so far."""
        return {step.asks: step.answer for step in self.steps if step.asks}

    @property
    def acts(self) -> list[RunStep]:
        """Steps that change something."""
        return [step for step in self.steps if step.act]

    @property
    def decided_within(self) -> int:
        """Minutes that people have for the plan as a whole before it is asked for once more."""
        return max(int((self.expires - self.created).total_seconds() // 60), 1)

    @property
    def undoable(self) -> bool:
        """Whether a person may ask for it to be put back: it is over, and something that it touched can be undone, or it is under way: then
        it is stopped first."""
        if self.dry_run or self.state not in (RunState.RUNNING, RunState.DONE, RunState.FAILED):
            return False
        under_way = self.state is RunState.RUNNING and bool(self.acts)
        return under_way or any(step.touched and step.can_undo for step in self.steps)

    @property
    def broken(self) -> bool:
        """Whether a step failed after which nothing new begins; one that was called off has not."""
        failed = (one for one in self.steps if one.state is StepState.FAILED and not one.called_off)
        return self.on_failure != "continue" and any(failed)

    def covering(self, step: RunStep) -> RunStep | None:
        """The gate whose decision covers the step: its own, for other acts the one at which the plan was asked anew. None: the plan's own
        approval."""
        if step.gate is not None:
            return self.step(step.gate)
        return next((one for one in self.steps if one.renews), None) if step.act else None

    def gates_from(self, gate: RunStep) -> list[int]:
        """The gate and those that stand behind it, by index: a gate comes after the one that it hangs on."""
        found = [gate.index]
        for one in self.steps:
            if one.kind == "approve" and one.gate in found:
                found.append(one.index)
        return found

    def with_step(self, step: RunStep) -> "Run":
        """The run with one step replaced."""
        return self.model_copy(
            update={"steps": [step if old.index == step.index else old for old in self.steps]}
        )

    def step(self, index: int) -> RunStep:
        """The step with this number. Raises KeyError."""
        for step in self.steps:
            if step.index == index:
                return step
        raise KeyError(index)

    def noted(self, line: str) -> "Run":
        """The run with one more line in its journal; the newest 500 are kept."""
        return self.model_copy(update={"journal": [*self.journal, line][-_LINES:]})
