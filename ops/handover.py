"""Alerts from the detecting process to the responding one, on whatever machines they are: a record an alert.

Given again it is taken again, and receiving an alert twice changes nothing; what grows while it is being taken is not
marked as taken, as the mark is a compare-and-set.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from hinomi.alert import Alert, Level
from hinomi.errors import Conflict
from hinomi.store import Record, Records
from ops.detection import Give

KIND = "detected"
_AT_ONCE = 200  # people are called after each portion


@dataclass(frozen=True, slots=True)
class Handover:
    """The records between the two."""

    records: Records

    def give(self, alerts: Sequence[Alert]) -> None:
        """Lay alerts out to be taken."""
        for alert in alerts:
            self.records.put(KIND, alert.id, {"taken": False, "alert": alert.model_dump(mode="json")})

    def take(self, give: Give) -> bool:
        """Hand on a portion of what is laid out, the gravest and newest first. True when more may wait."""
        waiting = self._waiting()
        if not waiting:
            return False
        give([Alert.model_validate(record.body["alert"]) for record in waiting])
        for record in waiting:
            try:
                self.records.put(KIND, record.id, {"taken": True}, expect=record.version)
            except Conflict:  # it grew meanwhile
                continue
        return len(waiting) >= _AT_ONCE

    def _waiting(self) -> list[Record]:
        found = self._newest()
        if len(found) >= _AT_ONCE:  # a storm: what is grave may lie below what is new
            for level in (Level.HIGH, Level.CRITICAL):
                grave = self._newest(level)
                known = {one.id for one in grave}
                found = [*grave, *(one for one in found if one.id not in known)]
        return found[:_AT_ONCE]

    def _newest(self, level: Level | None = None) -> list[Record]:
        where = {"taken": False} | ({"alert.level": level.value} if level else {})
        return self.records.find(KIND, where, order="-alert.last", limit=_AT_ONCE)
