"""Who may do what: the roles that the desk checks, whoever calls it."""

from collections.abc import Sequence

from hinomi.store import Records
from hinomi.words import Words

RANKS = (
    "information_system_manager",
    "information_security_manager",
    "chief_information_security_manager",
    "ciso",
)
"""Who approves, lowest first (offices of the MIC guideline): a higher office may decide for a lower one."""

OFFICES = {
    "information_system_manager": Words("情報システム管理者", "information system manager"),
    "information_security_manager": Words("情報セキュリティ責任者", "information security manager"),
    "chief_information_security_manager": Words(
        "統括情報セキュリティ責任者", "chief information security manager"
    ),
    "ciso": Words("CISO", "CISO"),
}
"""Their names."""

ON_CALL = Words("当番", "person on call")
"""Whom `tell: oncall` of a playbook means; no office."""

OPERATOR = "operator"
"""Whoever works at the machine itself with the right to write the data folder: the command line. Never approves."""

WORKERS = frozenset({"analyst", "responder", OPERATOR, *RANKS})
"""Who works on incidents. A viewer and an administrator of the system do not."""


def told(name: str) -> Words:
    """What is called whoever `tell` of a playbook names: who holds the office, or whoever is on call."""
    return OFFICES.get(name, ON_CALL)


def may_work(roles: Sequence[str]) -> bool:
    """Whether one of the roles works on incidents."""
    return not WORKERS.isdisjoint(roles)


def kept_as(account: str) -> str:
    """The one spelling under which an account is kept, whoever typed it."""
    return account.strip().lower()


def same_person(one: str, other: str) -> bool:
    """Whether two spellings name one account."""
    return kept_as(one) == kept_as(other)


def may_approve(roles: Sequence[str], approver: str) -> bool:
    """Whether one of the roles is the approver's office or above it."""
    needed = RANKS.index(approver)
    return any(role in RANKS and RANKS.index(role) >= needed for role in roles)


def held_roles(records: Records, account: str) -> list[str]:
    """The roles that the account itself holds at this moment; none for one that is locked or gone."""
    held = records.get("user", kept_as(account))
    if held is None or held.body.get("disabled"):
        return []
    return [str(role) for role in held.body.get("roles", [])]
