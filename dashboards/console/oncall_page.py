"""Who is on call now and next, who is called after them, who stands in; the contact tree; the rota as a calendar."""

from dataclasses import dataclass
from datetime import datetime

from starlette.responses import PlainTextResponse, Response

from dashboards.console.case_actions import moment, now_input
from dashboards.console.decisions import text
from dashboards.console.next_step import person_name
from dashboards.console.visit import Console, Visit
from hinomi.errors import InputError
from responders.duties import contacts
from responders.oncall import ical
from responders.oncall.rota import Rota
from responders.oncall.standins import NOTE, OVERRIDE, Standins

_DAYS, _SHIFTS = 14, 12


@dataclass(frozen=True, slots=True)
class Shift:
    """A person's time on call."""

    person: str
    phone: str
    start: datetime
    end: datetime
    now: bool


@dataclass(frozen=True, slots=True)
class Chain:
    """Who is called for a grade: (minutes after, names)."""

    grade: int
    steps: list[tuple[int, list[str]]]


def rota(console: Console) -> Rota:
    """The rota as it holds now, with who stands in."""
    return Rota(console.responding.oncall, Standins(console.records))


def show(visit: Visit) -> Response:
    """The page."""
    console, now = visit.console, visit.console.clock.now()
    settings, held = console.responding.oncall, rota(visit.console)
    overrides = [
        one
        for one in console.records.find(OVERRIDE, {"state": "open"}, limit=200)
        if datetime.fromisoformat(one.body["end"]) > now
    ]
    return visit.page(
        "oncall.html",
        shifts=_shifts(visit, held, now),
        chains=[_chain(visit, held, grade) for grade in (3, 2, 1)] if settings.people else [],
        holes=held.holes(now, _DAYS) if settings.people else [],
        overrides=overrides,
        names={name: person_name(visit, name) for name in settings.people},
        notes=console.records.find(NOTE, {"state": "open"}, order="-at", limit=20),
        bodies=sorted(console.responding.contacts.bodies.values(), key=lambda one: (one.order, one.name_ja)),
        missing=console.responding.contacts.missing(),
        calendar=_calendar(visit),
        now_input=now_input(visit),
    )


def _shifts(visit: Visit, held: Rota, now: datetime) -> list[Shift]:
    people = visit.console.responding.oncall.people
    found = [
        Shift(
            person_name(visit, who),
            people[who].phone if who in people else "",
            start,
            end,
            start <= now < end,
        )
        for who, start, end in ical.shifts(held, now, _DAYS)
    ]
    return found[:_SHIFTS]


def on_duty(visit: Visit) -> tuple[Shift | None, Shift | None]:
    """Who is on call now and who comes next, for the incident page."""
    now = visit.console.clock.now()
    found = _shifts(visit, rota(visit.console), now) if visit.console.responding.oncall.people else []
    current = next((one for one in found if one.now), None)
    return current, next((one for one in found if not one.now), None)


def _chain(visit: Visit, held: Rota, grade: int) -> Chain:
    steps = [
        (step.after_minutes, [_named(visit, held, name) for name in step.to]) for step in held.steps(grade)
    ]
    return Chain(grade, steps)


def _named(visit: Visit, held: Rota, name: str) -> str:
    if name == "oncall":
        return visit.texts("oncall.whoever")
    return visit.texts("mark.comma").join(person_name(visit, one) for one in held.persons(name)) or name


def _calendar(visit: Visit) -> str:
    """The reader's own address of the rota, where they are among the contacts."""
    if visit.actor not in visit.console.responding.oncall.people:
        return ""
    return f"/calendar/{ical.token(visit.console.service.links.key, visit.actor)}.ics"


def stand_in(visit: Visit) -> Response:
    """Somebody is on call in place of whoever the rota names."""
    visit.console.service.roster.stand_in(
        visit.form.get("person", ""),
        moment(visit, "start"),
        moment(visit, "end"),
        text(visit, "reason"),
        settings=visit.console.responding.oncall,
        actor=visit.actor,
        roles=visit.roles,
    )
    return visit.to("/oncall", done="stand_in")


def drop_stand_in(visit: Visit) -> Response:
    """The rota holds again."""
    visit.console.service.roster.drop_stand_in(
        str(visit.request.path_params["override"]), actor=visit.actor, roles=visit.roles
    )
    return visit.to("/oncall", done="stand_in_dropped")


def note(visit: Visit) -> Response:
    """Something that whoever comes next must know."""
    visit.console.service.roster.note(text(visit, "text"), actor=visit.actor, roles=visit.roles)
    return visit.to("/oncall", done="handover")


def card(visit: Visit) -> Response:
    """The contact tree on paper, for when the network is down."""
    settings, now = visit.console.responding, visit.console.clock.now()
    who = rota(visit.console).who(now) if settings.oncall.people else None
    made = contacts.card(settings.contacts, now, [person_name(visit, who)] if who else [])
    headers = {"Content-Disposition": 'attachment; filename="contacts.pdf"'}
    return Response(made, media_type="application/pdf", headers=headers)


def calendar(visit: Visit) -> Response:
    """The rota of one person as iCalendar; the address is the permission, telephones cannot sign in."""
    given = str(visit.request.path_params["token"]).removesuffix(".ics")
    key, now = visit.console.service.links.key, visit.console.clock.now()
    if len(given) > 200:
        raise InputError("この暦の宛先は使えません。", "this calendar's address is not valid")
    body = ical.subscribed(rota(visit.console), key, given, now)
    return PlainTextResponse(body, media_type="text/calendar; charset=utf-8")
