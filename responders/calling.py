"""Who is called when: the chain of an incident, quiet hours, the change of shift, deadlines, channels that fail.

The queue in memory says when an incident is to be looked at next; it is made anew from the records at a start and every few
minutes, and whoever changes an incident in another process leaves a nudge. So a round costs what is due, not what is open.
"""

import heapq
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from hinomi.clock import JST, Clock
from hinomi.faults import Faults, readable
from hinomi.incident import Incident
from hinomi.store import Record, Records
from hinomi.words import Words
from responders.asking import Asking
from responders.audit import Audit
from responders.duties.clocks import Clocks, Warning_
from responders.incidents import casefile
from responders.notify import links
from responders.notify.message import of_incident, plain
from responders.notify.outbox import Outbox
from responders.oncall import Rota
from responders.oncall.standins import NOTE
from responders.reach import Reach
from responders.settings import ResponderSettings

CALLS_FROM = 1  # the lowest grade that calls a person
_BROKEN = 9  # above every grade: a record that does not say its own
SHIFT = ("oncall_shift", "now")
_AGAIN = timedelta(minutes=5)
_BUSY = timedelta(seconds=30)
_STAGES = {
    "undecided": "報告の要否がまだ決まっていません",
    "at_once": "急ぐ報告がまだです",
    "soon": "報告の期限が近づいています",
    "day": "報告の期限は明日です",
    "due": "報告の期限は今日です",
    "overdue": "報告の期限を過ぎています",
}


