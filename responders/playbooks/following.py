"""Where a new plan of a playbook goes: runs of an incident follow one another, as its victims come one after another.

What people decided on stays as it is. Victims that come after that get a run of their own, for these alone; while that one
waits for a decision, all that come join it, so there are never more runs than decisions.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from hinomi.identity import digest
from hinomi.incident import SPLIT_FROM, Incident
from hinomi.store import Records
from responders.incidents.casefile import KIND as INCIDENT
from responders.playbooks.approvals import DECIDED
from responders.playbooks.run import (
    APPROVAL,
    KIND,
    NOT_MET,
    PROTECTED,
    TOWER,
    Run,
    RunState,
    RunStep,
    StepState,
)
from responders.playbooks.standing import LIFTED, standing

Act = tuple[str, str, tuple[tuple[str, str], ...]]
"""What would be done to whom: action, target system, values."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a plan goes. number: 0 for the first run of the playbook on the incident, then 1, 2 …; held: what other runs of
    it plan, do or did; passed_over: what of that none of them did, as its condition did not hold; kept: entities (ECS field,
    value) whose events those runs keep as evidence."""

    number: int = 0
    held: frozenset[Act] = frozenset()
    passed_over: frozenset[Act] = frozenset()
    kept: frozenset[tuple[str, str]] = frozenset()

    def run_id(self, incident_id: str, playbook: str) -> str:
        """The id of the run: the first one's is that of the releases that knew no other."""
        return digest("run", incident_id, playbook, *([str(self.number)] if self.number else []))

    def has_news(self, run: Run) -> bool:
        """Whether the plan would do anything that is no other run's."""
        return any(_act(one) not in self.held for one in run.acts)


def act_of(act: str, on: str, values: dict[str, str]) -> Act:
    """The act, to be compared with others."""
    return act, on, tuple(sorted(values.items()))


def runs_of(records: Records, incident_id: str, playbook: str) -> Iterator[Run]:
    """The runs of a playbook on an incident, in the order in which they were proposed."""
    number = 0
    while (held := records.get(KIND, Place(number).run_id(incident_id, playbook))) is not None:
        yield held.read_as(Run)
        number += 1


def beside(records: Records, incident: Incident, playbook: str) -> Iterator[Run]:
    """Runs of the playbook on the incident that stand for themselves: those that people started, those of incidents that it took in,
    and those of the one that it was split off from: what they did or will do is not asked for again, but what people gave up there."""
    own = [run for run in _read(records, incident.run_ids) if _beside(records, incident, run)]
    home = records.get(INCIDENT, str(incident.fields.get(SPLIT_FROM, "")))
    there = _read(records, home.body.get("run_ids", []) if home else [])
    decided = [
        _without_given_up(records, run)
        for run in there
        if run.state is not RunState.DENIED and _beside(records, incident, run)
    ]
    return (run for run in [*own, *decided] if run.playbook == playbook)


def given_up(records: Records, run: Run, step: RunStep) -> bool:
    """Whether the act is not in force, though nothing speaks against it but a decision there: stopped, denied at a gate, put back.
    One that was lifted as its own time was over is no decision, whatever became of the run."""
    if step.state is StepState.SKIPPED:
        return step.result_en not in (PROTECTED.en, NOT_MET.en)
    if step.state is not StepState.UNDONE:
        return False
    timed = standing(records, run.id, step.index)
    return timed is None or timed.body["state"] != LIFTED


def _without_given_up(records: Records, run: Run) -> Run:
    """The run without acts that were given up there."""
    steps = [one for one in run.steps if not (one.act and given_up(records, run, one))]
    return run.model_copy(update={"steps": steps})


def _read(records: Records, identities: Iterable[str]) -> Iterator[Run]:
    held = (records.get(KIND, one) for one in identities)
    return (one.read_as(Run) for one in held if one is not None)


def _beside(records: Records, incident: Incident, run: Run) -> bool:
    """What still waits for a decision on an incident that was taken in does not count: it is withdrawn with that one."""
    if run.requested_by != TOWER:
        return True
    return run.incident_id != incident.id and (run.state is not RunState.PROPOSED or _decided(records, run))


def place(records: Records, runs: Sequence[Run], *, dry_run: bool, beside: Iterable[Run] = ()) -> Place:
    """Where a plan for now goes: into the first run that may still change, else into a new one behind all. dry_run: the plan
    would be a rehearsal; a rehearsal itself holds nothing that a plan which acts would do; beside: see there."""
    number = next((n for n, run in enumerate(runs) if not _stays(records, run)), len(runs))
    others = [*(run for n, run in enumerate(runs) if n != number), *beside]
    others = [run for run in others if run.state is not RunState.WITHDRAWN]
    steps = [step for run in others if dry_run or not run.dry_run for step in run.steps]
    steps = [step for step in steps if not step.called_off]  # opened again, it may be planned again
    passed = {_act(step) for step in steps if _passed_over(step)}
    return Place(
        number,
        held=frozenset(_act(step) for step in steps if step.act),
        passed_over=frozenset(passed - {_act(step) for step in steps if not _passed_over(step)}),
        kept=frozenset((name, value) for step in steps for name in step.about for value in step.about[name]),
    )


def _act(step: RunStep) -> Act:
    return act_of(step.act, step.on, step.values)


def _passed_over(step: RunStep) -> bool:
    return bool(step.act and step.when and step.state is StepState.SKIPPED)


def _stays(records: Records, run: Run) -> bool:
    """Whether the run's plan does not change any more: people decided on it, or somebody acted first and what was found
    then must not be lost. Withdrawn: its incident is over, or was opened again and the plan is put anew."""
    if run.state is RunState.WITHDRAWN:
        return False
    if run.state is not RunState.PROPOSED or any(step.touched for step in run.steps):
        return True
    return _decided(records, run)


def _decided(records: Records, run: Run) -> bool:
    approval = records.get(APPROVAL, run.id)
    return approval is not None and approval.body["state"] in DECIDED
