"""What was allowed when a person decided must still be allowed in the moment of the act."""

from dataclasses import dataclass

from hinomi.errors import Refused
from hinomi.store import Records
from responders.playbooks.run import Run, RunStep
from responders.playbooks.settings import PlaybookSettings
from responders.roles import may_approve, roles_now


@dataclass(frozen=True, slots=True)
class Permission:
    """Asks the records and the configuration as they are now."""

    records: Records
    settings: PlaybookSettings

    def person(self, run: Run, by: str) -> None:
        """Raises Refused unless the person holds the approver's office now and is not who asked for the run."""
        if by == run.requested_by:
            raise Refused("求めた本人は承認できません。", "the requester cannot approve")
        if not may_approve(roles_now(self.records, by), run.approver):
            raise Refused(
                f"承認した {by} は、今はこの承認に必要な役割を持っていません。",
                f"{by} does not hold the role that this approval needs any more",
            )

    def step(self, run: Run, step: RunStep) -> None:
        """Raises Refused for a disarmed playbook, a protected target, an approver who lost the role."""
        if run.playbook not in self.settings.armed:
            raise Refused(
                "計画のあとで、このプレイブックの実行が止められました。", "the playbook was disarmed since"
            )
        if set(step.values.values()) & set(self.settings.protected):
            raise Refused("守る対象のため、人が判断してください。", "protected: a person must decide")
        self.person(run, run.decided_by)
