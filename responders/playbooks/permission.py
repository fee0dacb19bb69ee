"""What was allowed when a person decided must still be allowed in the moment of the act."""

from dataclasses import dataclass

from hinomi.clock import Clock
from hinomi.errors import Refused
from hinomi.store import Records
from responders.audit import Audit
from responders.delegation import roles_now
from responders.playbooks.approvals import Approvals, approval_id, too_old
from responders.playbooks.permits import actors
from responders.playbooks.protection import Protection
from responders.playbooks.run import APPROVAL, PROTECTED, Run, RunStep
from responders.playbooks.settings import PlaybookSettings
from responders.roles import kept_as, may_approve, same_person

OVER = (
    "承認が古くなったため、行いません。対象は変わっていません。必要なら人が判断して行ってください。",
    "the approval is too old: not done, the target is as it was; where it is needed a person must do it",
)
_OVER_HALFWAY = (
    "承認が古くなったため、途中でやめました。対象は変わっているかもしれません。確かめて、必要なら元に戻してください。",
    "the approval is too old: given up halfway, the target may have been changed; look, and undo it where that is right",
)


class TooOld(Refused):
    """What approved the act is over: nothing went wrong with a target, and what was done stays."""


@dataclass(frozen=True, slots=True)
class Permission:
    """Asks the records and the configuration as they are now."""

    records: Records
    clock: Clock
    settings: PlaybookSettings

    def person(self, run: Run, by: str, office: str = "") -> None:
        """Raises Refused unless the person holds the approver's office now and is not who asked for the run."""
        if same_person(by, run.requested_by):
            raise Refused("求めた本人は承認できません。", "the requester cannot approve")
        if not may_approve(roles_now(self.records, by, self.clock.now()), office or run.approver):
            raise Refused(
                f"承認した {by} は、今はこの承認に必要な役割を持っていません。",
                f"{by} does not hold the role that this approval needs any more",
            )

    def people(self, run: Run, by: list[str], office: str, needed: int) -> None:
        """Raises Refused unless so many different people who may decided."""
        first = actors(self.records, run)
        for person in by:
            self.person(run, person, office)
            if kept_as(person) in first:
                raise Refused("先に行った本人は承認できません。", "who acted first cannot approve it")
        if len(set(map(kept_as, by))) < needed:
            raise Refused(f"承認には {needed} 人が要ります。", f"{needed} different people must approve")

    def step(self, run: Run, step: RunStep) -> None:
        """Raises Refused for a disarmed playbook, a protected target, an approval that is over, a plan that is not what was approved,
        an approver who lost the role."""
        self.target(run, step)
        self.begun(run, step)
        gate = run.covering(step)
        if gate is None or not gate.renews:
            self.people(run, run.approved_by or [run.decided_by], run.approver, run.people)
        if gate is not None:
            office, needed = (run.approver, run.people) if gate.renews else (gate.role, gate.people)
            self.people(run, gate.by, office, needed)

    def begun(self, run: Run, step: RunStep) -> None:
        """Raises Refused where an act that was begun is not to be carried to its end: its approval is over, or was of another plan."""
        self._in_time(run, step)
        gate = run.covering(step)
        approvals = Approvals(self.records, self.clock, Audit(self.records, self.clock))
        if not approvals.stands(run) or (gate is not None and not approvals.stands(run, gate)):
            raise Refused(
                "承認された計画と違うため、行いません。", "the plan is not the one that was approved"
            )

    def _in_time(self, run: Run, step: RunStep) -> None:
        """Raises TooOld where the approval that covers the act, its gate's or else the plan's, is too old to act on; Refused where there is
        none."""
        approval = self.records.get(APPROVAL, approval_id(run, run.covering(step)))
        if approval is None:
            raise Refused(
                "この操作の承認の記録がありません。", "there is no record of an approval of this act"
            )
        if too_old(approval, self.clock.now()):
            ja, en = _OVER_HALFWAY if step.touched else OVER
            raise TooOld(ja, en)

    def target(self, run: Run, step: RunStep) -> None:
        """Raises Refused for a disarmed playbook and a protected target."""
        if run.playbook not in self.settings.armed:
            raise Refused(
                "計画のあとで、このプレイブックの実行が止められました。", "the playbook was disarmed since"
            )
        protection = Protection(self.settings)
        if any(protection.covers(value) for value in step.values.values()):
            raise Refused(PROTECTED.ja, PROTECTED.en)
