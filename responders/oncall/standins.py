"""What people enter about the rota while the tower runs: who stands in, hand-over notes, maintenance planned ahead."""

from collections.abc import Sequence
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
from responders.incidents import suppression
from responders.oncall.settings import OnCallSettings, Override

OVERRIDE, NOTE = "oncall_override", "handover_note"
_LONGEST_WINDOW = timedelta(days=14)


@dataclass(frozen=True, slots=True)
class Standins:
    """The overrides that hold or will, read anew each time: there are few."""

    records: Records

    def __call__(self) -> Sequence[Override]:
        """As the rota wants them: what was entered last comes first, and holds where two overlap. Those that end last are read, so that
        the many of the years before hide none."""
        held = self.records.find(OVERRIDE, {"state": "open"}, order="-end", limit=1000)
        found = readable(held, lambda one: (_entered(one), _override(one)))
        return [override for _, override in sorted(found, key=lambda pair: pair[0], reverse=True)]


def _entered(held: Record) -> datetime:
    """When somebody entered it; of one of before that was noted, when it was written."""
    at = held.body.get("at")
    entered = datetime.fromisoformat(at) if isinstance(at, str) else held.updated
    if entered.tzinfo is None:
        raise ValueError(f"at: {entered} has no zone")
    return entered


def _override(held: Record) -> Override:
    return Override.model_validate({key: held.body[key] for key in ("start", "end", "person", "reason")})


@dataclass(frozen=True, slots=True)
class Roster:
    """Decisions of people about the rota. Each checks the role and writes the audit log first."""

    records: Records
    clock: Clock
    audit: Audit

    def stand_in(
        self,
        person: str,
        start: datetime,
        end: datetime,
        reason: str,
        *,
        settings: OnCallSettings,
        actor: str,
        roles: Sequence[str],
    ) -> Record:
        """Somebody is on call in place of whoever the rota names."""
        self._counter.worker(actor, roles, "oncall.override", person)
        if person not in settings.people:
            raise InputError("当番の一覧にない人です。", "nobody of that name is among oncall.people")
        if not start < end:
            raise InputError("終わりは始まりより後にしてください。", "the end must come after the start")
        body = {
            "person": person,
            "start": start.isoformat(),
            "end": end.isoformat(),
            "reason": self._counter.reason(reason),
            "by": actor,
            "at": self.clock.now().isoformat(),
            "state": "open",
        }
        self.audit.append(actor=actor, action="oncall.override", target=person, details=body)
        return self.records.put(OVERRIDE, digest("override", person, body["start"], body["end"]), body)

    def drop_stand_in(self, identity: str, *, actor: str, roles: Sequence[str]) -> None:
        """The rota holds again."""
        held = self.records.get(OVERRIDE, identity)
        if held is None:
            raise InputError("この交代はありません。", "there is no such override")
        self._counter.worker(actor, roles, "oncall.override_dropped", identity)
        self.audit.append(actor=actor, action="oncall.override_dropped", target=identity)
        self.records.put(OVERRIDE, identity, {**held.body, "state": "dropped"}, expect=held.version)

    def note(self, text: str, *, actor: str, roles: Sequence[str]) -> Record:
        """Something that whoever comes next must know; it goes out with the change of shift."""
        self._counter.worker(actor, roles, "oncall.note", actor)
        body = {
            "text": self._counter.reason(text),
            "by": actor,
            "at": self.clock.now().isoformat(),
            "state": "open",
        }
        self.audit.append(
            actor=actor, action="oncall.note", target=actor, details={"text": body["text"][:200]}
        )
        return self.records.append(NOTE, body)

    def plan_maintenance(
        self,
        title: str,
        start: datetime,
        end: datetime,
        where: dict[str, str],
        *,
        actor: str,
        roles: Sequence[str],
        rule_id: str = suppression.ANY_RULE,
    ) -> Record:
        """Alerts about these entities call nobody between start and end; critical ones do all the same."""
        self._counter.worker(actor, roles, "oncall.maintenance", title)
        if not where and rule_id == suppression.ANY_RULE:
            raise InputError(
                "対象(端末・アドレス・利用者)かルールを書いてください。", "say what the maintenance is about"
            )
        if not start < end or end - start > _LONGEST_WINDOW or end < self.clock.now():
            raise InputError(
                f"期間は {_LONGEST_WINDOW.days} 日以内で、先の時刻にしてください。",
                f"at most {_LONGEST_WINDOW.days} days, ahead of now",
            )
        body: dict[str, Any] = {
            "id": digest("maintenance", title, start.isoformat(), *sorted(where.values())),
            "rule_id": rule_id,
            "where": where,
            "reason": f"保守作業: {self._counter.reason(title)}",
            "owner": actor,
            "since": start.isoformat(),
            "until": end.isoformat(),
            "critical_too": False,
        }
        self.audit.append(actor=actor, action="oncall.maintenance", target=title, details=body)
        return self.records.put(suppression.KIND, body["id"], body)

    def end_maintenance(self, identity: str, *, actor: str, roles: Sequence[str]) -> None:
        """The work is over, or will not be: alerts about it call again from now on."""
        held, now = self.records.get(suppression.KIND, identity), self.clock.now()
        if held is None or not held.body.get("since"):
            raise InputError("この保守作業はありません。", "there is no such maintenance")
        self._counter.worker(actor, roles, "oncall.maintenance_ended", identity)
        if datetime.fromisoformat(held.body["until"]) <= now:
            raise InputError("この保守作業はもう終わっています。", "this maintenance is over already")
        details = {name: held.body[name] for name in ("reason", "where", "until")}
        self.audit.append(actor=actor, action="oncall.maintenance_ended", target=identity, details=details)
        ended = {**held.body, "until": now.isoformat()}
        self.records.put(suppression.KIND, identity, ended, expect=held.version)

    @property
    def _counter(self) -> Counter:
        return Counter(self.records, self.clock, self.audit)
