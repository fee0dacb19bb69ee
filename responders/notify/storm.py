"""When a message to a person goes: at once while it is quiet, together with others in a storm, the gravest never held up.

A message counts for as many incidents as it tells of, so one that tells of hundreds is a storm by itself. What is graver
than all that was told goes at once. Of grade 3 each goes at once until there are as many as make a storm; those after it
are told together, 5, 10, 20 … at most 60 seconds apart: a pager that rings without a pause is not read any more.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from hinomi.pauses import growing
from hinomi.store import Record
from responders.notify.settings import NotifySettings

SERIOUS = 3
_FIRST, _LONGEST = timedelta(seconds=5), timedelta(seconds=60)


@dataclass(frozen=True, slots=True)
class Storm:
    """Decides from what went out lately."""

    settings: NotifySettings

    def go(self, fresh: Sequence[Record], told: Sequence[Record], now: datetime) -> bool:
        """Whether these messages to one person go now. told: what went out to the person."""
        window = timedelta(minutes=self.settings.storm_minutes)
        lately = [one for one in told if _sent(one) > now - window]
        if self._weight(lately) < self.settings.storm_messages:
            return True
        gravest = max(map(grade, fresh))
        if gravest > max(map(grade, lately)):
            return True
        if gravest >= SERIOUS and self._paced(lately, now):
            return True
        return min(datetime.fromisoformat(one.body["created"]) for one in fresh) + window <= now

    def _weight(self, lately: Sequence[Record]) -> int:
        most = self.settings.storm_messages
        return sum(min(int(one.body.get("stands_for", 1)), most) for one in lately)

    def _paced(self, lately: Sequence[Record], now: datetime) -> bool:
        """Whether the pause after the last of grade 3 is over."""
        serious = [one for one in lately if grade(one) >= SERIOUS]
        pause = growing(_FIRST, _LONGEST, len(serious))
        return self._weight(serious) < self.settings.storm_messages or now >= max(map(_sent, serious)) + pause


def grade(record: Record) -> int:
    """Of the incident that a message is about."""
    return int(record.body.get("grade", 0))


def _sent(record: Record) -> datetime:
    return datetime.fromisoformat(record.body["sent"])
