"""The draft of a report to an authority: filled from the incident, edited by people, approved by another, sent by hand."""

from starlette.responses import Response

from dashboards.console.addressed import wanted
from dashboards.console.clash import Clash, Field, differing
from dashboards.console.fields import moment, now_input, text
from dashboards.console.visit import Visit
from dashboards.duties import Obligation, obligations
from hinomi.errors import Conflict, InputError
from responders.duties import drafting

_TYPES = {
    "pdf": "application/pdf",
    "docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
}


def _wanted(visit: Visit) -> Obligation:
    """The duty of the address line. Raises InputError where the incident has none of that name."""
    name = str(visit.request.path_params["duty"])
    incident = wanted(visit)
    for one in obligations(incident, visit.console.service.clocks.of(incident.id)):
        if one.duty.id == name:
            return one
    raise InputError("この報告は、このインシデントにありません。", "this incident has no such report")


def _clock(one: Obligation) -> str:
    if one.clock is None or one.undecided:
        raise InputError(
            "先に、報告が要ると決めて期限を数え始めてください。", "first decide that the report is due"
        )
    return one.clock.id


def show(visit: Visit) -> Response:
    """The newest version, its blanks, and what may be done with it."""
    one = _wanted(visit)
    versions = visit.console.service.reports.versions(one.clock.id) if one.clock else []
    latest = versions[-1] if versions else None
    fields = latest.body["fields"] if latest else {}
    return visit.page(
        "draft.html",
        one=one,
        incident=one.incident,
        here=one.address,
        versions=versions,
        latest=latest,
        items=[(item.key, item.title, fields.get(item.key, "")) for item in drafting.asked(one.duty, fields)],
        blanks=set(drafting.blanks(fields)) if latest else set(),
        of_another_form=latest is not None and drafting.of_another_form(one.duty, fields),
        now_input=now_input(visit),
    )


def draft(visit: Visit) -> Response:
    """A version filled from what is known of the incident now."""
    one = _wanted(visit)
    visit.console.service.reports.draft(_clock(one), **visit.who)
    return visit.to(one.address, done="drafted")


def edit(visit: Visit) -> Response:
    """A new version with what the form says."""
    one = _wanted(visit)
    clock, base = _clock(one), _version(visit)
    seen = _fields(visit, clock, base)
    keys = {item.key for item in drafting.asked(one.duty, seen)}
    typed = {
        key.removeprefix("item-"): value.replace("\r\n", "\n")
        for key, value in visit.form.items()
        if key.startswith("item-") and key.removeprefix("item-") in keys
    }
    changes = {key: typed[key] for key in differing(seen, typed)}
    try:
        visit.console.service.reports.edit(clock, changes, base=base, **visit.who)
    except Conflict:
        return _clash(visit, one, clock, changes)
    return visit.to(one.address, done="draft_saved")


def _fields(visit: Visit, clock: str, version: int) -> dict[str, str]:
    """What a version says; nothing for one that is not there."""
    versions = visit.console.service.reports.versions(clock)
    return next((dict(held.body["fields"]) for held in versions if held.body["version"] == version), {})


def _clash(visit: Visit, one: Obligation, clock: str, changes: dict[str, str]) -> Response:
    """Both texts of each item in which they differ; what the reader left alone stays as the other wrote it."""
    latest = visit.console.service.reports.latest(clock)
    assert latest is not None  # there is a newer one
    theirs = latest.body["fields"]
    titles = {item.key: item.title for item in drafting.asked(one.duty, {**theirs, **changes})}
    fields = [
        Field(f"item-{key}", titles[key], theirs.get(key, ""), changes[key], "ja")
        for key in differing(theirs, changes)
    ]
    made = Clash(
        what=one.duty.what.of(visit.language),
        back=one.address,
        action=f"{one.address}/edit",
        fields=fields,
        carried=[("version", str(latest.body["version"]))],
        by=latest.body["by"],
        at=latest.body["at"],
    )
    return made.answer(visit)


def approve(visit: Visit) -> Response:
    """Somebody who did not write it lets this version go out."""
    one = _wanted(visit)
    visit.console.service.reports.approve(_clock(one), _version(visit), **visit.who)
    return visit.to(one.address, done="draft_approved")


def sent(visit: Visit) -> Response:
    """A person sent it: when and by which way."""
    one = _wanted(visit)
    visit.console.service.reports.sent(
        _clock(one),
        _version(visit),
        text(visit, "how"),
        moment(visit, "at"),
        **visit.who,
    )
    return visit.to(one.address, done="draft_sent")


def file(visit: Visit) -> Response:
    """The version as PDF or Word file; taking it is written to the audit log."""
    one, kind = _wanted(visit), str(visit.request.path_params["kind"])
    if kind not in _TYPES:
        raise InputError("PDF か DOCX を選んでください。", "choose PDF or DOCX")
    number = _number(visit.asked("version"))
    written = visit.console.service.reports.written(_clock(one), number)
    visit.console.audit.append(
        actor=visit.actor,
        action="console.draft",
        target=one.incident.id,
        details={"duty": one.duty.id, "version": number, "kind": kind},
    )
    name = f"{one.duty.id}-{one.incident.number}-v{number}.{kind}"
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return Response(getattr(written, kind), media_type=_TYPES[kind], headers=headers)


def _version(visit: Visit) -> int:
    return _number(visit.form.get("version", ""))


def _number(given: str) -> int:
    if not given.isdecimal() or len(given) > 6:
        raise InputError("この版はありません。", "there is no such version")
    return int(given)
