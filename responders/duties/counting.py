"""Counting days as the sources say: the day of knowledge is day 1; a due day on which offices are closed moves on."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import Any

from hinomi.calendar import is_day_off
from hinomi.clock import JST


@dataclass(frozen=True, slots=True)
class Days:
    """The last moment of the due day and the first moment at which people are warned, both in Japan."""

    due: datetime
    warn: datetime


def days(rule: Mapping[str, Any], known: datetime, *, wrongful: bool = False) -> Days:
    """When a report is due that the city came to know of at `known`.

    rule: `day` (the due day's number, 1 is the day of knowledge), `wrongful_day`, `warn_day` or `warn_before` (days
    before the due day), `next_open_day`.
    """
    first = known.astimezone(JST).date()
    number = int(rule.get("wrongful_day", rule["day"]) if wrongful else rule["day"])
    due = first + timedelta(days=number - 1)
    while rule.get("next_open_day") and is_day_off(due):  # 地方自治法4条の2
        due += timedelta(days=1)
    if "warn_day" in rule:
        warn = first + timedelta(days=int(rule["warn_day"]) - 1)
    else:
        warn = due - timedelta(days=int(rule.get("warn_before", 1)))
    return Days(datetime.combine(due, time(23, 59, 59), JST), datetime.combine(warn, time(8, 30), JST))
