"""Days on which a Japanese office is closed."""

from datetime import date

import holidays

_JAPAN = holidays.country_holidays("JP")


def is_day_off(day: date) -> bool:
    """A weekend, a Japanese holiday, or the New Year closing."""
    closed = (day.month, day.day) >= (12, 29) or (day.month, day.day) <= (1, 3)
    return day.weekday() >= 5 or day in _JAPAN or closed
