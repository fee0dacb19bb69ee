"""What went out lately, in one small record: limits and storms cost the same after years of messages."""

from datetime import datetime, timedelta

from hinomi.errors import Conflict
from hinomi.store import Record, Records

KIND, ID = "notify_recent", "sent"
_KEPT = timedelta(hours=25)
_MOST = 2_000


def note(records: Records, sent: Record, now: datetime) -> None:
    """A message went out."""
    line = {
        "id": sent.id,
        "person": sent.body["person"],
        "sent": sent.body["sent"],
        "grade": int(sent.body.get("grade", 0)),
        "stands_for": int(sent.body.get("stands_for", 1)),
    }
    while True:
        held = records.get(KIND, ID)
        oldest = (now - _KEPT).isoformat()
        lines = [one for one in (held.body["messages"] if held else []) if one["sent"] >= oldest]
        if any(one["id"] == sent.id for one in lines):
            return
        body = {"messages": [*lines, line][-_MOST:]}
        try:
            records.put(KIND, ID, body, expect=held.version if held else 0)
        except Conflict:
            continue
        return


def since(records: Records, kind: str, start: datetime) -> list[Record]:
    """Messages that went out since then, as far as limits ask: person, time, grade."""
    held = records.get(KIND, ID)
    first = start.isoformat()
    return [
        Record(kind, str(one["id"]), 0, one, start)
        for one in (held.body["messages"] if held else [])
        if one["sent"] >= first
    ]
