"""Watches the rhythm of every source: learns what workers tallied, tells what is out of the usual, notes its end.

Runs where incidents are kept. What it has learned lies in records (one an origin), so that it goes on after a restart
or on another machine; an alert's id follows from source, kind and beginning, so that it is told once.
"""

import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from collectors.rhythm import SLOT, Arrived, Finding, Kind, RhythmSettings, Sender, Usual, judge, watched
from collectors.rhythm.tally import slot_of
from collectors.rhythm.watched import Key, Standing, Watched
from hinomi.clock import Clock
from hinomi.store import Record, Records
from ops import arrivals, rhythm_alerts
from ops.detection import Give
from responders.audit import Audit

_EVERY = 2.0
_ALIVE = 600.0  # seconds after which a worker that says nothing is no longer waited for
_USUAL_NOW = 3 * 86_400.0  # a flood that lasts for so long is what is usual
_FORGOTTEN = 14 * 86_400.0  # a sender that is silent for so long is no longer expected
_NOTED = 20  # of those that go wrong in one moment
_PLACE, _BEFORE = ("rhythm_place", "folded"), ("state", "rhythm")
"""Where it is kept; the kind `state`, where an earlier release kept it, is the detect process's own."""
Slots = dict[int, dict[str, Arrived]]


@dataclass(slots=True)
class Rhythm:
    """declared: every configured origin, heard of or not."""

    records: Records
    settings: RhythmSettings
    declared: Mapping[str, str]
    clock: Clock
    units: dict[Key, Watched] = field(default_factory=dict)
    folded: int = 0
    _looked: float = 0.0
    _touched: set[str] = field(default_factory=set)

    def load(self) -> None:
        """Go on from what was kept."""
        self.units = watched.read(self.records)
        held = self.records.get(*_PLACE) or self.records.get(*_BEFORE)
        self.folded = int(held.body["slot"]) if held else 0

    def turn(self, give: Give) -> None:
        """Look at what came since the last turn; hand over new alerts."""
        if time.monotonic() - self._looked < _EVERY:
            return
        self._looked = time.monotonic()
        span = self._span()
        if span is None:
            return
        since, through = span
        for origin, source in self.declared.items():
            self.units.setdefault((origin, ""), Watched(Usual(origin, source=source)))
        records = self.records.find(arrivals.KIND, limit=100_000)
        slots = merged(records)
        self._hear(slots)
        found = self._judge(slots, since, through)
        self._tell(found, slot_of(through), give)
        self._end(found, slots, through, give)
        self._learn(slots, since, through, found, records)
        for origin in self._touched:
            self._save(origin)
        self._touched.clear()

    def _span(self) -> tuple[float, float] | None:
        """From when until when the workers that run have seen everything."""
        found = [record.body for record in self.records.find(arrivals.THROUGH)]
        latest = max((float(body["through"]) for body in found), default=0.0)
        alive = [body for body in found if latest - float(body["through"]) < _ALIVE]
        if not alive:
            return None
        return max(float(one["since"]) for one in alive), min(float(one["through"]) for one in alive)

    def _hear(self, slots: Slots) -> None:
        for slot in sorted(slots):
            for origin, arrived in slots[slot].items():
                for key, came in _by_unit(origin, arrived):
                    unit = self.units.setdefault(key, Watched(Usual(*key)))
                    unit.usual.source = arrived.source or unit.usual.source
                    unit.usual.heard(came.last)

    def _judge(self, slots: Slots, since: float, through: float) -> dict[Key, list[Finding]]:
        """What is out of the usual now, and what newly was in slots that are over and have taught nothing yet: a slot may
        end just after a trouble began."""
        found: dict[Key, list[Finding]] = {}
        now = slot_of(through)
        before = [slot for slot in sorted(slots) if max(self.folded, slot_of(since) - SLOT) < slot < now]
        for key, unit in self.units.items():
            settings = self.settings.of(key[0])
            if settings.watch:
                silent = judge.silence(unit.usual, since, through, settings)
                new = [one for slot in before for one in self._in_slot(unit, slot, slots, through, key)]
                still = self._in_slot(unit, now, slots, through, key)
                kinds = {one.kind: one for one in new if one.kind not in unit.standing}
                kinds |= {one.kind: one for one in [silent, *still] if one is not None}
                if kinds:
                    found[key] = list(kinds.values())
        return found

    def _in_slot(self, unit: Watched, slot: int, slots: Slots, through: float, key: Key) -> list[Finding]:
        settings, usual, came = self.settings.of(key[0]), unit.usual, _came(slots.get(slot, {}), key)
        if came is None:
            return []
        warm = usual.warm(through, settings.warm_up_days)
        findings = [
            judge.flood(usual, slot, came, settings, warm=warm),
            judge.jump(usual, slot, came, settings),
        ]
        if isinstance(came, Arrived):
            findings.append(judge.form(usual, slot, came, settings))
        return [one for one in findings if one is not None]

    def _tell(self, found: Mapping[Key, list[Finding]], slot: int, give: Give) -> None:
        new: dict[Kind, list[tuple[Watched, Finding]]] = {}
        for key, findings in found.items():
            unit = self.units[key]
            for one in findings:
                if one.kind in unit.standing:
                    unit.standing[one.kind] = _still(unit.standing[one.kind], slot)
                elif not self._covered(key, one.kind, found):
                    new.setdefault(one.kind, []).append((unit, one))
        for kind, many in new.items():
            for group in rhythm_alerts.grouped(many):
                alert = rhythm_alerts.alert(kind, group, self.clock.now())
                give([alert])
                self._enter(kind, group, alert.id)
                for unit, one in group:
                    unit.standing[kind] = Standing.of(one, alert.id, slot)
                    self._touched.add(unit.usual.origin)

    def _enter(self, kind: Kind, group: Sequence[tuple[Watched, Finding]], alert: str) -> None:
        """Each in the audit log, which the pack `own` watches: several in an hour have one cause."""
        log = Audit(self.records, self.clock)
        for unit, _ in group[:_NOTED]:
            name = "/".join(part for part in (unit.usual.origin, unit.usual.sender) if part)
            details = {"alert": alert, "together": len(group)}
            log.append(actor="hinomi", action=f"source.{kind}", target=name, details=details)

    def _covered(self, key: Key, kind: Kind, found: Mapping[Key, list[Finding]]) -> bool:
        """Whether a sender's trouble is its whole origin's, which is told instead."""
        if not key[1]:
            return False
        whole = self.units.get((key[0], ""))
        standing = set(whole.standing) if whole else set()
        wrong = standing | {one.kind for one in found.get((key[0], ""), [])}
        return kind in wrong or (kind is Kind.SILENT and Kind.FORMAT in wrong)

    def _end(self, found: Mapping[Key, list[Finding]], slots: Slots, through: float, give: Give) -> None:
        for key, unit in self.units.items():
            still = {one.kind for one in found.get(key, [])}
            for kind, standing in list(unit.standing.items()):
                if kind not in still and self._is_over(unit, standing, key, slots, through):
                    del unit.standing[kind]
                    if kind is Kind.SILENT:
                        unit.usual.resumed = through
                    self._touched.add(key[0])
                    self._note(standing, through, give)

    def _is_over(self, unit: Watched, standing: Standing, key: Key, slots: Slots, through: float) -> bool:
        if not self.settings.of(key[0]).watch:
            return True
        if standing.kind is Kind.SILENT:
            return unit.usual.last > standing.since
        if through - standing.since > _USUAL_NOW and standing.kind is Kind.FLOOD:
            return True
        later = [
            came
            for slot, origins in slots.items()
            if slot > standing.slot and (came := _came(origins, key)) is not None
        ]
        over = standing.kind is Kind.FLOOD and slot_of(through) > standing.slot + SLOT
        return over or any(came.n >= judge.FEWEST for came in later)

    def _note(self, standing: Standing, through: float, give: Give) -> None:
        """Say so in the incident once all that the alert was about is over."""
        left = [
            unit
            for unit in self.units.values()
            if any(s.alert == standing.alert for s in unit.standing.values())
        ]
        if not left:
            rhythm_alerts.note_end(self.records, standing, through, self.clock.now(), give)

    def _learn(
        self,
        slots: Slots,
        since: float,
        through: float,
        found: Mapping[Key, list[Finding]],
        records: Iterable[Record],
    ) -> None:
        """Take in the slots that are over; those in which the tower itself was away teach nothing."""
        over = slot_of(through)
        first = max(self.folded + SLOT, slot_of(since) + SLOT)
        if over <= first - SLOT or not over > self.folded + SLOT:
            return
        for slot in range(first, over, SLOT):
            self._learn_slot(slot, slots.get(slot, {}))
        self.folded = over - SLOT
        self._forget(through)
        for origin in {origin for origin, _ in self.units}:
            self._save(origin)
        self.records.put(*_PLACE, {"slot": self.folded})
        for record in records:
            if int(record.body["slot"]) <= self.folded:
                self.records.delete(arrivals.KIND, record.id)

    def _learn_slot(self, slot: int, origins: Mapping[str, Arrived]) -> None:
        for key, unit in self.units.items():
            if Kind.SILENT in unit.standing or not unit.usual.last:
                continue  # a silence that was told does not become the habit
            odd = Kind.TIME in unit.standing or Kind.FORMAT in unit.standing
            unit.usual.learn(slot, _came(origins, key), flood=Kind.FLOOD in unit.standing, odd=odd)

    def _forget(self, through: float) -> None:
        for key, unit in list(self.units.items()):
            if key[1] and through - unit.usual.last > _FORGOTTEN:
                del self.units[key]

    def _save(self, origin: str) -> None:
        watched.save(self.records, origin, [unit for key, unit in self.units.items() if key[0] == origin])


def merged(records: Iterable[Record]) -> Slots:
    """What all workers tallied, by slot and origin."""
    slots: Slots = {}
    for record in records:
        for origin, body in record.body["origins"].items():
            arrived = Arrived.read(body)
            held = slots.setdefault(int(record.body["slot"]), {}).setdefault(origin, arrived)
            if held is not arrived:
                held.join(arrived)
    return slots


def _by_unit(origin: str, arrived: Arrived) -> Iterable[tuple[Key, Sender]]:
    yield (origin, ""), arrived
    for name, sender in arrived.senders.items():
        yield (origin, name), sender


def _came(origins: Mapping[str, Arrived], key: Key) -> Sender | None:
    arrived = origins.get(key[0])
    return arrived if arrived is None or not key[1] else arrived.senders.get(key[1])


def _still(standing: Standing, slot: int) -> Standing:
    return Standing(standing.kind, standing.since, standing.alert, standing.ja, standing.en, slot)
