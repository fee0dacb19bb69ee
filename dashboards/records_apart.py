"""The records of some organisations and no others, as the console of somebody who may see only theirs has them.

Incidents, alerts and reports carry whose they are; most other records hang on an incident. What neither is nor hangs on one of
theirs is not there: it is not found, not counted, and cannot be written. A kind that no line below knows is not there at
all, so whoever adds one has to say whose its records are before such a reader sees any.
"""

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice
from typing import Any

from collectors.rhythm.watched import KIND as RHYTHM
from dashboards.users import KIND as USER
from hinomi.errors import InputError, Refused
from hinomi.store import Record, Records
from responders import delegation
from responders.cases import TASK
from responders.duties import clocks, contacts, reports
from responders.incidents import casefile, evidence, reported, splitting, tuning
from responders.incidents.merging import ALERT
from responders.notify.waiting import KIND as NOTIFICATION
from responders.oncall.standins import OVERRIDE
from responders.playbooks import asked, standing, switch, tasks
from responders.playbooks.permits import FIRST
from responders.playbooks.run import APPROVAL
from responders.playbooks.run import KIND as RUN
from responders.playbooks.turns import NUDGE

REPORT = "report"
OWN = frozenset({casefile.KIND, ALERT, REPORT, reported.KIND})
"""They carry whose they are, as `organization`."""
OF_INCIDENT = frozenset(
    {
        RUN,
        APPROVAL,
        TASK,
        NOTIFICATION,
        clocks.KIND,
        contacts.KIND,
        reports.KIND,
        evidence.KIND,
        splitting.KIND,
        asked.KIND,
        tuning.KIND,
    }
)
"""They hang on the incident of `incident_id`."""
OF_RUN = frozenset({standing.KIND, tasks.KIND, FIRST})
"""They hang on the playbook run of `run_id`."""
OF_ORIGIN = frozenset({"source", RHYTHM})
"""Health of a listener or pull: theirs where the whole `origin` is."""
EVERYBODY = frozenset({switch.KIND, OVERRIDE})
"""The tower's, to be read by all: whether automation is stopped, and who stands in on call."""
VIEW = "view"
READ_ONLY = frozenset({*OF_ORIGIN, *EVERYBODY, USER, delegation.KIND, tuning.KIND, REPORT})
_PAGE = 1_000
_KNOWN = 50_000  # incidents of which it is remembered whose they are


