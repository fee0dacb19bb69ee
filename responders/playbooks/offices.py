"""Who decides on what a run did once it stands: the office, and how many, that let it be done."""

from collections.abc import Iterator

from responders.playbooks.authority import Office
from responders.playbooks.run import Run, RunStep
from responders.roles import RANKS


def over_act(run: Run, step: RunStep) -> Office:
    """The highest office of the decisions before the act (the plan's own approval, each gate), and the most people that it took of it."""
    return max(_decisions(run, step), key=_height)


def over_undo(run: Run) -> Office:
    """The highest office over what is to be put back; the plan's own where nothing is."""
    took = (over_act(run, one) for one in run.steps if one.touched and one.can_undo)
    return max(took, key=_height, default=Office(run.approver, run.people))


def _decisions(run: Run, step: RunStep) -> Iterator[Office]:
    yield Office(run.approver, run.people)
    gate = run.covering(step)
    while gate is not None:
        yield Office(gate.role, gate.people)
        gate = run.step(gate.gate) if gate.gate is not None else None


def _height(office: Office) -> tuple[int, int]:
    return RANKS.index(office.who), office.people
