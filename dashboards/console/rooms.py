"""The pages that every other one leads to: from its head, and by `g` and a letter."""

from dataclasses import dataclass

from dashboards.users import ADMINS, AUDITORS, Role, User


@dataclass(frozen=True, slots=True)
class Room:
    """A page. name: its key among the texts; letter: after `g`; roles: whose it is, none: everybody's; head: it stands in the
    head of every page; apart: also for who sees some organisations only."""

    address: str
    name: str
    letter: str
    roles: frozenset[Role] = frozenset()
    head: bool = True
    apart: bool = False

    def opens_to(self, user: User) -> bool:
        """Whether this person may open it."""
        return (not self.roles or user.has(self.roles)) and (self.apart or not user.organizations)


ROOMS = (
    Room("/", "nav.queue", "q", apart=True),
    Room("/summary", "nav.onepage", "h"),
    Room("/search", "nav.search", "s", apart=True),
    Room("/sources", "nav.sources", "o", apart=True),
    Room("/rules", "nav.rules", "l"),
    Room("/compliance", "nav.compliance", "c"),
    Room("/reports", "nav.reports", "r", apart=True),
    Room("/oncall", "nav.oncall", "d"),
    Room("/audit", "nav.audit", "t", AUDITORS),
    Room("/admin/users", "nav.people", "u", ADMINS),
    Room("/automation", "automation.title", "k", head=False),
    Room("/permits", "permits.title", "p", head=False),
    Room("/exceptions", "quiet.title", "x", head=False),
    Room("/exercises", "exercises.title", "e", head=False),
    Room("/boards", "nav.boards", "b", head=False, apart=True),
    Room("/account", "nav.account", "m", head=False, apart=True),
)
"""In the order in which they are shown."""
