"""The book of runs: each change of a run is one compare-and-set write with a line in its journal; the audit log hears
of it before."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from hinomi.clock import Clock
from hinomi.store import Record, Records
from responders.audit import Audit
from responders.playbooks.run import KIND, Run, RunState, RunStep

Kept = tuple[Run, Record]


@dataclass(frozen=True, slots=True)
class Book:
    """Writes runs. A write over another's change raises Conflict: the next round sees what there is."""

    records: Records
    clock: Clock
    audit: Audit

    def put(self, run: Run, expect: int) -> Record:
        """Write the run over the version `expect`."""
        return self.records.put(KIND, run.id, run.model_dump(mode="json"), expect=expect)

    def keep(self, run: Run, record: Record) -> Kept:
        """Write the run over what was read."""
        return run, self.put(run, record.version)

    def keep_step(self, run: Run, record: Record, step: RunStep) -> Kept:
        """Write one step of the run, with a line in the journal where its state changed."""
        return self.keep_steps(run, record, [step])

    def keep_steps(self, run: Run, record: Record, steps: Iterable[RunStep]) -> Kept:
        """Write several steps of the run at once, with a line in the journal for each whose state changed."""
        at = self.clock.now().isoformat(timespec="seconds")
        for step in steps:
            before = run.step(step.index).state
            run = run.with_step(step)
            if before is not step.state:
                run = run.noted(f"{at} {step.index} {before}→{step.state} {step.result_ja}".rstrip())
        return self.keep(run, record)

    def current(self, record: Record, step: RunStep) -> tuple[Run, Record, RunStep]:
        """The run as it is written now: the step may have been journalled as started before its target failed."""
        held = self.records.get(KIND, record.id) or record
        run = held.read_as(Run)
        return run, held, run.step(step.index)

    def move(self, run: Run, record: Record, state: RunState, *, by: str, **more: Any) -> Kept:
        """The run in another state, with who moved it."""
        self.audit.append(
            actor=by or "hinomi",
            action=f"playbook.{state}",
            target=run.id,
            details={"playbook": run.playbook},
        )
        at = self.clock.now().isoformat(timespec="seconds")
        moved = run.model_copy(update={"state": state, "decided_by": by, **more})
        return self.keep(moved.noted(f"{at} {run.state}→{state} {by}".rstrip()), record)

    def say(self, run: Run, what: str, details: Mapping[str, Any], actor: str = "hinomi") -> None:
        """Write to the audit log."""
        self.audit.append(actor=actor, action=f"playbook.{what}", target=run.id, details=details)

    def void(self, run: Run, approval: Record, why: str) -> None:
        """Write down that a decision which lies in the records counts for nothing: whose it claims to be, and why."""
        body = approval.body
        by = [str(one["by"]) for one in body.get("given", [])] or [str(body.get("by", ""))]
        if body["state"] in ("approved", "denied") or body.get("given"):
            said = {"by": ", ".join(by), "answer": body["state"], "approval": approval.id, "why": why}
            self.say(run, "approval_void", said)
