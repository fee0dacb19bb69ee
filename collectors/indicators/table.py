"""CSV lists: a column of values, or columns `value,kind,confidence,expires,about` in any order with a head line.

Without `kind` the value's own form tells. Lines that begin with `#` are remarks.
"""

import csv
import re
from collections.abc import Iterator
from datetime import datetime

from collectors.indicators.indicator import Indicator, Kind, Refused
from collectors.indicators.stix import moment

_ADDRESS = re.compile(r"(\d{1,3}\.){3}\d{1,3}(/\d+)?\Z|[0-9a-fA-F:]*:[0-9a-fA-F:.]*(/\d+)?\Z")
_HASH = re.compile(r"[0-9a-fA-F]{32,128}\Z")


def indicators(text: str, source: str, confidence: int, now: datetime) -> Iterator[Indicator | Refused]:
    """Indicators of a list."""
    lines = [line for line in text.lstrip("\ufeff").splitlines() if line.strip() and not line.startswith("#")]
    rows = csv.reader(lines)
    head: list[str] = []
    for row in rows:
        if not head:
            named = [cell.strip().lower() for cell in row]
            head = named if "value" in named else ["value"]
            if "value" in named:
                continue
        yield _of_row(dict(zip(head, (cell.strip() for cell in row), strict=False)), source, confidence, now)


def _of_row(row: dict[str, str], source: str, confidence: int, now: datetime) -> Indicator | Refused:
    value, written = row.get("value", ""), row.get("kind", "")
    try:
        kind = Kind(written) if written else guessed(value)
        sure = int(row["confidence"]) if row.get("confidence") else confidence
    except ValueError:
        return Refused("bad_line")
    expires = moment(row["expires"]) if row.get("expires") else None
    if not 0 <= sure <= 100 or (row.get("expires") and expires is None):
        return Refused("bad_line")
    return Indicator(kind, value, source, sure, now, expires, row.get("about", "")[:300])


def guessed(value: str) -> Kind:
    """What a value is by its form."""
    text = value.replace("[.]", ".")
    if "://" in text:
        return Kind.URL
    if _ADDRESS.match(text):
        return Kind.NETWORK if "/" in text else Kind.ADDRESS
    if _HASH.match(text):
        return Kind.FILE
    return Kind.EMAIL if "@" in text else Kind.DOMAIN