@dataclass(slots=True)
class Calling:
    """Plans messages; the outbox sends them."""

    records: Records
    clock: Clock
    settings: ResponderSettings
    audit: Audit
    rota: Rota
    outbox: Outbox
    key: bytes
    first_step: Callable[[Incident], Words]
    _queue: list[tuple[datetime, str]] = field(default_factory=list)
    _when: dict[str, datetime] = field(default_factory=dict)
    _begun: set[str] = field(default_factory=set)
    _built: datetime | None = None
    _minute: datetime | None = None

    def restart(self) -> None:
        """Another process may have led meanwhile: what is in memory is read anew."""
        self._queue, self._when, self._begun = [], {}, set()
        self._built = self._minute = None

    def changed(self, incidents: Iterable[str]) -> None:
        """These are to be looked at now."""
        now = self.clock.now()
        for identity in incidents:
            self._put(identity, now)

    def due(self) -> list[Record]:
        """Open incidents whose time has come, the gravest and newest first: limits must not be used up by what is old.

        Each is due again in the next round unless it is `done`: a store that does not answer must not make us forget it.
        """
        self._refill()
        now = self.clock.now()
        while self._queue and self._queue[0][0] <= now:
            at, identity = heapq.heappop(self._queue)
            if self._when.get(identity) != at:
                continue  # put again since, for another time
            del self._when[identity]
            self._begun.add(identity)
        found = [held for one in self._begun if (held := self.records.get(casefile.KIND, one)) is not None]
        self._begun = {held.id for held in found}
        return sorted(found, key=_gravity, reverse=True)

    def done(self, identity: str) -> None:
        """The incident was looked at; when next is in the queue."""
        self._begun.discard(identity)

    def call(self, incident: Incident) -> None:
        """Call whoever should have been asked by now; a message a person and grade, more alerts are a count."""
        if not casefile.needs_a_person(incident) or incident.grade < CALLS_FROM:
            return
        now = self.clock.now()
        began = casefile.waits_since(incident)
        waited = now - began
        bundle = self._bundle(incident)
        if waited < bundle and incident.grade < 3:
            self._put(
                incident.id, began + bundle
            )  # let the first burst come together: one incident, one message
            return
        if (until := self.rota.quiet_until(incident.grade, now)) is not None:
            self._put(incident.id, until)
            return
        again = incident.fields.get("reopened", 0)
        key = f"{incident.id}|{incident.grade}" + (f"|{again}" if again else "")
        who = Reach(self.records, self.rota, self.outbox).who(incident, key, waited)
        new = [one for one in who if self.records.get("notification", self.outbox.id_of(key, one)) is None]
        if (later := self.rota.next_step(incident.grade, waited, incident.zones)) is not None:
            self._put(incident.id, began + later)
        about: list[Words] = []
        with Faults() as faults:  # what more they must know may be damaged: the page goes without it first
            with faults.kept():
                about = Asking(self.records, self.rota).lines(incident, who, waited) if new else []
            for person in new:
                self._plan(incident, person, key, about)

    def _bundle(self, incident: Incident) -> timedelta:
        """How long the first burst may still come together after the incident opened: what it took to open counts, as the burst
        came together on the way. Not where that is longer than a busy pipeline takes: then it is an old event (a source that
        catches up) or another clock, and says nothing about what comes with it."""
        bundle = timedelta(seconds=self.settings.notify.bundle_seconds)
        on_the_way = incident.opened - incident.first
        if timedelta(0) < on_the_way <= _BUSY:
            return max(bundle - on_the_way, timedelta(0))
        return bundle

    def each_minute(self) -> None:
        """What does not hang on an incident: the change of shift, reporting deadlines."""
        now = self.clock.now()
        if self._minute is not None and now - self._minute < timedelta(minutes=1):
            return
        self._minute = now
        with Faults() as faults:
            for part in (self._hand_over, self._remind):
                with faults.kept():
                    part(now)

    def _put(self, identity: str, at: datetime) -> None:
        if (known := self._when.get(identity)) is not None and known <= at:
            return
        self._when[identity] = at
        heapq.heappush(self._queue, (at, identity))

    def _refill(self) -> None:
        now = self.clock.now()
        if self._built is None or now - self._built >= _AGAIN:
            for record in self.records.find(casefile.KIND, {"status": casefile.OPEN}, limit=1_000_000):
                if _may_call(record.body):
                    self._put(record.id, now)
            self._built = now
        for nudge in self.records.find(casefile.NUDGE, limit=10_000):
            self._put(nudge.id, now)
            self.records.delete(casefile.NUDGE, nudge.id)

    def _plan(self, incident: Incident, person: str, key: str, about: Sequence[Words]) -> None:
        base = self.settings.notify.base_url.rstrip("/")
        nonce = self.outbox.id_of(key, person)[:16]
        token = links.make(self.key, incident.id, person, self.clock.now(), nonce)
        link, ack = f"{base}/incidents/{incident.number}", f"{base}/a/{token}"
        message = of_incident(
            incident, self.first_step(incident), link=link, ack=ack, now=self.clock.now(), about=about
        )
        own = {"incident_id": incident.id, "link": link, "ack": ack}
        if self.outbox.plan(person, message, key=key, asks=True, **own):
            hole = {} if self.rota.who(self.clock.now()) else {"because": "rota_hole"}
            self.audit.append(
                actor="hinomi", action="notify.planned", target=incident.id, details={"to": person, **hole}
            )

    def _hand_over(self, now: datetime) -> None:
        """Whoever comes on call is told what is open, with the notes of who goes."""
        person = self.rota.who(now)
        held = self.records.get(*SHIFT)
        if held is not None and held.body.get("person", "") == person:
            return
        if held is not None and person is not None:
            notes = self.records.find(NOTE, {"state": "open"}, limit=100)
            lines = self._handed(held.body.get("person"), list(readable(notes, _note)))
            message = plain("当番の引き継ぎ", lines, outside="当番の引き継ぎがあります", link=self._base)
            self.outbox.plan(person, message, key=f"handover|{now.isoformat()}", incident_id="")
            for note in notes:
                self.records.put(
                    NOTE, note.id, {**note.body, "state": "handed", "to": person}, expect=note.version
                )
        self.records.put(*SHIFT, {"person": person, "since": now.isoformat()})

    def _handed(self, before: object, notes: list[str]) -> list[str]:
        found = self.records.find(casefile.KIND, {"status": casefile.OPEN}, limit=10_000)
        briefs = [line for *_, line in sorted(readable(found, _brief))]
        known = self.settings.oncall.people.get(before) if isinstance(before, str) else None
        lines = [
            f"前の当番: {known.name_ja if known else '—'}",
            f"終わっていないインシデント: {len(found)} 件",
        ]
        lines += briefs[:15]
        lines += [f"・ほか {len(briefs) - 15} 件"] if len(briefs) > 15 else []
        unread = len(found) - len(briefs)
        lines += [f"・記録が壊れていて読めないもの {unread} 件(画面で確かめてください)"] if unread else []
        lines += ["", "申し送り:", *notes] if notes else []
        return [*lines, "", f"画面: {self._base}"]

    def _remind(self, now: datetime) -> None:
        """Deadlines of reports: to whoever is on call, and to those who are asked last (the CISO) from the last day on."""
        with Faults() as faults:
            for warning in Clocks(self.records, self.clock, self.audit).warnings():
                with faults.kept():
                    self._remind_of(warning, now)

    def _remind_of(self, warning: Warning_, now: datetime) -> None:
        stage, duty = warning.stage.split("-")[0], warning.duty
        who = [self.rota.who(now)]
        if stage in ("due", "overdue"):
            names = [name for step in self.rota.steps(3) for name in step.to if name != "oncall"]
            who += [person for name in names for person in self.rota.persons(name)]
        incident = str(warning.clock.body["incident_id"])
        held = self.records.get(casefile.KIND, incident)
        number = held.body.get("number", "?") if held else "?"
        due = warning.clock.body.get("due", "")
        until = f"{datetime.fromisoformat(due).astimezone(JST):%m月%d日 %H:%M}" if due else duty.when.ja
        lines = [
            f"{duty.to.ja}への「{duty.what.ja}」",
            f"期限: {until}{'(推定)' if duty.due_inferred else ''}",
            f"インシデント #{number}: {self._base}/incidents/{number}",
            "火の見が外部に送ることはありません。人が送り、送ったことを記録してください。",
        ]
        subject = f"{_STAGES[stage]}: {duty.what.ja}(#{number})"
        message = plain(subject, lines, outside=f"{_STAGES[stage]}(#{number})", link=self._base, grade=3)
        for person in dict.fromkeys(one for one in who if one):
            key = f"{warning.clock.id}|{warning.stage}"
            self.outbox.plan(person, message, key=key, incident_id=incident)

    @property
    def _base(self) -> str:
        return self.settings.notify.base_url.rstrip("/")


