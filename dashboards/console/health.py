"""Health of the sources, in words: who is silent, what could not be read, what was dropped or masked."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal

from collectors.rhythm import Kind, watched
from collectors.rhythm.watched import Watched
from dashboards import times
from hinomi.store import Records
from hinomi.words import Words

State = Literal["ok", "silent", "odd", "faulty", "waiting"]
SILENT_AFTER = timedelta(hours=1)
FAULTY_SHARE = 0.05


@dataclass(frozen=True, slots=True)
class SourceHealth:
    """One source or listener as it reported itself."""

    origin: str
    source: str
    state: State
    last: datetime | None
    received: int
    parsed: int
    dead_letters: int
    detail: str
    wrong: tuple[Words, ...] = ()
    """What is out of the usual, of the origin and of its senders."""


def sources(records: Records, now: datetime) -> list[SourceHealth]:
    """Every source that reported, the troubled ones first."""
    found = records.find("source", limit=10_000)
    units = watched.read(records)
    known = [_health(record.body, now, units) for record in found if not record.body.get("pin")]
    order = {"silent": 0, "odd": 1, "faulty": 2, "waiting": 3, "ok": 4}
    return sorted(known, key=lambda health: (order[health.state], health.origin, health.source))


def _health(body: Mapping[str, Any], now: datetime, units: Mapping[tuple[str, str], Watched]) -> SourceHealth:
    origin = str(body.get("origin", ""))
    own = [unit for (name, _), unit in units.items() if name == origin]
    last = times.parse(body.get("last_received"))
    received, dead = _number(body, "received"), _number(body, "dead_letters")
    return SourceHealth(
        origin=origin,
        source=str(body.get("source", "")),
        state=_state(last, received, dead, now, units.get((origin, ""))),
        last=last,
        received=received,
        parsed=_number(body, "parsed"),
        dead_letters=dead,
        detail=str(body.get("error") or body.get("address") or ""),
        wrong=tuple(_words(unit, standing.said) for unit in own for standing in unit.standing.values()),
    )


def _words(unit: Watched, said: Words) -> Words:
    sender = f"{unit.usual.sender}: " if unit.usual.sender else ""
    return Words(f"{sender}{said.ja}", f"{sender}{said.en}")


def _state(last: datetime | None, received: int, dead: int, now: datetime, unit: Watched | None) -> State:
    """A source whose habits are known is silent when the watch says so, any other one after an hour."""
    if unit is not None and Kind.SILENT in unit.standing:
        return "silent"
    if last is None:
        return "waiting"
    if now - last > SILENT_AFTER and (unit is None or not unit.habits):
        return "silent"
    if unit is not None and unit.standing:
        return "odd"
    return "faulty" if received and dead / received > FAULTY_SHARE else "ok"


def _number(body: Mapping[str, Any], key: str) -> int:
    value = body.get(key, 0)
    return int(value) if isinstance(value, (int, float)) else 0


def counts(records: Records) -> list[tuple[str, str, str, int]]:
    """(what, dataset, reason, n) over all processes, without what simply went well."""
    total: Counter[tuple[str, str, str]] = Counter()
    for record in records.find("count", limit=100_000):
        body = record.body
        what = str(body.get("what", ""))
        if what not in {"received", "stored"}:
            key = (what, str(body.get("dataset", "")), str(body.get("reason", "")))
            total[key] += _number(body, "n")
    return [(*key, n) for key, n in sorted(total.items(), key=lambda item: (item[0][0], -item[1]))]
