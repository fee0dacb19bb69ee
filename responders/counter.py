"""The counter of a desk: who comes must hold a role; what is refused is written down, too."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NoReturn

from hinomi.clock import Clock
from hinomi.errors import InputError, Refused
from hinomi.store import Records
from responders.audit import Audit
from responders.delegation import with_lent
from responders.roles import RANKS, may_approve, may_work


@dataclass(frozen=True, slots=True)
class Counter:
    """Checks that every desk makes before it records a decision."""

    records: Records
    clock: Clock
    audit: Audit

    def worker(self, actor: str, roles: Sequence[str], action: str, target: str) -> None:
        """Raises Refused for whoever does not work on incidents."""
        if not may_work(roles):
            self.refuse(
                actor,
                action,
                target,
                "role",
                "この操作に必要な役割がありません。インシデントに対応できるのは、監視担当と各責任者です。",
                "you do not hold a role that works on incidents: an analyst or one of the managers",
            )

    def office(self, actor: str, roles: Sequence[str], office: str, action: str, target: str) -> None:
        """Raises Refused for whoever is below the office (a lent one counts)."""
        if not may_approve(with_lent(self.records, actor, roles, self.clock.now()), office):
            self.refuse(
                actor,
                action,
                target,
                "role",
                "この操作に必要な役割がありません。",
                f"this needs the office {office} or one above it",
            )

    def any_office(self, actor: str, roles: Sequence[str], action: str, target: str) -> None:
        """Raises Refused for whoever holds none of the approvers' offices."""
        self.office(actor, roles, RANKS[0], action, target)

    def reason(self, text: str) -> str:
        """The reason, trimmed. Raises InputError for none or one too long."""
        text = text.strip()
        if not text or len(text) > 4000:
            raise InputError(
                "理由を 1〜4000 字で書いてください。", "a reason of 1 to 4000 characters is needed"
            )
        return text

    def refuse(self, actor: str, action: str, target: str, why: str, ja: str, en: str) -> NoReturn:
        """Write the refusal to the audit log, then raise it."""
        self.audit.append(actor=actor, action=f"{action}.refused", target=target, details={"why": why})
        raise Refused(ja, en)
