"""Who is called when: the chain of an incident, quiet hours, and each minute the change of shift and deadlines.

The queue in memory says when an incident is to be looked at next; it is made anew from the records at a start and every few
minutes, and whoever changes an incident in another process leaves a nudge. So a round costs what is due, not what is open.
"""

import heapq
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from hinomi.clock import Clock
from hinomi.faults import Faults
from hinomi.incident import Incident
from hinomi.store import Record, Records
from hinomi.words import Words
from responders.asking import Asking
from responders.audit import Audit
from responders.deciding import Deciding
from responders.handover import HandOver
from responders.incidents import casefile
from responders.notify import links
from responders.notify.message import of_incident
from responders.notify.outbox import Outbox
from responders.oncall import Rota
from responders.reach import Reach
from responders.reminding import Reminding
from responders.settings import ResponderSettings

_BROKEN = 9  # above every grade: a record that does not say its own
_AGAIN = timedelta(minutes=5)
_BUSY = timedelta(seconds=30)


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
    first_step: Callable[[Incident, str], Words]
    deciding: Deciding = field(init=False)
    _queue: list[tuple[datetime, str]] = field(default_factory=list)
    _when: dict[str, datetime] = field(default_factory=dict)
    _begun: set[str] = field(default_factory=set)
    _built: datetime | None = None
    _minute: datetime | None = None

    def __post_init__(self) -> None:
        own = self.records, self.audit, self.rota, self.outbox, self.settings.notify
        self.deciding = Deciding(*own)

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
        if not casefile.needs_a_person(incident) or incident.grade < casefile.CALLS_FROM:
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
        """What does not hang on an incident: the change of shift, reporting deadlines, requests for a decision."""
        now = self.clock.now()
        if self._minute is not None and now - self._minute < timedelta(minutes=1):
            return
        self._minute = now
        with Faults() as faults:
            own = self.records, self.clock, self.audit, self.rota, self.outbox, self._base
            hand_over = HandOver(self.records, self.rota, self.outbox, self._base)
            for part in (self.deciding, hand_over, Reminding(*own)):
                with faults.kept():
                    part.look(now)

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
            again = self.records.find(casefile.KIND, {"fields.propose_again": True}, limit=1_000_000)
            for record in (
                again
            ):  # closed ones, too: a verdict that was taken back is acted on, whatever became of its nudge
                if not record.body["fields"].get("merged_into"):
                    self._put(record.id, now)
            self._built = now
        for nudge in self.records.find(casefile.NUDGE, limit=10_000):
            self._put(nudge.id, now)
            self.records.delete(casefile.NUDGE, nudge.id)

    def _plan(self, incident: Incident, person: str, key: str, about: Sequence[Words]) -> None:
        nonce = self.outbox.id_of(key, person)[:16]
        token = links.make(self.key, incident.id, person, self.clock.now(), nonce)
        link, ack = f"{self._base}/incidents/{incident.number}", f"{self._base}/a/{token}"
        message = of_incident(
            incident, self.first_step(incident, person), link=link, ack=ack, now=self.clock.now(), about=about
        )
        own = {"incident_id": incident.id, "link": link, "ack": ack}
        if self.outbox.plan(person, message, key=key, asks=True, **own):
            hole = {} if self.rota.who(self.clock.now()) else {"because": "rota_hole"}
            self.audit.append(
                actor="hinomi", action="notify.planned", target=incident.id, details={"to": person, **hole}
            )

    @property
    def _base(self) -> str:
        return self.settings.notify.base_url.rstrip("/")


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
