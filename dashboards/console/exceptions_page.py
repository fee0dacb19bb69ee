"""Exceptions of detection: proposed from a false alarm, reviewed by another person, with a reason, an owner and an end."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from starlette.responses import Response

from dashboards import times
from dashboards.console.addressed import back, wanted
from dashboards.console.fields import text
from dashboards.console.visit import Visit
from dashboards.users import APPROVERS
from hinomi.alert import Alert
from hinomi.clock import JST
from hinomi.errors import InputError
from hinomi.incident import NO_THREAT, Incident, Status
from hinomi.organization import FIELD
from hinomi.store import Record
from hinomi.words import Words
from responders.incidents import suppression, tuning
from responders.incidents.casefile import family
from responders.roles import same_person

USUAL = timedelta(days=90)
_MOST = 500


@dataclass(frozen=True, slots=True)
class Quiet:
    """An exception as the page lists it. covers, of: how many of the rule's alerts it fits; number: the incident that it
    came of; state: proposed, holds, refused, ended, over."""

    id: str
    rule_id: str
    title: Words
    where: Mapping[str, str]
    reason: str
    owner: str
    until: datetime | None
    state: str
    number: int = 0
    covers: int = 0
    of: int = 0
    by: str = ""
    note: str = ""
    mine: bool = False
    maintenance: bool = False


@dataclass(frozen=True, slots=True)
class Offer:
    """An exception that a closed incident could become: of which rule, for what its alerts share."""

    rule_id: str
    title: Words
    where: Mapping[str, str]


def show(visit: Visit) -> Response:
    """What waits for a review, what holds now, what held."""
    every = [*_proposed(visit), *_maintenance(visit)]
    groups = {
        "proposed": [one for one in every if one.state == "proposed"],
        "holds": [one for one in every if one.state == "holds"],
        "past": [one for one in every if one.state in {"refused", "ended", "over"}],
    }
    return visit.page(
        "exceptions_page.html", groups=groups, may_review=bool(visit.user and visit.user.has(APPROVERS))
    )


def propose(visit: Visit) -> Response:
    """Propose one of the incident's rules to be silent for what its alerts share."""
    incident, rule = wanted(visit), visit.form.get("rule", "")[:200]
    cases, now = visit.console.service.cases, visit.console.clock.now()
    until = _day(visit.form.get("until", "")) or now + USUAL
    cases.propose_filter(
        incident.id,
        rule,
        cases.suggest_filter(incident.id, rule),
        text(visit, "reason"),
        until,
        **visit.who,
    )
    return back(visit, incident, "exception_proposed")


def review(visit: Visit) -> Response:
    """Approve or refuse somebody else's proposal."""
    decision = visit.form.get("decision", "")
    if decision not in {"approve", "refuse"}:
        raise InputError("承認か却下を選んでください。", "choose approve or refuse")
    visit.console.service.cases.review_filter(
        _identity(visit),
        decision == "approve",
        visit.form.get("note", "").strip()[:1000],
        **visit.who,
    )
    return visit.to("/exceptions", done=f"exception_{decision}")


def end(visit: Visit) -> Response:
    """The rule speaks again; planned work is over."""
    identity = _identity(visit)
    if visit.console.records.get(tuning.KIND, identity) is None:
        visit.console.service.roster.end_maintenance(identity, **visit.who)
    else:
        visit.console.service.cases.end_filter(identity, **visit.who)
    return visit.to("/exceptions", done="exception_ended")


def offers(incident: Incident, alerts: Sequence[Alert]) -> list[Offer]:
    """What a closed incident that was no attack could become; rules whose alerts share nothing are left out."""
    quiet = incident.verdict in NO_THREAT
    if incident.status is not Status.CLOSED or not quiet:
        return []
    found: list[Offer] = []
    for alert in {one.rule_id: one for one in alerts}.values():
        try:
            where = tuning.suggested(incident, list(alerts), alert.rule_id)
        except InputError:
            continue
        found.append(Offer(alert.rule_id, Words(alert.title_ja, alert.title_en), where))
    return found


def of_incident(visit: Visit, incident: Incident) -> list[Quiet]:
    """The exceptions that came of an incident."""
    held = visit.console.records.find(tuning.KIND, {"incident_id": family(incident)}, limit=_MOST)
    return [_quiet(visit, one) for one in held]


def _proposed(visit: Visit) -> list[Quiet]:
    held = visit.console.records.find(tuning.KIND, order="-proposed_at", limit=_MOST)
    return [_quiet(visit, one) for one in held]


def _quiet(visit: Visit, record: Record) -> Quiet:
    body, now = record.body, visit.console.clock.now()
    until = times.parse(body.get("until"))
    state = {"approved": "holds"}.get(str(body["state"]), str(body["state"]))
    if state in {"holds", "proposed"} and until is not None and until <= now:
        state = "over"
    counted = visit.console.service.cases.preview_filter(record.id) if state == "proposed" else None
    return Quiet(
        record.id,
        str(body["rule_id"]),
        _title(visit, str(body["rule_id"]), str(body["title"])),
        {**body["where"], **({FIELD: str(body["organization"])} if body.get("organization") else {})},
        str(body["reason"]),
        str(body["owner"]),
        until,
        state,
        int(body.get("number", 0)),
        counted.covers if counted else 0,
        counted.of if counted else 0,
        str(body.get("by", "")),
        str(body.get("note", "")),
        same_person(str(body["owner"]), visit.actor),
    )


def _title(visit: Visit, rule_id: str, kept: str) -> Words:
    """As the rule's alerts call it; what the proposal kept where none is left."""
    held = visit.console.records.find("alert", {"rule_id": rule_id}, limit=1)
    return Words(str(held[0].body["title_ja"]), str(held[0].body["title_en"])) if held else Words(kept, kept)


def _maintenance(visit: Visit) -> list[Quiet]:
    """Planned work: what is in force without a proposal."""
    known = {one.id for one in visit.console.records.find(tuning.KIND, limit=_MOST)}
    held = visit.console.records.find(suppression.KIND, limit=_MOST)
    return [_planned(one.id, one.body, visit.console.clock.now()) for one in held if one.id not in known]


def _planned(identity: str, body: Mapping[str, Any], now: datetime) -> Quiet:
    until = times.parse(body.get("until"))
    return Quiet(
        identity,
        str(body.get("rule_id", "")),
        Words("", ""),
        body.get("where") or {},
        str(body.get("reason", "")),
        str(body.get("owner", "")),
        until,
        "holds" if until is not None and until > now else "over",
        maintenance=True,
    )


def _identity(visit: Visit) -> str:
    return str(visit.request.path_params["exception"])


def _day(given: str) -> datetime | None:
    """The end of a day in Japan. Raises InputError."""
    if not given:
        return None
    try:
        return datetime.fromisoformat(f"{given}T23:59:00").replace(tzinfo=JST)
    except ValueError:
        raise InputError("期限の日付を入力してください。", "give the day until when") from None
