"""How long to wait before another try."""

from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

_MOST_DOUBLINGS = 20


def growing(first: timedelta, longest: timedelta, attempts: int) -> timedelta:
    """The pause after so many attempts: `first` after the first (and where there was none), twice as long after each further
    one, never more than `longest`."""
    return min(first * (1 << min(max(attempts - 1, 0), _MOST_DOUBLINGS)), longest)


def asked(retry_after: str | None, now: datetime | None = None) -> float:
    """Seconds of a Retry-After header (RFC 9110 10.2.3: seconds, or a date), 0 for none and for what is neither."""
    text = (retry_after or "").strip()
    if text.isascii() and text.isdigit():
        return float(text[:9])
    try:
        until = parsedate_to_datetime(text)
    except (ValueError, OverflowError):  # a year of twenty digits
        return 0.0
    aware = until if until.tzinfo else until.replace(tzinfo=UTC)
    return max(0.0, (aware - (now or datetime.now(UTC))).total_seconds())
