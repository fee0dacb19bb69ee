"""Every ten minutes: does every part of the store answer, and is what lies on the disk what was written?

Parts that are gone are seen at a glance. A bit that turned over is seen only by reading, so a portion of an embedded store
is read each time, all of it in turn; what was found stays noted until it is mended. People are told once a day.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from hinomi.alert import Alert, Level
from hinomi.clock import Clock
from hinomi.identity import digest
from hinomi.store import Events, Flaw, Records
from hinomi.store.embedded import ParquetEvents
from hinomi.store.embedded.integrity import flaw
from ops.journal import log

_PLACE = ("own_watch", "store_read")
_DAMAGED = "5c1f6b0e-7a43-4f0c-9d0e-2f4f7f3e8b61"
_PORTION = 256 << 20  # bytes a turn: 36 GiB a day
_NAMED = 5


@dataclass(frozen=True, slots=True)
class StoreWatch:
    """portion: bytes that are read in a turn."""

    events: Events
    records: Records
    clock: Clock
    portion: int = _PORTION

    def look(self, tell: Callable[[Alert], object]) -> int:
        """Tell what does not answer or is not as it was written; how many parts."""
        self._read()
        found = damaged(self.events, self.records)
        for one in found:
            log.error(
                "store_part_damaged", part=one.place, dataset=one.dataset, day=one.day, reason=one.said.en
            )
        if found:
            tell(_alert(found, self.clock.now()))
        return len(found)

    def _read(self) -> None:
        """The next portion; the place where it ends and what it found are noted."""
        if not isinstance(self.events, ParquetEvents):
            return
        held = self.records.get(*_PLACE)
        after, known = (int(held.body["after"]), set(held.body["damaged"])) if held else (0, set())
        known &= {file.path for file in self.events.integrity.still(known)}
        left, end = self.portion, 0
        for file, harm in self.events.integrity.verified(after):
            known = known | {file.path} if harm else known - {file.path}
            left -= file.bytes
            if left <= 0:
                end = file.seq
                break
        self.records.put(*_PLACE, {"after": end, "damaged": sorted(known)})


def damaged(events: Events, records: Records) -> list[Flaw]:
    """What does not answer, and what was found changed by reading and still is."""
    found = {one.place: one for one in events.flaws()}
    held = records.get(*_PLACE)
    if isinstance(events, ParquetEvents) and held is not None:
        for file, harm in events.integrity.again(held.body["damaged"]):
            found.setdefault(file.path, flaw(file, harm))
    return list(found.values())


def _alert(found: Sequence[Flaw], now: datetime) -> Alert:
    """One a day for the same parts."""
    named = [f"{one.dataset} {one.day}" for one in found]
    lost = sum(one.events or 0 for one in found)
    more = "…" if len(found) > _NAMED else ""
    first = ", ".join(dict.fromkeys(named[:_NAMED])) + more
    return Alert(
        id=digest(_DAMAGED, f"{now:%Y-%m-%d}", *(one.place for one in found)),
        rule_id=_DAMAGED,
        rule_name="store_damaged",
        title_ja="保管庫の一部が壊れているか、失われている",
        title_en="Parts of the store are damaged or gone",
        level=Level.HIGH,
        kind="correlation",
        first=now,
        last=now,
        detected=now,
        datasets=sorted({one.dataset for one in found}),
        event_count=len(found),
        reason_ja=f"{len(found):,} 個、{lost:,} 件: {first}",
        reason_en=f"{len(found):,} parts, {lost:,} events: {first}",
        what_to_do_ja="hinomi doctor で場所を見て、hinomi store repair で写しから戻してください。ディスクの故障か、"
        "人が書き換えたかも確かめてください。",
        what_to_do_en="See hinomi doctor for where, bring them back by hinomi store repair, and find out whether a disk fails or somebody"
        " changed them.",
        tags=["attack.t1070"],
        guideline=["MIC-6.1-(6)-c"],
    )
