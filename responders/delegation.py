"""Someone decides in the place of an office holder who is away: from when to when, why, written beforehand."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from hinomi.store import Records
from responders.roles import RANKS, held_roles, kept_as

KIND = "delegation"


@dataclass(frozen=True, slots=True)
class Delegation:
    """`giver`'s offices are also `taker`'s between start and end; ended: taken back early."""

    giver: str
    taker: str
    start: datetime
    end: datetime
    reason: str


def offices_of(records: Records, person: str, now: datetime) -> list[str]:
    """Offices that others have lent to the person at this moment: only what the giver still holds."""
    lent: list[str] = []
    for record in records.find(KIND, {"taker": kept_as(person), "state": "open"}, limit=200):
        body = record.body
        if datetime.fromisoformat(body["start"]) <= now < datetime.fromisoformat(body["end"]):
            lent += [role for role in held_roles(records, body["giver"]) if role in RANKS]
    return lent


def roles_now(records: Records, account: str, now: datetime) -> list[str]:
    """The roles that the account holds at this moment, its own and lent ones; none for one that is locked or gone."""
    return with_lent(records, account, held_roles(records, account), now)


def with_lent(records: Records, account: str, roles: Sequence[str], now: datetime) -> list[str]:
    """The roles that a caller says the account has, and those lent to it. A locked account is lent nothing."""
    held = records.get("user", kept_as(account))
    if held is None or held.body.get("disabled"):
        return list(roles)
    return [*roles, *offices_of(records, account, now)]
