"""The console as somebody has it who may see some organisations only: the same pages over views of the stores.

Whoever writes a page need not think of it: the page is handed stores in which nothing of anybody else's is.
"""

import threading
from dataclasses import dataclass, field, replace

from dashboards.console.following import Lately
from dashboards.console.live import Pulse
from dashboards.console.visit import Console
from dashboards.records_apart import RecordsApart
from dashboards.tokens import Token
from dashboards.users import User
from hinomi.store.apart import EventsApart


def scope_of(user: User, token: Token | None = None) -> frozenset[str] | None:
    """Whose things the person sees, by this token no more than it says; None: everybody's. Nobody's things ("") nobody who
    is limited sees."""
    limits = [set(names) for names in (user.organizations, token.organizations if token else ()) if names]
    return frozenset(set.intersection(*limits) - {""}) if limits else None


def part_of(console: Console, user: User, token: Token | None = None) -> Console:
    """The console as the person has it."""
    scope = scope_of(user, token)
    return console if scope is None else console.parts.of(console, scope)


@dataclass(slots=True)
class Parts:
    """The consoles of each set of organisations that accounts are limited to, made when somebody first asks."""

    _made: dict[frozenset[str], Console] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def of(self, whole: Console, organizations: frozenset[str]) -> Console:
        """The console in which nothing of any other organisation is."""
        with self._lock:
            if organizations not in self._made:
                self._made[organizations] = _part(whole, organizations)
            return self._made[organizations]


def _part(whole: Console, organizations: frozenset[str]) -> Console:
    records = RecordsApart(whole.records, organizations, whole.organizations.origins)
    return replace(
        whole,
        scope=organizations,
        events=EventsApart(whole.events, organizations),
        records=records,
        service=replace(whole.service, records=records),
        users=replace(whole.users, records=records),
        pulse=Pulse(records, kinds=("incident",)),
        counted=Lately(60),
        matrices=Lately(60),
        arrivals=Lately(60),
    )
