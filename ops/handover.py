"""Alerts from the detecting process to the responding one, on whatever machines they are: a record an alert.

Given again it is taken again, and receiving an alert twice changes nothing; what grows while it is being taken is not
marked as taken, as the mark is a compare-and-set.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from hinomi.alert import Alert
from hinomi.errors import Conflict
from hinomi.store import Records
from ops.detection import Give

KIND = "detected"
_AT_ONCE = 1_000


@dataclass(frozen=True, slots=True)
class Handover:
    """The records between the two."""

    records: Records

    def give(self, alerts: Sequence[Alert]) -> None:
        """Lay alerts out to be taken."""
        for alert in alerts:
            self.records.put(KIND, alert.id, {"taken": False, "alert": alert.model_dump(mode="json")})

    def take(self, give: Give) -> int:
        """Hand on what is laid out, the newest first; how many there were."""
        waiting = self.records.find(KIND, {"taken": False}, order="-alert.last", limit=_AT_ONCE)
        if not waiting:
            return 0
        give([Alert.model_validate(record.body["alert"]) for record in waiting])
        for record in waiting:
            try:
                self.records.put(KIND, record.id, {"taken": True}, expect=record.version)
            except Conflict:  # it grew meanwhile
                continue
        return len(waiting)
