"""What people do on a case beside deciding: tasks, evidence, joining and parting incidents, filters that a verdict yields."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from hinomi.alert import Alert
from hinomi.clock import Clock
from hinomi.errors import ConfigError, InputError
from hinomi.identity import digest
from hinomi.incident import Happening, Incident, Status
from hinomi.store import Record, Records
from responders.audit import Audit
from responders.counter import Counter
from responders.incidents import casefile, merging, splitting, tuning
from responders.incidents.casefile import family_of
from responders.incidents.evidence import Vault, collected
from responders.incidents.graph import Graph, graph
from responders.incidents.shelf import Shelf
from responders.incidents.tuning import Proposal, Tuning
from responders.roles import same_person

TASK = "incident_task"


@dataclass(frozen=True, slots=True)
class Cases:
    """Each method checks the role, writes the audit log, then records. Looking (graph, tasks) needs no role here."""

    records: Records
    clock: Clock
    audit: Audit
    shelf: Shelf | None = None

    def add_task(
        self,
        incident_id: str,
        title: str,
        *,
        actor: str,
        roles: Sequence[str],
        assignee: str = "",
        due: datetime | None = None,
    ) -> Record:
        """Something that somebody has to do."""
        self._counter.worker(actor, roles, "task.add", incident_id)
        incident, title = casefile.read(self.records, incident_id), self._counter.reason(title)[:300]
        self.audit.append(actor=actor, action="task.add", target=incident.id, details={"title": title})
        body = {
            "incident_id": incident.id,
            "title": title,
            "assignee": assignee,
            "due": due.isoformat() if due else None,
            "state": "open",
            "by": actor,
            "at": self.clock.now().isoformat(),
        }
        task = self.records.append(TASK, body)
        self._line(incident.id, "task", actor, f"作業を追加: {title}", f"task added: {title}", task.id)
        return task

    def finish_task(
        self, task_id: str, *, actor: str, roles: Sequence[str], note: str = "", dropped: bool = False
    ) -> Record:
        """It is done, or need not be done any more."""
        held = self.records.get(TASK, task_id)
        if held is None or held.body["state"] != "open":
            raise InputError("この作業はないか、済んでいます。", "there is no such open task")
        self._counter.worker(actor, roles, "task.finish", held.body["incident_id"])
        state = "dropped" if dropped else "done"
        details = {"task": task_id, "note": note}
        self.audit.append(
            actor=actor, action=f"task.{state}", target=held.body["incident_id"], details=details
        )
        body = {
            **held.body,
            "state": state,
            "done_by": actor,
            "done_at": self.clock.now().isoformat(),
            "note": note[:2000],
        }
        finished = self.records.put(TASK, task_id, body, expect=held.version)
        words = ("作業を取りやめ", "task dropped") if dropped else ("作業を終えた", "task done")
        title = held.body["title"]
        self._line(
            held.body["incident_id"],
            "task",
            actor,
            f"{words[0]}: {title}",
            f"{words[1]}: {title}",
            task_id,
        )
        return finished

    def tasks(self, incident_id: str) -> list[Record]:
        """All tasks of an incident, and of those that it took in, in the order in which they came."""
        return self.records.find(TASK, {"incident_id": family_of(self.records, incident_id)}, limit=1000)

    def graph(self, incident_id: str) -> Graph:
        """Who and what the incident is about, and what ties them."""
        return graph(self._alerts(casefile.read(self.records, incident_id)))

    def merge(
        self, incident_id: str, others: Sequence[str], reason: str, *, actor: str, roles: Sequence[str]
    ) -> Incident:
        """The oldest of them takes in the others, on a person's word."""
        self._counter.worker(actor, roles, "incident.merge", incident_id)
        reason = self._counter.reason(reason)
        found = {one.id: one for i in (incident_id, *others) for one in [casefile.read(self.records, i)]}
        if len(found) < 2 or any(one.status is Status.CLOSED for one in found.values()):
            raise InputError(
                "終了していない、別々のインシデントを選んでください。",
                "choose open incidents that are not one yet",
            )
        if len({one.organization for one in found.values()}) > 1:
            raise InputError(
                "別の組織のインシデントは、一つにまとめられません。",
                "incidents of different organisations are not joined",
            )
        oldest, *rest = sorted(found.values(), key=lambda one: one.number)
        numbers = [one.number for one in rest]
        details = {"others": numbers, "reason": reason}
        self.audit.append(actor=actor, action="incident.merge_asked", target=oldest.id, details=details)
        if not merging.merge(self.records, self.audit, self.clock, oldest, rest, by=actor, why=reason):
            raise InputError(
                f"#{oldest.number} は、その間に終了しました。", f"#{oldest.number} was closed meanwhile"
            )
        words = "、".join(f"#{number}" for number in numbers)
        self._line(oldest.id, "status", actor, f"{words} をまとめた: {reason}", f"took in {words}: {reason}")
        return casefile.read(self.records, oldest.id)

    def split(
        self, incident_id: str, alert_ids: Sequence[str], reason: str, *, actor: str, roles: Sequence[str]
    ) -> Record:
        """Ask that alerts become an incident of their own; the respond process does it at its next round."""
        self._counter.worker(actor, roles, "incident.split", incident_id)
        incident = casefile.read(self.records, incident_id)
        chosen = [one for one in incident.alert_ids if one in set(alert_ids)]
        if not chosen or len(chosen) == len(incident.alert_ids):
            raise InputError(
                "分ける警報を、一部だけ選んでください。", "choose some of the incident's alerts, not all"
            )
        body = {
            "incident_id": incident.id,
            "alerts": chosen,
            "by": actor,
            "reason": self._counter.reason(reason),
            "at": self.clock.now().isoformat(),
            "state": "asked",
        }
        identity = digest("split", incident.id, *chosen)
        held = self.records.get(splitting.KIND, identity)
        if held is not None and held.body["state"] == "asked":
            raise InputError("既に求めています。", "it has been asked for already")
        self.audit.append(actor=actor, action="incident.split", target=incident.id, details=body)
        return self.records.put(splitting.KIND, identity, body, expect=held.version if held else 0)

    def take_evidence(
        self,
        incident_id: str,
        name: str,
        content: bytes,
        *,
        origin: str,
        actor: str,
        roles: Sequence[str],
        note: str = "",
    ) -> Record:
        """A file goes into the vault. origin: from which machine, medium or person it came."""
        self._counter.worker(actor, roles, "evidence.collected", incident_id)
        incident, origin = casefile.read(self.records, incident_id), self._counter.reason(origin)
        taken = self.vault.take(incident.id, name, content, by=actor, origin=origin, note=note)
        words = f"{taken.body['name']} SHA-256 {taken.body['sha256'][:16]}…"
        self._line(incident.id, "evidence", actor, f"証拠を保全: {words}", f"evidence: {words}", taken.id)
        return taken

    def hand_evidence(self, identity: str, note: str, *, actor: str, roles: Sequence[str]) -> Record:
        """Somebody takes a piece in hand: to whom it goes and for what."""
        self._counter.worker(actor, roles, "evidence.handed", identity)
        return self.vault.hand(identity, by=actor, what="handed", note=self._counter.reason(note))

    def read_evidence(self, identity: str, why: str, *, actor: str, roles: Sequence[str]) -> bytes:
        """The bytes of a piece; looking at it is written down."""
        self._counter.worker(actor, roles, "evidence.read", identity)
        return self.vault.read(identity, by=actor, why=self._counter.reason(why))

    def evidence(self, incident_id: str) -> list[Record]:
        """What was collected, with its chain of custody; also for those that the incident took in."""
        return collected(self.records, incident_id)

    def seal(self, incident_id: str, why: str, *, actor: str, roles: Sequence[str]) -> bytes:
        """A sealed ZIP of all evidence, for the police or an examiner."""
        self._counter.worker(actor, roles, "evidence.sealed", incident_id)
        incident = casefile.read(self.records, incident_id)
        return self.vault.sealed(incident.id, by=actor, why=self._counter.reason(why))

    def suggest_filter(self, incident_id: str, rule_id: str) -> dict[str, str]:
        """What a filter of the rule would go by."""
        incident = casefile.read(self.records, incident_id)
        return tuning.suggested(incident, self._alerts(incident), rule_id)

    def propose_filter(
        self,
        incident_id: str,
        rule_id: str,
        where: Mapping[str, str],
        reason: str,
        until: datetime,
        *,
        actor: str,
        roles: Sequence[str],
    ) -> Record:
        """A filter that another person has to review."""
        self._counter.worker(actor, roles, "tuning.propose", incident_id)
        incident, reason = casefile.read(self.records, incident_id), self._counter.reason(reason)
        details = {"rule": rule_id, "where": dict(where), "until": until.isoformat(), "reason": reason}
        self.audit.append(actor=actor, action="tuning.propose", target=incident.id, details=details)
        return self._tuning.propose(incident, rule_id, where, by=actor, reason=reason, until=until)

    def preview_filter(self, proposal_id: str) -> Proposal:
        """What the filter would have kept silent."""
        return self._tuning.preview(self._proposal(proposal_id))

    def review_filter(
        self, proposal_id: str, approve: bool, note: str, *, actor: str, roles: Sequence[str]
    ) -> Record:
        """Approve or refuse somebody else's proposal; it takes one of the offices."""
        proposal = self._proposal(proposal_id)
        self._counter.any_office(actor, roles, "tuning.review", proposal_id)
        if same_person(actor, proposal.body["owner"]):
            self._counter.refuse(
                actor,
                "tuning.review",
                proposal_id,
                "self",
                "自分の提案は承認できません。別の人が確かめてください。",
                "another person must review it",
            )
        state = "approved" if approve else "refused"
        self.audit.append(actor=actor, action=f"tuning.{state}", target=proposal_id, details={"note": note})
        return self._tuning.settle(proposal, state, by=actor, note=note[:1000])

    def end_filter(self, proposal_id: str, *, actor: str, roles: Sequence[str]) -> None:
        """The rule speaks again."""
        self._counter.worker(actor, roles, "tuning.end", proposal_id)
        self.audit.append(actor=actor, action="tuning.end", target=proposal_id)
        self._tuning.end(self._proposal(proposal_id), by=actor)

    @property
    def vault(self) -> Vault:
        """Where evidence lies. Raises ConfigError for a desk that has none."""
        if self.shelf is None:
            raise ConfigError("証拠の保管場所がありません。", "this desk has no folder for evidence")
        return Vault(self.records, self.clock, self.audit, self.shelf)

    def _proposal(self, identity: str) -> Record:
        held = self.records.get(tuning.KIND, identity)
        if held is None:
            raise InputError("この提案はありません。", "there is no such proposal")
        return held

    def _alerts(self, incident: Incident) -> list[Alert]:
        held = (self.records.get("alert", identity) for identity in incident.alert_ids)
        return [one.read_as(Alert) for one in held if one]

    def _line(self, incident_id: str, kind: str, actor: str, ja: str, en: str, ref: str = "") -> None:
        line = Happening.model_validate(
            {"time": self.clock.now(), "kind": kind, "actor": actor, "ja": ja, "en": en, "ref": ref}
        )
        casefile.change(self.records, incident_id, lambda now: casefile.with_line(now, line))

    @property
    def _counter(self) -> Counter:
        return Counter(self.records, self.clock, self.audit)

    @property
    def _tuning(self) -> Tuning:
        return Tuning(self.records, self.clock)
