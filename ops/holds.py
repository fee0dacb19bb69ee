"""Legal holds: an incident's evidence is kept, whatever its age, until a person ends the hold with a reason.

What is held is whole days: those of the incident's alerts with a day before and after, of each dataset that an alert's
evidence lies in, and the signals of those days. Beginning and ending a hold goes to the audit log.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from hinomi.alert import Alert
from hinomi.batch import SIGNALS
from hinomi.clock import Clock
from hinomi.errors import InputError
from hinomi.store import Record, Records, Span
from responders.audit import Audit
from responders.incidents import casefile

KIND = "hold"
_AROUND = timedelta(days=1)


def begin(records: Records, clock: Clock, number: int, *, by: str, reason: str) -> Record:
    """Hold the evidence of the incident with that number. Raises InputError where there is none or no reason."""
    if not reason.strip():
        raise InputError("保存指定には理由が必要です。", "a hold needs a reason")
    incident = casefile.numbered(records, number)
    alerts = [
        Alert.model_validate(r.body) for i in incident.alert_ids if (r := records.get("alert", i)) is not None
    ]
    body = {
        "incident_id": incident.id,
        "number": number,
        "datasets": sorted({name for alert in alerts for name in alert.datasets} | {SIGNALS}),
        "start": (min([incident.first, *(one.first for one in alerts)]) - _AROUND).isoformat(),
        "end": (max([incident.last, *(one.last for one in alerts)]) + _AROUND).isoformat(),
        "by": by,
        "reason": reason,
        "begun": clock.now().isoformat(),
        "ended": None,
    }
    Audit(records, clock).append(
        actor=by, action="hold.begin", target=incident.id, details={"reason": reason}
    )
    held = records.get(KIND, incident.id)
    return records.put(KIND, incident.id, body, expect=held.version if held else 0)


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


def in_force(records: Records) -> list[Record]:
    """Holds that nobody has ended."""
    return records.find(KIND, {"ended": None}, order="begun")


def spans(records: Records) -> Mapping[str, Sequence[Span]]:
    """What is held of each dataset."""
    held: dict[str, list[Span]] = defaultdict(list)
    for record in in_force(records):
        span = Span(datetime.fromisoformat(record.body["start"]), datetime.fromisoformat(record.body["end"]))
        for name in record.body["datasets"]:
            held[name].append(span)
    return held
