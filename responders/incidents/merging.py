"""Incidents that turn out to be one: the oldest takes in the others, with all that people did on them."""

from collections.abc import Container, Iterator, Sequence
from contextlib import suppress
from typing import Any

from hinomi.clock import Clock
from hinomi.errors import InputError
from hinomi.faults import readable
from hinomi.incident import Happening, Incident, Status
from hinomi.store import Record, Records
from responders.audit import Audit
from responders.incidents import casefile

ALERT = "alert"
TOLD = ("incident_took_in", "told")
_PAGE = 1000


def merge(
    records: Records,
    audit: Audit,
    clock: Clock,
    first: Incident,
    others: Sequence[Incident],
    *,
    by: str = "",
    why: str = "",
) -> bool:
    """The first takes in the others; they are closed with a word where they went. False: it was closed meanwhile.

    by, why: the person on whose word, and the reason: the respond process then plans anew for the survivor, as the others' plans end
    with them. Empty: they share an entity, and the alert that shows it has all of that follow.

    The survivor is whole before the first of the others is closed, so a crash loses nothing; what a person did on
    one of the others in that same moment is carried over after its closing.
    """
    for other in others:
        details = {"into": first.id, "number": other.number}
        audit.append(actor=by or "hinomi", action="incident.merge", target=other.id, details=details)
    survivor = casefile.change(
        records, first.id, lambda now: _proposing(_carried(now, others), now, bool(by))
    )
    if survivor.status is Status.CLOSED:
        return False
    line = _line(clock, survivor, by, why)
    closed = [_close_into(records, line, other, survivor) for other in others]
    casefile.change(records, first.id, lambda now: _carried(now, closed))
    return True


def tell_survivors(records: Records) -> None:
    """Once, for incidents that were joined before 30 November 2026, when only the one that was taken in said so: its survivor has
    its deadlines, tasks and evidence, too."""
    if records.get(*TOLD) is not None:
        return
    n = sum(1 for _ in readable(_joined(records), lambda held: _told_of(records, held)))
    records.put(*TOLD, {"incidents": n})


def _joined(records: Records) -> Iterator[Record]:
    behind = ""
    while page := records.find(casefile.KIND, {"status": Status.CLOSED.value}, limit=_PAGE, after=behind):
        yield from (one for one in page if one.body.get("fields", {}).get("merged_into"))
        behind = page[-1].id


def _told_of(records: Records, held: Record) -> None:
    def told(now: Incident) -> Incident:
        family = casefile.family(now)
        if held.id in family:
            return now
        return now.model_copy(update={"fields": {**now.fields, "took_in": [*family[1:], held.id]}})

    with suppress(InputError):  # retention has dropped the one that it went into
        casefile.change(records, held.id, told)


def _proposing(carried: Incident, before: Incident, propose: bool) -> Incident:
    if not propose or carried is before:
        return carried
    return carried.model_copy(update={"fields": {**carried.fields, "propose_again": True}})


def _line(clock: Clock, survivor: Incident, by: str, why: str) -> Happening:
    """Where it went, and because of what."""
    into = survivor.number
    shared = (
        f"共通の対象があるため、インシデント #{into} にまとめました。",
        f"Joined into incident #{into}, which it shares an entity with.",
    )
    ja, en = (
        (f"インシデント #{into} にまとめました: {why}", f"Joined into incident #{into}: {why}")
        if by
        else shared
    )
    return Happening(time=clock.now(), kind="status", actor=by or "hinomi", ja=ja, en=en)


def _close_into(records: Records, line: Happening, other: Incident, survivor: Incident) -> Incident:
    """Close it; returns it as it was just before, with whatever came in the same moment."""
    last = other

    def closed(incident: Incident) -> Incident:
        nonlocal last
        if incident.id != other.id:
            return incident  # it went into another one before
        last = incident
        fields = {**incident.fields, "merged_into": survivor.id}
        closing = {"status": Status.CLOSED, "fields": fields}
        return casefile.with_line(incident, line).model_copy(update=closing)

    casefile.change(records, other.id, closed)
    for identity in last.alert_ids:
        held = records.get(ALERT, identity)
        if held is not None and held.body["incident_id"] != survivor.id:
            records.put(ALERT, identity, {**held.body, "incident_id": survivor.id})
    return last


