"""Work outside the office's hours: at night, at weekends, on Japanese holidays, 12/29–1/3.

Options: start ("07:00"), end ("20:00") in Asia/Tokyo; at_least (1) events of one entity in a night or day off; memory_mb (32).
"""

from datetime import UTC, datetime, time, timedelta
from typing import Any

from hinomi.calendar import is_day_off
from hinomi.clock import JST
from hinomi.errors import ContentError, Where
from rules.baselines import evidence
from rules.baselines.baseline import Baseline, Declared, Finding
from rules.baselines.evidence import Evidence
from rules.baselines.seen import Seen
from rules.entry import Entry

_KEPT = 3 * 86_400 * 1_000_000_000


class Type(Baseline):
    """Keeps of each entity and night how many events there were and the first ones, until three days after the last came."""

    def __init__(self, declared: Declared) -> None:
        super().__init__(declared)
        self.start, self.end = _clock(declared, "start", "07:00"), _clock(declared, "end", "20:00")
        self.at_least = int(declared.number("at_least", 1))
        self.nights = evidence.kept(self.room)
        self.seen = Seen()

    def look(self, entry: Entry) -> list[Finding]:
        """A finding from the `at_least`-th event of a stretch on; it grows with further ones."""
        local = _local(entry.time)
        if not self.is_off(local):
            return []
        if not self.seen.is_new(entry):
            return []
        self.nights.forget(self.newest - _KEPT)
        who, began = self.person(entry), (local - timedelta(hours=12)).date()
        key = f"{who}|{began}"  # 22:00 and 03:00 of one night belong together
        night = self.nights.of(key, self.newest)
        self.nights.grew(key, night.add(entry))
        return [self._finding(key, who, night)] if night.n >= self.at_least else []

    def _finding(self, key: str, who: str, night: Evidence) -> Finding:
        first, last, several = _local(night.first), _local(night.last), night.n > 1
        span_ja = f"{first:%m/%d %H:%M}" + (f"〜{last:%H:%M}" if several else "")
        span_en = f"{first:%Y-%m-%d %H:%M}" + (f" to {last:%H:%M}" if several else "")
        return Finding.of(
            key,
            night,
            f"執務時間外({span_ja})に{night.n:,}件",
            f"{night.n:,} {'events' if several else 'event'} outside office hours ({span_en} JST)",
            {self.entity: who},
        )

    def is_off(self, local: datetime) -> bool:
        """Whether nobody is expected to work at this time (JST)."""
        return is_day_off(local.date()) or not self.start <= local.time() < self.end

    def take_forgotten(self) -> int:
        """Nights given up."""
        return self.nights.take_lost()

    def dump(self) -> Any:
        """Entity and night, mark, events; what was counted."""
        return [self.nights.dump(Evidence.as_json), self.seen.dump()]

    def load(self, state: Any) -> None:
        """See `dump`. States before were the nights alone, with every event."""
        parted = len(state) == 2 and not (state[0] and isinstance(state[0][0], str))
        self.nights.load(state[0] if parted else state, Evidence.of_json)
        if parted:
            self.seen.load(state[1])
        else:
            for _, night, _ in self.nights.kept.values():
                for entry in night.entries:
                    self.seen.is_new(entry)


def _local(time: int) -> datetime:
    return datetime.fromtimestamp(time / 1_000_000_000, UTC).astimezone(JST)


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