@dataclass(eq=False, slots=True, weakref_slot=True)
class RecordsApart:
    """`hinomi.store.Records` of some organisations. origins: listener or pull → whose it is."""

    records: Records
    organizations: frozenset[str]
    origins: Mapping[str, str] = field(default_factory=dict)
    _whose: dict[str, str] = field(default_factory=dict)

    def get(self, kind: str, id: str) -> Record | None:  # noqa: A002
        """See `Records.get`."""
        found = self.records.get(kind, id)
        return found if found is not None and self.shows(found.kind, found.body) else None

    def put(self, kind: str, id: str, body: Mapping[str, Any], *, expect: int | None = None) -> Record:  # noqa: A002
        """See `Records.put`: theirs before, where it was there, and theirs after."""
        if kind == casefile.NUDGE:
            allowed = self._of_incident(id)
        elif kind == NUDGE:
            allowed = self._of_run(id)
        else:
            held = self.records.get(kind, id)
            before = held is None or self.shows(kind, held.body)
            allowed = kind not in READ_ONLY and before and self.shows(kind, body)
        if not allowed:
            raise InputError("この記録はありません。", "there is no such record")
        return self.records.put(kind, id, body, expect=expect)

    def delete(self, kind: str, id: str, *, expect: int | None = None) -> bool:  # noqa: A002
        """See `Records.delete`."""
        if kind in READ_ONLY or self.get(kind, id) is None:
            return False
        return self.records.delete(kind, id, expect=expect)

    def find(
        self,
        kind: str,
        where: Mapping[str, Any] | None = None,
        *,
        order: str = "",
        limit: int = 1000,
        offset: int = 0,
        after: str = "",
    ) -> list[Record]:
        """See `Records.find`."""
        if kind in OWN:
            theirs = self._narrowed(where)
            found = self.records.find(kind, theirs, order=order, limit=limit, offset=offset, after=after)
            return [one for one in found if self.shows(kind, one.body)]
        shown = self._shown(kind, where, order, after)
        return list(islice(shown, offset, offset + limit))

    def _narrowed(self, where: Mapping[str, Any] | None) -> dict[str, Any]:
        return {**(where or {}), "organization": sorted(self.organizations)}

    def _shown(
        self, kind: str, where: Mapping[str, Any] | None, order: str = "", after: str = ""
    ) -> Iterator[Record]:
        """Those of theirs among all that `where` finds, a page at a time."""
        if kind not in _WHOSE:
            return
        start = 0
        while found := self.records.find(kind, where, order=order, limit=_PAGE, offset=start, after=after):
            yield from (one for one in found if self.shows(kind, one.body))
            if len(found) < _PAGE:
                return
            start += _PAGE

    def count(self, kind: str, where: Mapping[str, Any] | None = None) -> int:
        """See `Records.count`."""
        if kind in OWN:
            return self.records.count(kind, self._narrowed(where))
        return sum(1 for _ in self._shown(kind, where))

    def changed(self, kind: str, since: datetime) -> Iterator[Record]:
        """See `Records.changed`."""
        if kind in _WHOSE:
            yield from (one for one in self.records.changed(kind, since) if self.shows(kind, one.body))

    def append(self, kind: str, body: Mapping[str, Any]) -> Record:
        """See `Records.append`."""
        if kind in READ_ONLY or not self.shows(kind, body):
            raise InputError("この記録はありません。", "there is no such record")
        return self.records.append(kind, body)

    def last(self, kind: str) -> Record | None:
        """Refused: the newest of all need not be theirs."""
        raise Refused(
            "この操作は、組織を限られた利用者にはできません。",
            "this is not for who sees some organisations only",
        )

    def close(self) -> None:
        """The store is not this reader's to close."""

    def shows(self, kind: str, body: Mapping[str, Any]) -> bool:
        """Whether a record of this kind and body is theirs."""
        rule = _WHOSE.get(kind)
        return rule is not None and rule(self, body)

    def _is_own(self, body: Mapping[str, Any]) -> bool:
        return body.get("organization") in self.organizations

    def _of_incident(self, identity: str) -> bool:
        """Whose an incident is never changes, so it is asked once."""
        whose = self._whose.get(identity)
        if whose is None:
            held = self.records.get(casefile.KIND, identity)
            if held is None:
                return False
            if len(self._whose) >= _KNOWN:
                self._whose.clear()
            whose = self._whose[identity] = str(held.body.get("organization", ""))
        return whose in self.organizations

    def _hangs(self, body: Mapping[str, Any]) -> bool:
        """A digest speaks of several incidents and may tell of anybody's."""
        return not body.get("members") and self._of_incident(str(body.get("incident_id", "")))

    def _of_run(self, identity: str) -> bool:
        held = self.records.get(RUN, identity)
        return held is not None and self._hangs(held.body)

    def _hangs_on_run(self, body: Mapping[str, Any]) -> bool:
        return self._of_run(str(body.get("run_id", "")))

    def _of_origin(self, body: Mapping[str, Any]) -> bool:
        return self.origins.get(str(body.get("origin", ""))) in self.organizations

    def _of_person(self, body: Mapping[str, Any]) -> bool:
        return concerns(body.get("organizations") or (), self.organizations)

    def _of_taker(self, body: Mapping[str, Any]) -> bool:
        return self.get(USER, str(body.get("taker", ""))) is not None

    def _of_limited(self, body: Mapping[str, Any]) -> bool:
        """A view is theirs where whoever saved it saw no more than they do, then: its name and query may tell what they
        saw, whatever they may see today."""
        saw = set(body.get("organizations") or ())
        return bool(saw) and saw <= self.organizations


_Rule = Callable[[RecordsApart, Mapping[str, Any]], bool]
_WHOSE: dict[str, _Rule] = {
    **dict.fromkeys(OWN, RecordsApart._is_own),
    **dict.fromkeys(OF_INCIDENT, RecordsApart._hangs),
    **dict.fromkeys(OF_RUN, RecordsApart._hangs_on_run),
    **dict.fromkeys(OF_ORIGIN, RecordsApart._of_origin),
    **dict.fromkeys(EVERYBODY, lambda _, __: True),
    USER: RecordsApart._of_person,
    delegation.KIND: RecordsApart._of_taker,
    VIEW: RecordsApart._of_limited,
}


def concerns(person: Collection[str], organizations: Collection[str]) -> bool:
    """Whether somebody of these organisations (none: of the tower, who sees all) has to do with those."""
    return not person or not set(person).isdisjoint(organizations)
