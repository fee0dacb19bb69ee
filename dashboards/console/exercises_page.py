"""Drills and trainings that took place, as evidence of clause 5.2: the list, and the form that records one."""

from datetime import date

from starlette.responses import Response

from dashboards.compliance import checks
from dashboards.console.fields import text
from dashboards.console.visit import Visit
from hinomi.clock import JST
from hinomi.errors import InputError
from hinomi.words import Words
from responders.exercises import What, held

_SHOWN = 200


def show(visit: Visit) -> Response:
    """The page: whether the last year had a drill first, as the yearly report will say it."""
    found, now = held(visit.console.records), visit.console.clock.now()
    return visit.page(
        "exercises.html",
        outcome=checks.drilled_in(found, now),
        exercises=found[:_SHOWN],
        whats=list(What),
        today=now.astimezone(JST).date(),
    )


def add(visit: Visit) -> Response:
    """Record one; the same title of the same day is corrected."""
    result = visit.form.get("result", "")
    people = [line for line in text(visit, "people").splitlines() if line.strip()]
    visit.console.service.exercises.add(
        _what(visit),
        _day(visit),
        visit.form.get("title", ""),
        people,
        **visit.who,
        result=Words(result, result),
    )
    return visit.to("/exercises", done="exercise_added")


def _what(visit: Visit) -> What:
    try:
        return What(visit.form.get("what", ""))
    except ValueError:
        raise InputError(
            "訓練か研修かを選んでください。", "say whether it was a drill or a training"
        ) from None


def _day(visit: Visit) -> date:
    try:
        return date.fromisoformat(visit.form.get("on", ""))
    except ValueError:
        raise InputError("行った日を入力してください。", "enter the day") from None
