"""What people do in a run: a record beside it, so that a person's answer and the engine never write over each other."""

from dataclasses import dataclass
from typing import Any

from hinomi.errors import Conflict, InputError
from hinomi.store import Record, Records
from responders.playbooks.run import KIND as RUN
from responders.playbooks.run import Run, RunStep
from responders.playbooks.turns import nudge

KIND = "playbook_task"


@dataclass(frozen=True, slots=True)
class Tasks:
    """Answers by run and step. The first one stands."""

    records: Records

    def of(self, run: Run, step: RunStep) -> dict[str, Any] | None:
        """What a person said of the step, None while nobody did."""
        held = self.records.get(KIND, f"{run.id}.{step.index}")
        return held.body if held else None

    def step_for(self, run_id: str, index: int) -> tuple[Run, RunStep]:
        """The task. Raises InputError where there is none."""
        held = self.records.get(RUN, run_id)
        run = held.read_as(Run) if held else None
        step = next((one for one in run.steps if one.index == index), None) if run else None
        if run is None or step is None or step.kind != "task":
            raise InputError("この作業はありません。", "there is no such task")
        return run, step

    def done(self, run: Run, step: RunStep, *, by: str, answer: str, note: str, at: str) -> Record:
        """Keep a person's word on the task. Raises InputError for an answer that is no choice or a second one."""
        if step.choices and answer not in step.choices:
            raise InputError(
                f"答えは次のどれかです: {'、'.join(step.choices)}",
                f"the answer is one of: {', '.join(step.choices)}",
            )
        body = {
            "run_id": run.id,
            "index": step.index,
            "by": by,
            "answer": answer,
            "note": note,
            "at": at,
        }
        try:
            kept = self.records.put(KIND, f"{run.id}.{step.index}", body, expect=0)
        except Conflict:
            raise InputError("この作業は既に済んでいます。", "this task is done already") from None
        nudge(self.records, run.id)
        return kept
