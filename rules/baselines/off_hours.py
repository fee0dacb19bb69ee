"""Work outside the office's hours: at night, at weekends, on Japanese holidays, 12/29–1/3.

Options: start ("07:00"), end ("20:00") in Asia/Tokyo; at_least (1) events of one entity in a night or day off.
"""

from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import holidays

from hinomi.clock import JST
from hinomi.errors import ContentError, Where
from rules.baselines.baseline import Baseline, Declared, Finding
from rules.correlation.entry import Entry

_JAPAN = holidays.country_holidays("JP")
_KEPT_DAYS = 3
_MOST = 500


class Type(Baseline):
    """Counts by entity and day, in event time."""

    def __init__(self, declared: Declared) -> None:
        super().__init__(declared)
        self.start, self.end = _clock(declared, "start", "07:00"), _clock(declared, "end", "20:00")
        self.at_least = int(declared.number("at_least", 1))
        self.seen: dict[str, list[Entry]] = {}

    def look(self, entry: Entry) -> list[Finding]:
        """A finding from the `at_least`-th event of a stretch on; it grows with further ones."""
        local = _local(entry)
        if not self.is_off(local):
            return []
        night = (local - timedelta(hours=12)).date()  # 22:00 and 03:00 of one night belong together
        key = f"{str(entry.who(self.entity)).lower()}|{night}"
        kept = self.seen.setdefault(key, [])
        if len(kept) >= _MOST or any(one.id == entry.id for one in kept):
            return []
        kept.append(entry)
        self._forget(night)
        if len(kept) < self.at_least:
            return []
        return [
            Finding(
                key=key,
                entries=list(kept),
                ja=f"執務時間外({local:%m/%d %H:%M})に{len(kept)}件",
                en=f"{len(kept)} outside office hours ({local:%Y-%m-%d %H:%M})",
                fields={self.entity: entry.value(self.entity)},
            )
        ]

    def is_off(self, local: datetime) -> bool:
        """Whether nobody is expected to work at this time (JST)."""
        return is_day_off(local.date()) or not self.start <= local.time() < self.end

    def _forget(self, night: date) -> None:
        oldest = (night - timedelta(days=_KEPT_DAYS)).isoformat()
        self.seen = {key: kept for key, kept in self.seen.items() if key.rpartition("|")[2] >= oldest}

    def dump(self) -> Any:
        """Key → entries."""
        return {key: [list(entry) for entry in kept] for key, kept in self.seen.items()}

    def load(self, state: Any) -> None:
        """See `dump`."""
        self.seen = {key: [Entry(*entry) for entry in kept] for key, kept in state.items()}


def is_day_off(day: date) -> bool:
    """A weekend, a Japanese holiday, or the New Year closing."""
    closed = (day.month, day.day) >= (12, 29) or (day.month, day.day) <= (1, 3)
    return day.weekday() >= 5 or day in _JAPAN or closed


def _local(entry: Entry) -> datetime:
    return datetime.fromtimestamp(entry.time / 1_000_000_000, UTC).astimezone(JST)


def _clock(declared: Declared, name: str, default: str) -> time:
    text = declared.text(name, default)
    try:
        return time.fromisoformat(text)
    except ValueError:
        raise ContentError(
            f"「{text}」は時刻(例 07:00)ではありません。",
            f'"{text}" is not a time such as 07:00',
            where=Where(declared.path, None, f"baseline.{name}"),
        ) from None
