"""Work outside the office's hours: at night, at weekends, on Japanese holidays, 12/29–1/3.

Options: start ("07:00"), end ("20:00") in Asia/Tokyo; at_least (1) events of one entity in a night or day off.
"""

from datetime import UTC, datetime, time, timedelta
from typing import Any

from hinomi.calendar import is_day_off
from hinomi.clock import JST
from hinomi.errors import ContentError, Where
from rules.baselines.baseline import Baseline, Declared, Finding
from rules.baselines.recent import Recent
from rules.entry import Entry

_KEPT = 3 * 86_400 * 1_000_000_000
_MOST = 2_000


class Type(Baseline):
    """Keeps the events of each entity and night, until three days after the last of them came."""

    def __init__(self, declared: Declared) -> None:
        super().__init__(declared)
        self.start, self.end = _clock(declared, "start", "07:00"), _clock(declared, "end", "20:00")
        self.at_least = int(declared.number("at_least", 1))
        self.seen: Recent[list[Entry]] = Recent(list)
        self.full = 0

    def look(self, entry: Entry) -> list[Finding]:
        """A finding from the `at_least`-th event of a stretch on; it grows with further ones."""
        local = _local(entry)
        if not self.is_off(local):
            return []
        self.seen.forget(self.newest - _KEPT)
        night = (local - timedelta(hours=12)).date()  # 22:00 and 03:00 of one night belong together
        key = f"{self.person(entry)}|{night}"
        kept = self.seen.of(key, self.newest)
        if any(one[:3] == entry[:3] for one in kept):
            return []
        if len(kept) >= _MOST:
            self.full += 1
            return []
        kept.append(entry)
        return [self._finding(key, kept)] if len(kept) >= self.at_least else []

    def _finding(self, key: str, kept: list[Entry]) -> Finding:
        first, last = _local(min(kept)), _local(max(kept))
        span_ja = f"{first:%m/%d %H:%M}" + (f"〜{last:%H:%M}" if len(kept) > 1 else "")
        span_en = f"{first:%Y-%m-%d %H:%M}" + (f" to {last:%H:%M}" if len(kept) > 1 else "")
        return Finding(
            key=key,
            entries=list(kept),
            ja=f"執務時間外({span_ja})に{len(kept):,}件",
            en=f"{len(kept):,} outside office hours ({span_en} JST)",
            fields={self.entity: self.person(kept[0])},
        )

    def is_off(self, local: datetime) -> bool:
        """Whether nobody is expected to work at this time (JST)."""
        return is_day_off(local.date()) or not self.start <= local.time() < self.end

    def take_forgotten(self) -> int:
        """Nights given up, and events that were too many to keep."""
        full, self.full = self.full, 0
        return full + self.seen.take_lost()

    def dump(self) -> Any:
        """Entity and night, mark, entries."""
        return self.seen.dump(lambda kept: [list(entry) for entry in kept])

    def load(self, state: Any) -> None:
        """See `dump`."""
        self.seen.load(state, lambda body: [Entry(*entry) for entry in body])


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