def _note(held: Record) -> str:
    return f"・{held.body['text']}({held.body['by']})"


def _brief(held: Record) -> tuple[int, int, str]:
    """An open incident in a line, with what it is ordered by: the gravest first."""
    body = held.body
    owner = body.get("assignee") or body.get("acknowledged_by") or "なし"
    line = f"・#{body['number']} [{body['grade']}] {body['title_ja']}(担当 {owner})"
    return -int(body["grade"]), int(body["number"]), line


def _gravity(held: Record) -> tuple[int, str]:
    """What is looked at first: the gravest, then the newest. One that says neither is broken and told so before the others:
    none of them is held up."""
    grade, last = held.body.get("grade"), held.body.get("last")
    return (grade, last) if isinstance(grade, int) and isinstance(last, str) else (_BROKEN, "")


def _may_call(body: Mapping[str, Any]) -> bool:
    """Whether an open incident may still call somebody or has plans to ask for: without reading all of it. One that does not
    say so is read as a whole, and told as broken."""
    try:
        fields, grade = body["fields"], int(body["grade"])
        known = int(fields.get("acknowledged_grade", grade))
        return not body["acknowledged_by"] or grade > known or bool(fields.get("propose_again"))
    except (KeyError, TypeError, ValueError, AttributeError):
        return True
