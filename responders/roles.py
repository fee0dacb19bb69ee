"""Who may do what: the roles that the desk checks, whoever calls it."""

from collections.abc import Sequence

RANKS = (
    "information_system_manager",
    "information_security_manager",
    "chief_information_security_manager",
    "ciso",
)
"""Who approves, lowest first (offices of the MIC guideline): a higher office may decide for a lower one."""


def may_approve(roles: Sequence[str], approver: str) -> bool:
    """Whether one of the roles is the approver's office or above it."""
    needed = RANKS.index(approver)
    return any(role in RANKS and RANKS.index(role) >= needed for role in roles)
