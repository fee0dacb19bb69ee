"""Reporting clocks: a person decides from when the city knew, and why; the clock then says what is due to whom, and warns.

States: `proposed` (a playbook or a page brought it up) → `running` → `sent`, or `not_due` (decided, with the reason).
Every decision stays in the record; a corrected moment of knowledge recounts the days.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from hinomi.clock import Clock
from hinomi.errors import InputError
from hinomi.faults import readable
from hinomi.identity import digest
from hinomi.store import Record, Records
from responders.audit import Audit
from responders.counter import Counter
from responders.duties.counting import days
from responders.duties.duty import Duty, duty
from responders.incidents import casefile

KIND = "duty_clock"
_FINAL = {"PPC-MN-PRELIM": "PPC-MN-FINAL", "PPC-APPI-PRELIM": "PPC-APPI-FINAL"}
_DAY = timedelta(days=1)
_OPEN_FIRST = {"running": 0, "proposed": 1, "sent": 2, "not_due": 3}


@dataclass(frozen=True, slots=True)
class Warning_:  # noqa: N801  (Warning is Python's own)
    """A clock about which people must be told now. stage: `undecided-<n>`, `at_once-<n>` (no number of days is laid down),
    `soon`, `day`, `due`, `overdue-<n>`."""

    clock: Record
    duty: Duty
    stage: str


@dataclass(frozen=True, slots=True)
class Clocks:
    """Decisions about clocks. One clock an incident and duty; an incident that took others in may have more, and what is decided
    holds for all of them that are not reported yet."""

    records: Records
    clock: Clock
    audit: Audit

    def propose(self, incident_id: str, duty_id: str, *, by: str) -> Record:
        """Bring a duty up for decision; a second time changes nothing."""
        kind = duty(duty_id)
        incident_id = self._survivor(incident_id)
        if held := self._held_of(incident_id, kind.id):
            return held[0]
        at = self.clock.now().isoformat()
        body = {
            "incident_id": incident_id,
            "duty": kind.id,
            "state": "proposed",
            "proposed_at": at,
            "by": by,
            "history": [{"at": at, "by": by, "what": "proposed"}],
        }
        self.audit.append(actor=by, action="duty.proposed", target=incident_id, details={"duty": kind.id})
        return self.records.put(KIND, digest("duty", incident_id, kind.id), body, expect=0)

    def start(
        self,
        incident_id: str,
        duty_id: str,
        known: datetime,
        why: str,
        *,
        actor: str,
        roles: Sequence[str],
        wrongful: bool = False,
    ) -> Record:
        """The city knew at this moment: decided by whom and why. Starting the first report starts the final one, too.

        Calling it again corrects the moment or the purpose; the earlier decision stays in the history.
        """
        self._counter.worker(actor, roles, "duty.start", incident_id)
        why = self._counter.reason(why)
        if known.tzinfo is None or known > self.clock.now():
            raise InputError(
                "知った時刻は、今より前の時刻にしてください。", "the moment of knowledge must lie behind"
            )
        incident = casefile.read(self.records, incident_id)
        details = {
            "duty": duty_id,
            "known": known.isoformat(),
            "why": why,
            "wrongful": wrongful,
        }
        self.audit.append(actor=actor, action="duty.start", target=incident.id, details=details)
        started = self._start(incident.id, duty_id, details, actor)
        if duty_id in _FINAL:
            self._start(incident.id, _FINAL[duty_id], {**details, "duty": _FINAL[duty_id]}, actor)
        return started

    def decline(
        self, incident_id: str, duty_id: str, why: str, *, actor: str, roles: Sequence[str]
    ) -> Record:
        """No report is due: decided by an office, with the reason."""
        self._counter.any_office(actor, roles, "duty.decline", incident_id)
        asked = self._not_sent(casefile.read(self.records, incident_id).id, duty_id, actor)
        details = {"duty": duty_id, "why": self._counter.reason(why)}
        self.audit.append(actor=actor, action="duty.decline", target=incident_id, details=details)
        change = {"state": "not_due", "why": why, "decided_by": actor}
        first, *_ = [self._put(held, change, actor, "not_due", why) for held in asked]
        return first

    def sent(self, clock_id: str, *, by: str, how: str, at: datetime) -> Record:
        """Called by `Reports` once an approved report went out through a person's hands."""
        held = self._held(clock_id)
        change = {"state": "sent", "sent_at": at.isoformat(), "sent_by": by, "how": how}
        return self._put(held, change, by, "sent", how)

    def of(self, incident_id: str) -> list[Record]:
        """The clocks of an incident and those that it took in, one a duty, the earliest due first."""
        whose = casefile.family_of(self.records, incident_id)
        return one_each(self.records.find(KIND, {"incident_id": whose}, limit=1000))

    def open(self) -> list[Record]:
        """Clocks of all incidents that run or wait for a decision."""
        found = self.records.find(KIND, {"state": ["running", "proposed"]}, limit=10_000)
        return sorted(found, key=lambda one: str(one.body.get("due") or "9999"))

    def warnings(self) -> Iterator[Warning_]:
        """Who must be told of what now: an undecided clock, one that comes near, is due, is overdue (each day)."""
        now = self.clock.now()

        def warning(held: Record) -> Warning_:
            kind = duty(held.body["duty"])
            return Warning_(held, kind, _stage(held.body, now, daily=kind.binding != "voluntary"))

        yield from (one for one in readable(self.open(), warning) if one.stage)

    def _start(self, incident_id: str, duty_id: str, details: dict[str, Any], actor: str) -> Record:
        asked = self._not_sent(incident_id, duty_id, actor)
        kind = duty(duty_id)
        known = datetime.fromisoformat(details["known"])
        change: dict[str, Any] = {
            "state": "running",
            "known": details["known"],
            "wrongful": details["wrongful"],
            "why": details["why"],
            "decided_by": actor,
            "decided_at": self.clock.now().isoformat(),
        }
        if kind.rule is not None:
            counted = days(kind.rule, known, wrongful=bool(details["wrongful"]))
            change |= {"due": counted.due.isoformat(), "warn": counted.warn.isoformat()}
        note = f"{details['known']} {details['why']}"
        first, *_ = [self._put(held, change, actor, "running", note) for held in asked]
        return first

    def _survivor(self, incident_id: str) -> str:
        """The incident, or the one that took it in."""
        return casefile.read(self.records, incident_id).id

    def _held_of(self, incident_id: str, duty_id: str) -> list[Record]:
        """The clocks of a duty, the one that counts first."""
        whose = casefile.family_of(self.records, incident_id)
        found = (self.records.get(KIND, digest("duty", one, duty_id)) for one in whose)
        return sorted((one for one in found if one is not None), key=_counts)

    def _not_sent(self, incident_id: str, duty_id: str, actor: str) -> list[Record]:
        """The clocks of a duty that are not reported yet; one is brought up where there is none."""
        found = self._held_of(incident_id, duty_id) or [self.propose(incident_id, duty_id, by=actor)]
        asked = [one for one in found if one.body["state"] != "sent"]
        if not asked:
            raise InputError("既に報告しています。", "it has been reported already")
        return asked

    def _put(self, held: Record, change: dict[str, Any], by: str, what: str, note: str) -> Record:
        line = {"at": self.clock.now().isoformat(), "by": by, "what": what, "note": note}
        body = {**held.body, **change, "history": [*held.body["history"], line]}
        return self.records.put(KIND, held.id, body, expect=held.version)

    def _held(self, clock_id: str) -> Record:
        held = self.records.get(KIND, clock_id)
        if held is None:
            raise InputError("この報告期限はありません。", "there is no such clock")
        return held

    @property
    def _counter(self) -> Counter:
        return Counter(self.records, self.clock, self.audit)


