"""Standing permits to act first and have it approved later (事後承認): who gave them to whom, for what, until when; and what was
done on them."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from starlette.responses import Response

from dashboards.console.fields import now_input, span
from dashboards.console.visit import Visit
from hinomi.faults import readable
from hinomi.incident import Incident
from hinomi.store import Record, Records
from responders.incidents import casefile
from responders.playbooks import authority
from responders.playbooks.permits import FIRST, KIND, Permits
from responders.playbooks.run import KIND as RUN
from responders.playbooks.run import Run
from responders.roles import held_roles, may_work

_SHOWN = 50


@dataclass(frozen=True, slots=True)
class Permit:
    """state: `holds`, `comes`, `over`, `ended` (taken back) or `void` (an account has lost its role)."""

    id: str
    taker: str
    giver: str
    start: datetime
    end: datetime
    reason: str
    state: str


@dataclass(frozen=True, slots=True)
class Done:
    """What was done on a permit. state: `asked`, `acted` (nobody confirmed it yet), `confirmed`, `lapsed` …; until: when it is
    put back, while it waits."""

    by: str
    at: datetime
    reason: str
    state: str
    until: datetime | None
    what: tuple[str, str]
    incident: Incident | None


def show(visit: Visit) -> Response:
    """The page."""
    return visit.page(
        "permits.html",
        permits=permits(visit.console.records, visit.console.clock.now()),
        acts=sorted(_done(visit.console.records), key=lambda one: one.at, reverse=True)[:_SHOWN],
        most=authority.permit_days(),
        people=[
            one
            for one in visit.console.users.all()
            if not one.disabled and one.name != visit.actor and may_work(one.roles)
        ],
        now_input=now_input(visit),
    )


def give(visit: Visit) -> Response:
    """Let somebody act first, from when to when and why."""
    visit.console.service.acting_first.permit(visit.form.get("taker", ""), *span(visit), **visit.who)
    return visit.to("/permits", done="permit_given")


def end(visit: Visit) -> Response:
    """Take a permit back early."""
    visit.console.service.acting_first.end_permit(str(visit.request.path_params["permit"]), **visit.who)
    return visit.to("/permits", done="permit_ended")


def permits(records: Records, now: datetime) -> list[Permit]:
    """Those that hold or will first, then the newest that are over."""

    def shown(held: Record) -> Permit:
        body = held.body
        start, end = (datetime.fromisoformat(body[name]) for name in ("start", "end"))
        state = "ended" if body["state"] != "open" else _state(records, held, (start, end), now)
        return Permit(held.id, body["taker"], body["giver"], start, end, body["reason"], state)

    found = list(readable(records.find(KIND, limit=500), shown))
    order = {"holds": 0, "comes": 1, "void": 2}
    return sorted(found, key=lambda one: (order.get(one.state, 3), -one.end.timestamp()))[:_SHOWN]


def _state(records: Records, held: Record, span: tuple[datetime, datetime], now: datetime) -> str:
    start, end = span
    if now >= end:
        return "over"
    works = may_work(held_roles(records, held.body["taker"]))
    if not works or not Permits(records).counts(held, max(now, start)):
        return "void"
    return "comes" if now < start else "holds"


def _done(records: Records) -> Iterator[Done]:
    def shown(held: Record) -> Done:
        body = held.body
        kept = records.get(RUN, body["run_id"])
        run = kept.read_as(Run) if kept else None
        step = run.step(int(body["index"])) if run else None
        case = records.get(casefile.KIND, run.incident_id) if run else None
        return Done(
            by=body["by"],
            at=datetime.fromisoformat(body["at"]),
            reason=body["reason"],
            state=body["state"],
            until=datetime.fromisoformat(body["until"]) if body["state"] == "acted" else None,
            what=(step.title_ja, step.title_en) if step else ("—", "—"),
            incident=case.read_as(Incident) if case else None,
        )

    yield from readable(records.find(FIRST, limit=500), shown)
