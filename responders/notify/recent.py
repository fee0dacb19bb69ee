"""What went out lately, in one small record: limits and storms cost the same after years of messages."""

from collections import Counter
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Any

from hinomi.errors import Conflict
from hinomi.store import Record, Records
from responders.notify.settings import NotifySettings
from responders.notify.storm import SERIOUS

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


def full(settings: NotifySettings, lately: Sequence[Record], now: datetime) -> Callable[[Record], bool]:
    """Whether the limits of the hour hold a message back, after what went out lately. What is serious never is."""
    first = (now - timedelta(hours=1)).isoformat()
    told = Counter(str(one.body["person"]) for one in lately if one.body["sent"] >= first)
    all_told = told.total() >= settings.an_hour

    def held_back(message: Record) -> bool:
        if int(message.body.get("grade", 0)) >= SERIOUS:
            return False
        return all_told or told[message.body["person"]] >= settings.per_person_an_hour

    return held_back


def _lines(held: Record | None) -> list[dict[str, Any]]:
    """Those that can be read. What is damaged counts in no limit: a message too many is better than silence."""
    lines = held.body.get("messages") if held else None
    return [one for one in lines if _whole(one)] if isinstance(lines, list) else []


def _whole(line: object) -> bool:
    kinds = {"id": str, "person": str, "sent": str, "grade": int, "stands_for": int}
    return isinstance(line, dict) and all(isinstance(line.get(name), kind) for name, kind in kinds.items())
