"""Whoever must decide is called: when a plan or a gate begins to wait, once more before its time is over, and with the office above when
the time has passed without an answer.

What was told is the outbox's: a message a person and stage, whatever crashes in between. A plan that is a dry run calls nobody.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import partial

from hinomi.clock import JST
from hinomi.faults import Faults
from hinomi.incident import GRADES, Incident
from hinomi.store import Record, Records
from hinomi.words import Words
from responders.audit import Audit
from responders.delegation import roles_now
from responders.incidents import casefile
from responders.notify.message import Message, plain
from responders.notify.outbox import Outbox
from responders.notify.settings import NotifySettings
from responders.oncall import Rota
from responders.playbooks.approvals import whole
from responders.playbooks.permits import actors
from responders.playbooks.run import APPROVAL, KIND, Run
from responders.roles import OFFICES, RANKS, kept_as, may_approve

_SERIOUS = 3
_ABOUT = {
    "asked": Words("承認のお願い", "Your approval is asked for"),
    "soon": Words("承認の期限が近づいています", "Still waiting for an approval"),
    "again": Words("承認がないまま期限を過ぎました", "Nobody has decided in time"),
}


@dataclass(frozen=True, slots=True)
class Stage:
    """How far a request has waited. raised: how many offices above are called with the one that is asked."""

    name: str
    raised: int = 0

    @property
    def key(self) -> str:
        """Of the messages."""
        return f"{self.name}-{self.raised}"


def stage(since: datetime, within: timedelta, now: datetime) -> Stage:
    """asked; soon, when two thirds of the time are over; again, when the time was over once, twice, four, eight times … unanswered."""
    turns = (now - since) // within
    if turns < 1:
        return Stage("soon" if now - since >= within * 2 / 3 else "asked")
    return Stage("again", turns.bit_length())


@dataclass(slots=True)
class Deciding:
    """Looks each minute at the requests that are open."""

    records: Records
    audit: Audit
    rota: Rota
    outbox: Outbox
    settings: NotifySettings
    _told: dict[str, str] = field(default_factory=dict)

    def look(self, now: datetime) -> None:
        """What one request holds may be broken: the others are told of all the same."""
        with Faults() as faults:
            for held in self.records.find(APPROVAL, {"state": "open"}, limit=10_000):
                with faults.kept():
                    self._look(held, now)

    def _look(self, approval: Record, now: datetime) -> None:
        """Reads no more than it must: of a request of which was told what there is to tell nothing but the request itself."""
        run = None
        if "dry_run" not in approval.body:  # see `whole`
            run = self._run(approval)
            approval = replace(approval, body=whole(approval.body, run)) if run else approval
        body = approval.body
        if body.get("dry_run", True):
            return
        since, within = datetime.fromisoformat(body["since"]), timedelta(minutes=int(body["minutes"]))
        at = stage(since, within, now)
        key = "|".join(["decide", approval.id, body["since"], at.key])
        if self._told.get(approval.id) == key or (at.name == "asked" and body["renewed"]):
            return  # whoever is asked anew was called before it was
        held = self.records.get(casefile.KIND, body["incident_id"])
        if held is None or held.body["status"] == "closed":
            return
        incident = held.read_as(Incident)
        if self._may_wait(incident, body["gate"] is None, now - since, now):
            return
        run = run or self._run(approval)
        if run is None or run.dry_run:
            return
        self._call(approval, incident, run, at, key)
        self._told[approval.id] = key

    def _run(self, approval: Record) -> Run | None:
        held = self.records.get(KIND, approval.body["run_id"])
        return held.read_as(Run) if held else None

    def _may_wait(self, incident: Incident, plan: bool, waited: timedelta, now: datetime) -> bool:
        """Nobody is woken in quiet hours, for a grade that calls nobody, or, for a plan, before the first burst came together."""
        bundle = timedelta(seconds=self.settings.bundle_seconds)
        early = plan and incident.grade < _SERIOUS and waited < bundle
        quiet = self.rota.quiet_until(incident.grade, now) is not None
        return incident.grade < casefile.CALLS_FROM or early or quiet

    def _call(self, approval: Record, incident: Incident, run: Run, at: Stage, key: str) -> None:
        message, link = self._message(approval, incident, run, at), self._link(incident)
        plan = partial(
            self.outbox.plan,
            message=message,
            key=key,
            incident_id=incident.id,
            link=link,
            decides=approval.id,
        )
        for person in self._who(approval, incident, run, at):
            if plan(person):
                details = {"to": person, "decides": approval.id, "stage": at.key}
                self.audit.append(
                    actor="hinomi", action="notify.planned", target=incident.id, details=details
                )

    def _who(self, approval: Record, incident: Incident, run: Run, at: Stage) -> list[str]:
        """Contacts to call, the lowest office that may decide first; whoever is on call where the office has no contact.

        At first nobody but whoever has it in hand, where that person may decide alone: of a plan they were told when they were called,
        unless it came after somebody had taken the incident.
        """
        body = approval.body
        given = [str(one["by"]) for one in body.get("given", [])]
        never = {kept_as(one) for one in (body["requested_by"], *given)} | actors(self.records, run)
        missing = int(body["people"]) - len(given)
        groups = list(self._by_office(body["approver"], never))
        if at.name == "asked" and missing == 1:
            hand = self._in_hand(incident)
            if able := [one for group in groups for one in group if kept_as(one) in hand]:
                return able if body["gate"] is not None or _came_later(incident, run) else []
        return _enough(groups, missing, at.raised) or [*filter(None, [self.rota.who(self._now)])]

    def _in_hand(self, incident: Incident) -> set[str]:
        return {kept_as(one) for one in (self.rota.who(self._now), incident.acknowledged_by) if one}

    def _by_office(self, approver: str, never: set[str]) -> Iterator[list[str]]:
        """Contacts who may decide, by the lowest of their offices that may, from the office asked upwards."""
        known = set(never)
        for rank in RANKS[RANKS.index(approver) :]:
            found = [one for one in self.rota.settings.people if kept_as(one) not in known]
            if group := [one for one in found if rank in self._offices(one)]:
                yield group
            known |= {kept_as(one) for one in group}

    def _offices(self, contact: str) -> list[str]:
        """What the contact holds by the configuration, as an account of that name, or in the place of somebody who is away."""
        return [self.rota.settings.people[contact].office, *roles_now(self.records, contact, self._now)]

    def _message(self, approval: Record, incident: Incident, run: Run, at: Stage) -> Message:
        body, about, link = approval.body, _ABOUT[at.name], self._link(incident)
        grade, office, people = GRADES[incident.grade], OFFICES[body["approver"]], int(body["people"])
        until = f"{datetime.fromisoformat(body['expires']).astimezone(JST):%m/%d %H:%M}"
        several = Words(f"({people}人)", f" ({people} people)") if people > 1 else Words("", "")
        lines = [
            Words(
                f"まずすること: 画面を開き、内容を確かめて、承認するか却下するかを決めてください: {link}",
                f"First: open the page, see what would be done, and approve it or turn it down: {link}",
            ),
            *self._lacking(body["approver"]),
            Words("", ""),
            Words(f"決めること: {body['shows_ja']}", f"To decide: {body['shows_en']}"),
            *([Words(body["warned_ja"], body["warned_en"])] if body["warned_ja"] else []),
            Words(f"手順書: {run.title_ja}", f"Playbook: {run.title_en}"),
            Words(
                f"決める人: {office.ja}{several.ja}。期限: {until}(過ぎると、もう一度お尋ねします)",
                f"Decided by: {office.en}{several.en}. Until {until}; then it is asked once more",
            ),
            Words(
                f"インシデント #{incident.number} [段階{incident.grade} {grade.ja}] {incident.title_ja}",
                f"Incident #{incident.number} [grade {incident.grade}, {grade.en}] {incident.title_en}",
            ),
            Words(incident.story_ja, incident.story_en),
        ]
        return plain(
            Words(
                f"【段階{incident.grade} {grade.ja}】{about.ja}: {incident.title_ja} #{incident.number}",
                f"[Grade {incident.grade}, {grade.en}] {about.en}: {incident.title_en} #{incident.number}",
            ),
            lines,
            outside=Words(f"{about.ja}(#{incident.number})", f"{about.en} (#{incident.number})"),
            link=link,
            grade=incident.grade,
        )

    def _lacking(self, approver: str) -> list[Words]:
        """That whoever reads it must reach the office by other means, where no contact may decide."""
        people, office = self.rota.settings.people, OFFICES[approver]
        if any(may_approve(self._offices(one), approver) for one in people):
            return []
        return [
            Words(
                f"{office.ja}の連絡先がありません。電話などで判断を求めてください。",
                f"The {office.en} has no contact here: ask for the decision by telephone.",
            )
        ]

    def _link(self, incident: Incident) -> str:
        return f"{self.settings.base_url.rstrip('/')}/incidents/{incident.number}"

    @property
    def _now(self) -> datetime:
        return self.outbox.clock.now()


def _came_later(incident: Incident, run: Run) -> bool:
    """Whether the plan came after somebody had taken the incident: of that one nobody was told."""
    return incident.acknowledged_at is not None and incident.acknowledged_at < run.created


def _enough(groups: Iterable[list[str]], missing: int, raised: int) -> list[str]:
    """The lowest offices with as many people as are missing, and so many offices above."""
    called: list[str] = []
    for group in groups:
        if len(called) >= missing:
            if raised == 0:
                break
            raised -= 1
        called += group
    return called
