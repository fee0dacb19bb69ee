"""How long to wait before another try."""

from datetime import timedelta

_MOST_DOUBLINGS = 20


def growing(first: timedelta, longest: timedelta, attempts: int) -> timedelta:
    """The pause after so many attempts: `first` after the first (and where there was none), twice as long after each further
    one, never more than `longest`."""
    return min(first * (1 << min(max(attempts - 1, 0), _MOST_DOUBLINGS)), longest)