def _carried(first: Incident, others: Sequence[Incident]) -> Incident:
    """The first with the alerts of the others and what people and playbooks did there; itself if it has all that."""
    if first.status is Status.CLOSED:
        return first
    all_ = [first, *others]
    lines = dict.fromkeys(line for one in all_ for line in one.timeline)
    fields = {
        **first.fields,
        "joins_on": sorted({about for one in all_ for about in one.fields.get("joins_on", [])}),
        "took_in": list(dict.fromkeys([*casefile.family(first)[1:], *_ids(others)])),
    }
    known = [str(one.fields["known_at"]) for one in all_ if one.fields.get("known_at")]
    used = dict.fromkeys(nonce for one in all_ for nonce in one.fields.get("used_links", []))
    carried = first.model_copy(
        update={
            "first": min(one.first for one in all_),
            "last": max(one.last for one in all_),
            "timeline": sorted(lines, key=lambda line: line.time),
            "alert_ids": list(dict.fromkeys(i for one in all_ for i in one.alert_ids)),
            "run_ids": list(dict.fromkeys(i for one in all_ for i in one.run_ids)),
            "playbooks": sorted({name for one in all_ for name in one.playbooks}),
            "fields": fields
            | ({"used_links": list(used)} if used else {})
            | _apart(all_, {first.id, *fields["took_in"]})
            | ({"known_at": min(known)} if known else {}),
        }
    )
    for other in others:
        carried = carried.model_copy(update=_taken(carried, other))
        carried = carried.model_copy(update=_graded(carried, other))
    return first if carried == first else carried


def _apart(all_: Sequence[Incident], family: Container[str]) -> dict[str, list[str]]:
    """What people parted from one of them stays apart from all."""
    apart = dict.fromkeys(str(one) for each in all_ for one in each.fields.get("apart", []))
    return {"apart": [one for one in apart if one not in family]} if apart else {}


def _ids(others: Sequence[Incident]) -> list[str]:
    return [identity for one in others for identity in casefile.family(one)]


def _taken(first: Incident, other: Incident) -> dict[str, Any]:
    """Who took the other has taken both, at the grade that they knew of; of two who took one each the graver counts."""
    found: dict[str, Any] = {"assignee": first.assignee or other.assignee}
    if other.acknowledged_by:
        grade = int(other.fields.get("acknowledged_grade", other.grade))
        if first.acknowledged_by:
            grade = max(grade, int(first.fields.get("acknowledged_grade", first.grade)))
        else:
            found |= {"acknowledged_by": other.acknowledged_by, "acknowledged_at": other.acknowledged_at}
        found["fields"] = {**first.fields, "acknowledged_grade": grade}
    if first.status is Status.NEW and other.status is not Status.CLOSED:
        found["status"] = other.status
    return found


def _graded(first: Incident, other: Incident) -> dict[str, Any]:
    """The graver of the two grades holds for both, with its reason; of two that are the same that of a person."""
    by, own = other.fields.get("grade_by"), first.fields.get("grade_by")
    if other.grade < first.grade or (other.grade == first.grade and (own or not by)):
        return {}
    fields = {name: value for name, value in first.fields.items() if name != "grade_by"}
    since = other.fields.get("graded_at") or other.opened.isoformat()
    graver = {"graded_at": since} if other.grade > first.grade else {}
    return {
        "grade": other.grade,
        "grade_reason_ja": other.grade_reason_ja,
        "grade_reason_en": other.grade_reason_en,
        "fields": fields | ({"grade_by": by} if by else {}) | graver,
    }
