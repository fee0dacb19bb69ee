"""Legal holds: an incident's evidence is kept, whatever its age, until a person ends the hold with a reason.

What is held is whole days: those of the incident's alerts with a day before and after, of each dataset that an alert's
evidence lies in, and the signals of those days; also the days on which the alerts were found, as an event whose clock was
wrong lies with the day it came. A hold follows its incident: alerts that join it later, the incident that took it in, and what
is split off from it while the hold lasts, are held, too. Beginning and ending a hold goes to the audit log.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from pydantic import BaseModel

from hinomi.alert import Alert
from hinomi.batch import SIGNALS
from hinomi.clock import Clock
from hinomi.errors import InputError
from hinomi.incident import SPLIT_FROM, Incident
from hinomi.store import Record, Records, Span
from responders.audit import Audit
from responders.incidents import casefile

KIND = "hold"
_AROUND = timedelta(days=1)
_MOST = 1_000_000  # more than there can be: one that is left out would not hold


class Hold(BaseModel):
    """What is held for an incident, since when and why; ended: when a person ended it."""

    incident_id: str
    number: int
    datasets: list[str]
    start: datetime
    end: datetime
    by: str
    reason: str
    begun: datetime
    ended: datetime | None = None


def begin(records: Records, clock: Clock, number: int, *, by: str, reason: str) -> Record:
    """Hold the evidence of the incident with that number. Raises InputError where there is none or no reason."""
    if not reason.strip():
        raise InputError("保存指定には理由が必要です。", "a hold needs a reason")
    incident = casefile.numbered(records, number)
    alerts = _alerts(records, incident)
    hold = Hold(
        incident_id=incident.id,
        number=number,
        datasets=sorted({name for alert in alerts for name in alert.datasets} | {SIGNALS}),
        start=min([incident.first, *(one.first for one in alerts)]) - _AROUND,
        end=max([incident.last, *(one.last for one in alerts)]) + _AROUND,
        by=by,
        reason=reason,
        begun=clock.now(),
    )
    Audit(records, clock).append(
        actor=by, action="hold.begin", target=incident.id, details={"reason": reason}
    )
    held = records.get(KIND, incident.id)
    expect = held.version if held else 0
    return records.put(KIND, incident.id, hold.model_dump(mode="json"), expect=expect)


def end(records: Records, clock: Clock, number: int, *, by: str, reason: str) -> None:
    """End the hold; from then on retention takes what is old. Raises InputError where none is in force."""
    found = records.find(KIND, {"number": number, "ended": None}, limit=1)
    if not found or not reason.strip():
        raise InputError(
            f"インシデント #{number} の保存指定がないか、理由がありません。",
            f"there is no hold on incident #{number}, or no reason is given",
        )
    Audit(records, clock).append(actor=by, action="hold.end", target=found[0].id, details={"reason": reason})
    ended = {**found[0].body, "ended": clock.now().isoformat(), "ended_by": by, "ended_because": reason}
    records.put(KIND, found[0].id, ended, expect=found[0].version)


def in_force(records: Records) -> list[Hold]:
    """Holds that nobody has ended. Raises Damaged where one cannot be read: what it keeps is not known then, and nothing
    may go."""
    return [
        record.read_as(Hold) for record in records.find(KIND, {"ended": None}, order="begun", limit=_MOST)
    ]


def spans(records: Records) -> Mapping[str, Sequence[Span]]:
    """What is held of each dataset: what was when a hold began, and what its incident has come to. Raises Damaged."""
    held: dict[str, list[Span]] = defaultdict(list)
    for hold in in_force(records):
        for name in hold.datasets:
            held[name].append(Span(hold.start, hold.end))
        for alert in _now(records, hold):
            for name in {*alert.datasets, SIGNALS}:
                held[name].append(Span(alert.first - _AROUND, alert.last + _AROUND))
                held[name].append(Span(alert.detected - _AROUND, alert.detected + _AROUND))
    return held


def _now(records: Records, hold: Hold) -> list[Alert]:
    """The alerts of the held incident, or of the one that took it in, and of all that was split off since the hold began; none
    where no record of it is left."""
    wanted, seen = [hold.incident_id], set[str]()
    alerts: list[Alert] = []
    while wanted:
        try:
            incident = casefile.read(records, wanted.pop())
        except InputError:
            continue
        if incident.id in seen:
            continue
        seen.add(incident.id)
        alerts += _alerts(records, incident)
        wanted += _split_off(records, casefile.family(incident), hold)
    return alerts


def _split_off(records: Records, family: Sequence[str], hold: Hold) -> list[str]:
    """The incidents that were split off while it was held: from this one, or from one that went into it and named them then."""
    found = (records.get(casefile.KIND, one) for one in casefile.parted_from(records, family))
    others = [one.read_as(Incident) for one in found if one is not None]
    return [one.id for one in others if one.fields.get(SPLIT_FROM) in family and one.opened >= hold.begun]


def _alerts(records: Records, incident: Incident) -> list[Alert]:
    return [r.read_as(Alert) for i in incident.alert_ids if (r := records.get("alert", i)) is not None]
