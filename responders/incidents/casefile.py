"""An incident's record, changed by compare-and-set: console, command line and respond process write the same ones.

Whoever comes with a change for an incident that was merged changes the one that took it in.
"""

from collections.abc import Callable, Iterable
from datetime import datetime

from hinomi.errors import Conflict, InputError
from hinomi.incident import Happening, Incident, Status
from hinomi.store import Record, Records

KIND, NUDGE = "incident", "incident_nudge"
OPEN = [status.value for status in Status if status is not Status.CLOSED]
_TRIES = 200
CALLS_FROM = 1  # the lowest grade that calls a person

Edit = Callable[[Incident], Incident]


def read(records: Records, incident_id: str) -> Incident:
    """The incident, or the one that it was merged into. Raises InputError when there is none."""
    incident, _ = _held(records, incident_id, None)
    return incident


def family(incident: Incident) -> list[str]:
    """The incident's id and those of all that it took in: what people did there belongs to it, too."""
    return [incident.id, *(str(one) for one in incident.fields.get("took_in", []))]


def family_of(records: Records, incident_id: str) -> list[str]:
    """The same of the incident with this very id, not of the one that took it in; the id alone where there is no such incident."""
    held = records.get(KIND, incident_id)
    return family(held.read_as(Incident)) if held else [incident_id]


def parted_from(records: Records, family: Iterable[str]) -> list[str]:
    """The ids of incidents that were split off from one of these, or that one of these was split off from."""
    held = (records.get(KIND, one) for one in family)
    return sorted({str(one) for home in held if home for one in home.body.get("fields", {}).get("apart", [])})


def surviving(records: Records, incident_id: str) -> Record | None:
    """The incident's record, or that of the one which took it in, unread: what else it holds may be damaged, and nobody misses a
    deadline or has a machine isolated for that."""
    held, seen = records.get(KIND, incident_id), {incident_id}
    while held and (into := str(held.body.get("fields", {}).get("merged_into", ""))) and into not in seen:
        seen.add(into)
        held = records.get(KIND, into)
    return held


def is_closed(records: Records, incident_id: str) -> bool:
    """Whether it is over, by a person's verdict or because another one took it in."""
    held = records.get(KIND, incident_id)
    return held is not None and held.body["status"] == Status.CLOSED


def numbered(records: Records, number: int) -> Incident:
    """The incident that people call by this number. Raises InputError when there is none."""
    found = records.find("incident", {"number": number}, limit=1)
    if not found:
        raise InputError(f"インシデント #{number} はありません。", f"there is no incident #{number}")
    return found[0].read_as(Incident)


def change(records: Records, incident_id: str, edit: Edit, *, start: Incident | None = None) -> Incident:
    """The incident after `edit`, written over exactly what `edit` saw; another's change makes it look again.

    An edit that returns its argument writes nothing. start: what there is to edit where no record exists yet.
    Raises InputError where there is none, Conflict when others never stop writing.
    """
    for _ in range(_TRIES):
        incident, version = _held(records, incident_id, start)
        changed = edit(incident)
        if changed is incident:
            return incident
        if version and _asks(changed) != _asks(incident):
            records.put(NUDGE, incident.id, {})  # whoever calls people looks at it again
        try:
            records.put(KIND, incident.id, changed.model_dump(mode="json"), expect=version)
        except Conflict:
            continue
        return changed
    raise Conflict(
        "ほかの人の変更と重なりました。もう一度お試しください。",
        "others changed it at the same time; try again",
    )


def _held(records: Records, incident_id: str, start: Incident | None) -> tuple[Incident, int]:
    """The incident as it is and its version, 0 for one that is not written yet."""
    seen: set[str] = set()
    while incident_id not in seen:
        seen.add(incident_id)
        record = records.get(KIND, incident_id)
        if record is None:
            break
        incident = record.read_as(Incident)
        into = str(incident.fields.get("merged_into", ""))
        if not into:
            return incident, record.version
        incident_id = into
    if start is None:
        raise InputError("このインシデントはありません。", "there is no such incident")
    return start, 0


def _asks(incident: Incident) -> tuple[object, ...]:
    """What decides whether and when people are called."""
    again = incident.fields.get("propose_again"), incident.fields.get("reopened")
    return needs_a_person(incident), incident.grade, *again


def with_line(incident: Incident, line: Happening) -> Incident:
    """The incident with one more line in its timeline."""
    return incident.model_copy(update={"updated": line.time, "timeline": [*incident.timeline, line]})


def graver_since(incident: Incident) -> bool:
    """Whether the incident has become graver since somebody took it: then people are called again."""
    return incident.grade > int(incident.fields.get("acknowledged_grade", incident.grade))


def needs_a_person(incident: Incident) -> bool:
    """Whether it is open and nobody has taken it yet, or it has become graver than when somebody did."""
    if incident.status is Status.CLOSED:
        return False
    return not incident.acknowledged_by or graver_since(incident)


def waits_since(incident: Incident) -> datetime:
    """From when the wait for a person counts: the opening or, once taken, the moment it became graver."""
    raised = incident.fields.get("graded_at")
    return datetime.fromisoformat(raised) if incident.acknowledged_by and raised else incident.opened


def link_used(incident: Incident, nonce: str) -> bool:
    """Whether the acknowledgement link with this nonce was used."""
    return nonce in incident.fields.get("used_links", [])


def with_link_used(incident: Incident, nonce: str) -> Incident:
    """The incident with the link marked as used; itself where there is no link or it was marked before."""
    if not nonce or link_used(incident, nonce):
        return incident
    used = [*incident.fields.get("used_links", []), nonce]
    return incident.model_copy(update={"fields": {**incident.fields, "used_links": used}})
