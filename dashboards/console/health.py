"""Health of the sources, in words: who is silent, what could not be read, what was dropped or masked."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal

from dashboards import times
from hinomi.store import Records

State = Literal["ok", "silent", "faulty", "waiting"]
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


def sources(records: Records, now: datetime) -> list[SourceHealth]:
    """Every source that reported, the troubled ones first."""
    found = records.find("source", limit=10_000)
    known = [_health(record.body, now) for record in found if not record.body.get("pin")]
    order = {"silent": 0, "faulty": 1, "waiting": 2, "ok": 3}
    return sorted(known, key=lambda health: (order[health.state], health.origin, health.source))


def _health(body: Mapping[str, Any], now: datetime) -> SourceHealth:
    last = times.parse(body.get("last_received"))
    received, dead = _number(body, "received"), _number(body, "dead_letters")
    return SourceHealth(
        origin=str(body.get("origin", "")),
        source=str(body.get("source", "")),
        state=_state(last, received, dead, now),
        last=last,
        received=received,
        parsed=_number(body, "parsed"),
        dead_letters=dead,
        detail=str(body.get("error") or body.get("address") or ""),
    )


def _state(last: datetime | None, received: int, dead: int, now: datetime) -> State:
    if last is None:
        return "waiting"
    if now - last > SILENT_AFTER:
        return "silent"
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