def one_each(clocks: Iterable[Record]) -> list[Record]:
    """The clock that counts of each duty, the earliest due first: of several that an incident has as it took others in what is
    open goes before what is over, and of two that run the one that ends first."""
    found: dict[str, Record] = {}
    for one in sorted(clocks, key=_counts):
        found.setdefault(str(one.body["duty"]), one)
    return sorted(found.values(), key=lambda one: (one.body.get("due") or "9999", one.body["duty"]))


def _counts(one: Record) -> tuple[int, str, str]:
    return _OPEN_FIRST.get(str(one.body["state"]), 9), str(one.body.get("due") or "9999"), one.id


def _stage(body: dict[str, Any], now: datetime, *, daily: bool) -> str:
    """daily: what has no number of days comes up each day; where it is voluntary only once, as nobody is pressed for it."""
    if body["state"] == "proposed":
        waited = now - datetime.fromisoformat(body["proposed_at"])
        return f"undecided-{waited // timedelta(hours=4)}" if waited >= timedelta(hours=1) else ""
    if "due" not in body:
        waited = now - datetime.fromisoformat(body["decided_at"])
        if waited < timedelta(hours=1) or (waited >= _DAY and not daily):
            return ""
        return f"at_once-{waited // _DAY}"
    due, warn = datetime.fromisoformat(body["due"]), datetime.fromisoformat(body["warn"])
    if now > due:
        return f"overdue-{(now - due) // _DAY}"
    if now > due - timedelta(hours=16):
        return "due"
    if now > due - timedelta(hours=40):
        return "day"
    return "soon" if now >= warn else ""
