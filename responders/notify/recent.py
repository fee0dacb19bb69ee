"""What went out lately, in one small record: limits and storms cost the same after years of messages."""

from datetime import datetime, timedelta
from typing import Any

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
        lines = [one for one in _lines(held) if one["sent"] >= oldest]
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
    first = start.isoformat()
    lines = _lines(records.get(KIND, ID))
    return [Record(kind, str(one["id"]), 0, one, start) for one in lines if one["sent"] >= first]


def _lines(held: Record | None) -> list[dict[str, Any]]:
    """Those that can be read. What is damaged counts in no limit: a message too many is better than silence."""
    lines = held.body.get("messages") if held else None
    return [one for one in lines if _whole(one)] if isinstance(lines, list) else []


def _whole(line: object) -> bool:
    kinds = {"id": str, "person": str, "sent": str, "grade": int, "stands_for": int}
    return isinstance(line, dict) and all(isinstance(line.get(name), kind) for name, kind in kinds.items())
