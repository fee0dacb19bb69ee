"""Whom an incident may have to be reported to, and until when: a reminder with its uncertainty said.

The facts and their confidence are in `duties.yaml`; this module only counts days.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import holidays

from hinomi import yamlfile
from hinomi.clock import JST
from hinomi.incident import Incident
from hinomi.words import Words, words

FILE = Path(__file__).with_name("duties.yaml")


@dataclass(frozen=True, slots=True)
class Duty:
    """One report that may be due. `due` is the last moment (end of a day in Japan), None where no number
    of days is laid down; `inferred`/`due_inferred`: the source does not say it in so many words."""

    id: str
    to: Words
    what: Words
    when: Words
    trigger: Words
    inferred: bool
    due: datetime | None = None
    warn: datetime | None = None
    due_note: Words | None = None
    due_inferred: bool = False


def duties(incident: Incident) -> list[Duty]:
    """The duties that the incident's zones touch; the clock starts when Hinomi opened it (safe side)."""
    touched = set(incident.zones)
    return [
        _duty(entry, incident.opened)
        for entry in _entries()
        if (touched & set(entry["zones"])) or (not entry["zones"] and touched & {"mynumber", "lgwan"})
    ]


def is_closed_day(day: date) -> bool:
    """Saturday, Sunday, a national holiday, or 29 December to 3 January (地方自治法4条の2)."""
    new_year = (day.month, day.day) >= (12, 29) or (day.month, day.day) <= (1, 3)
    return day.weekday() >= 5 or new_year or day in _national(day.year)


def _duty(entry: Mapping[str, Any], known: datetime) -> Duty:
    rule = entry.get("due")
    start = known.astimezone(JST).date()
    return Duty(
        id=entry["id"],
        to=words(entry["to"]),
        what=words(entry["what"]),
        when=words(entry["when"]),
        trigger=words(entry["trigger"]),
        inferred=entry["confidence"] != "verified",
        due=_end_of(_due_day(start, rule)) if rule else None,
        warn=_end_of(start + timedelta(days=rule["warn_days"])) if rule and "warn_days" in rule else None,
        due_note=words(rule["note"]) if rule else None,
        due_inferred=entry.get("due_confidence", "verified") != "verified",
    )


def _due_day(start: date, rule: Mapping[str, Any]) -> date:
    day = start + timedelta(days=rule["days"] - (1 if rule.get("first_day_counts") else 0))
    while rule.get("next_open_day") and is_closed_day(day):
        day += timedelta(days=1)
    return day


def _end_of(day: date) -> datetime:
    return datetime.combine(day, time(23, 59, 59), JST)


@cache
def _entries() -> list[dict[str, Any]]:
    entries: list[dict[str, Any]] = yamlfile.read(FILE).value
    return entries


@cache
def _national(year: int) -> frozenset[date]:
    return frozenset(holidays.country_holidays("JP", years=year))
