"""An approval that grew too old before its act was begun: in the plain situation whoever may decide is asked anew, told why and what is
left, a few times and then no more. In every other situation what it covers fails, with that reason.

Asked is the gate before the act; where the plan's own approval covered it, a gate that is added to the run for what is left of the
plan. Such a gate can only ask: it is no part of the plan that people approved, and takes nothing out of it.
"""

from collections.abc import Sequence

from hinomi.store import Record
from hinomi.words import Words
from responders.playbooks.run import Run, RunStep, StepState

MOST = 3
"""So often an approval may grow old at one gate before its acts fail: each time people decided, and the tower could not begin."""
_WHY = Words(
    "承認の有効期間が過ぎたため、もう一度お尋ねします({n} 回目)。前の承認では行いません。",
    "asked anew as the approval had grown too old (time {n}): nothing is done on the one before. ",
)
_LEFT = Words("残っている操作: {acts}。", "Left: {acts}. ")
_TOLD = 3


def renewed(run: Run, gate: RunStep | None, old: Record, *, closed: bool) -> tuple[Run, RunStep] | None:
    """The run and the gate in it to ask anew, as the approval `old` at it (None: the plan's own) is too old. None where the situation is
    not plain: whoever answers must know what an answer does. closed: whether the incident is over."""
    if gate is None:
        gate = _for_the_rest(run)
        run = run.model_copy(update={"steps": [*run.steps, gate]})
    plain = (
        not closed,
        not run.broken,
        old.body["state"] == "approved",
        gate.renewed < MOST,
        not any(one.kind == "approve" and one.gate == gate.index for one in run.steps),
        not any(one.state is StepState.STARTED and run.covering(one) == gate for one in run.acts),
    )
    return (run, gate.model_copy(update={"renewed": gate.renewed + 1, "by": []})) if all(plain) else None


def why_anew(gate: RunStep, left: Sequence[RunStep]) -> Words:
    """Why it is asked once more, and for which acts: its title may tell of what is done by now. Empty where it was never asked before."""
    if not gate.renewed:
        return Words("", "")
    why = Words(_WHY.ja.format(n=gate.renewed), _WHY.en.format(n=gate.renewed))
    if not left:
        return why
    ja = _LEFT.ja.format(acts=_named([one.title_ja for one in left], "、", "ほか {n} 件"))
    en = _LEFT.en.format(acts=_named([one.title_en for one in left], "; ", "{n} more"))
    return Words(why.ja + ja, why.en + en)


def _for_the_rest(run: Run) -> RunStep:
    """A gate with the plan's own approvers and the time that they had."""
    return RunStep(
        index=max(one.index for one in run.steps) + 1,
        title_ja=f"計画の残りを行います。{run.impact_ja}",
        title_en=f"The rest of the plan is done. {run.impact_en}",
        kind="approve",
        role=run.approver,
        people=run.people,
        within_minutes=run.decided_within,
        renews=True,
    )


def _named(titles: Sequence[str], mark: str, more: str) -> str:
    counted = [more.format(n=len(titles) - _TOLD)] if len(titles) > _TOLD else []
    return mark.join([*titles[:_TOLD], *counted])
