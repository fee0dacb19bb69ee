"""An approval that grew too old before its act was begun: whoever may decide is asked anew, told why, a few times and then no more.

Asked is the gate before the act; where the plan's own approval covered it, a gate that is added to the run for what is left of the
plan. Such a gate can only ask: it is no part of the plan that people approved, and takes nothing out of it.
"""

from collections.abc import Sequence

from hinomi.words import Words
from responders.playbooks.run import Run, RunStep

MOST = 3
"""So often an approval may grow old at one gate before its acts fail: each time people decided, and the tower could not begin."""
_WHY = Words(
    "承認の有効期間が過ぎたため、もう一度お尋ねします({n} 回目)。前の承認では行いません。",
    "asked anew as the approval had grown too old (time {n}): nothing is done on the one before. ",
)
_TOLD = 3


def renewed(run: Run, step: RunStep) -> tuple[Run, RunStep] | None:
    """The run and the gate in it that is to be asked anew for this act, which was not begun; None where it was asked so often already."""
    gate = run.covering(step)
    if gate is None:
        gate = _for_the_rest(run)
        run = run.model_copy(update={"steps": [*run.steps, gate]})
    return (run, again(gate)) if gate.renewed < MOST else None


def again(gate: RunStep) -> RunStep:
    """The gate once more, with nobody's decision."""
    return gate.model_copy(update={"renewed": gate.renewed + 1, "by": []})


def why_anew(gate: RunStep) -> Words:
    """Why it is asked once more; empty for one that never was."""
    if not gate.renewed:
        return Words("", "")
    return Words(_WHY.ja.format(n=gate.renewed), _WHY.en.format(n=gate.renewed))


def _for_the_rest(run: Run) -> RunStep:
    """A gate with the plan's own approvers and the time that they had."""
    left = [one for one in run.acts if one.gate is None and not one.settled]
    return RunStep(
        index=max(one.index for one in run.steps) + 1,
        title_ja=f"計画の残りを行います: {_named([one.title_ja for one in left], '、', 'ほか {n} 件')}。{run.impact_ja}",
        title_en=f"The rest of the plan: {_named([one.title_en for one in left], '; ', '{n} more')}. {run.impact_en}",
        kind="approve",
        role=run.approver,
        people=run.people,
        within_minutes=max(int((run.expires - run.created).total_seconds() // 60), 1),
        renews=True,
    )


def _named(titles: Sequence[str], mark: str, more: str) -> str:
    counted = [more.format(n=len(titles) - _TOLD)] if len(titles) > _TOLD else []
    return mark.join([*titles[:_TOLD], *counted])
