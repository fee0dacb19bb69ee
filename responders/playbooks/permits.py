"""Who may act first and have it approved later: permitted beforehand by an office holder, in writing, for a while. And who
did: records beside the run, so that a person's word and the engine never write over each other."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from hinomi.store import Record, Records
from responders.playbooks.run import Run, RunStep
from responders.roles import RANKS, held_roles, kept_as, may_approve, may_work

KIND = "first_permit"
FIRST = "act_first"


@dataclass(frozen=True, slots=True)
class Permits:
    """One record a permit. A permit counts while its giver holds an office and its taker works on incidents."""

    records: Records

    def of(self, account: str, now: datetime) -> Record | None:
        """The permit that the account acts on at this moment."""
        taker = kept_as(account)
        if not may_work(held_roles(self.records, taker)):
            return None
        return next((one for one in self._open(taker) if self.counts(one, now)), None)

    def _open(self, taker: str) -> Iterator[Record]:
        yield from self.records.find(KIND, {"taker": taker, "state": "open"}, limit=200)

    def counts(self, permit: Record, now: datetime) -> bool:
        """Whether it holds at this moment and its giver still has an office. The taker's role is looked at by `of`."""
        start, end = (datetime.fromisoformat(permit.body[name]) for name in ("start", "end"))
        return start <= now < end and may_approve(held_roles(self.records, permit.body["giver"]), RANKS[0])


def first_id(run_id: str, index: int) -> str:
    """The id of what was decided for a step. A step is done first once at most."""
    return f"{run_id}.{index}"


def eligible(run: Run, step: RunStep) -> bool:
    """Whether the plan lets the step be done before its approval."""
    alone = not step.when and step.gate is None
    return bool(step.act and step.first_hours and step.can_undo and alone and not run.dry_run)


def of_run(records: Records, run: Run) -> list[tuple[RunStep, Record]]:
    """The steps of the run that somebody decided to do first, with what was decided."""
    marked = [step for step in run.steps if step.first_hours]
    held = ((step, records.get(FIRST, first_id(run.id, step.index))) for step in marked)
    return [(step, one) for step, one in held if one is not None]


def actors(records: Records, run: Run) -> set[str]:
    """Who acted first, each as `kept_as`: they do not confirm it themselves."""
    return {kept_as(str(held.body["by"])) for _, held in of_run(records, run)}
