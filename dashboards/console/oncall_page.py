"""Who is on call now and next, who is called after them, who stands in; the contact tree; the rota as a calendar."""

from dataclasses import dataclass

from starlette.responses import PlainTextResponse, Response

from dashboards.console.casework import Casework
from dashboards.console.fields import now_input, span, text
from dashboards.console.on_duty import DAYS, person_name, rota, shifts
from dashboards.console.visit import Visit
from hinomi.errors import InputError
from responders.duties import contacts
from responders.oncall import ical
from responders.oncall.rota import Rota
from responders.oncall.standins import NOTE, OVERRIDE

_SHIFTS = 12


@dataclass(frozen=True, slots=True)
class Chain:
    """Who is called for a grade: (minutes after, names)."""

    grade: int
    steps: list[tuple[int, list[str]]]


def show(visit: Visit) -> Response:
    """The page."""
    console, now = visit.console, visit.console.clock.now()
    settings, held = console.responding.oncall, rota(visit.console)
    return visit.page(
        "oncall.html",
        shifts=shifts(visit, _SHIFTS),
        chains=[_chain(visit, held, grade) for grade in (3, 2, 1)] if settings.people else [],
        holes=held.holes(now, DAYS) if settings.people else [],
        overrides=Casework(console.records).not_over(OVERRIDE, now),
        names={name: person_name(visit, name) for name in settings.people},
        notes=console.records.find(NOTE, {"state": "open"}, order="-at", limit=20),
        bodies=sorted(console.responding.contacts.bodies.values(), key=lambda one: (one.order, one.name_ja)),
        missing=[visit.texts.of(one.ja, one.en) for one in console.responding.contacts.missing()],
        calendar=_calendar(visit),
        now_input=now_input(visit),
    )


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
        *span(visit),
        settings=visit.console.responding.oncall,
        **visit.who,
    )
    return visit.to("/oncall", done="stand_in")


def drop_stand_in(visit: Visit) -> Response:
    """The rota holds again."""
    visit.console.service.roster.drop_stand_in(str(visit.request.path_params["override"]), **visit.who)
    return visit.to("/oncall", done="stand_in_dropped")


def note(visit: Visit) -> Response:
    """Something that whoever comes next must know."""
    visit.console.service.roster.note(text(visit, "text"), **visit.who)
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
