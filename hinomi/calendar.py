"""Days on which a Japanese office is closed."""

from datetime import date

import holidays

_JAPAN = holidays.country_holidays("JP")


def is_closed(day: date) -> bool:
    """A Japanese holiday, or the New Year closing, 12/29 to 1/3 (地方自治法第4条の2), whatever day of the week it is."""
    return day in _JAPAN or (day.month, day.day) >= (12, 29) or (day.month, day.day) <= (1, 3)


def is_day_off(day: date) -> bool:
    """A weekend, or a day on which offices are closed anyway."""
    return day.weekday() >= 5 or is_closed(day)
