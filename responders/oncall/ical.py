"""The rota as a calendar that a telephone subscribes to (iCalendar, RFC 5545)."""

import hashlib
import hmac
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from hinomi.errors import Refused
from hinomi.identity import digest
from responders.oncall.rota import Rota

_WIDTH = 73  # octets of a line before it is folded (RFC 5545 3.1: 75 with the line end's part)


def token(key: bytes, person: str) -> str:
    """What stands in the address of a person's calendar: it opens the rota to read and nothing else, until the key of links
    changes or the person is no contact any more."""
    signed = hmac.new(key, b"hinomi-calendar\0" + person.encode(), hashlib.sha256).hexdigest()
    return f"{person}.{signed[:40]}"


def subscribed(rota: Rota, key: bytes, given: str, now: datetime) -> str:
    """The calendar that a token opens. Raises Refused for any other token."""
    person = given.rpartition(".")[0]
    good = hmac.compare_digest(given.encode(), token(key, person).encode())
    if not good or person not in rota.settings.people:
        raise Refused("この暦の宛先は使えません。", "this calendar's address is not valid")
    return calendar(rota, now, person=person)


def calendar(rota: Rota, now: datetime, *, days: int = 60, person: str = "") -> str:
    """Shifts from a day ago on; of one person or of all."""
    lines = [
        "BEGIN:VCALENDAR",
        "VERSION:2.0",
        "PRODID:-//Hinomi//rota//JA",
        "CALSCALE:GREGORIAN",
        "METHOD:PUBLISH",
        "X-WR-CALNAME:火の見 当番",
        "REFRESH-INTERVAL;VALUE=DURATION:PT1H",
    ]
    for who, start, end in shifts(rota, now - timedelta(days=1), days + 1):
        if person in ("", who):
            lines += _event(rota, who, start, end, now)
    lines.append("END:VCALENDAR")
    return "".join(f"{folded}\r\n" for line in lines for folded in _folded(line))


def shifts(rota: Rota, start: datetime, days: int) -> Iterator[tuple[str, datetime, datetime]]:
    """(person, from, to), the first from the quarter hour of `start` on; holes are left out. One after another: whoever needs the
    first few takes them with `islice`, and the rest is not asked for."""
    first = start.replace(minute=start.minute // 15 * 15, second=0, microsecond=0)
    for who, began, ended in rota.spells(first, days):
        if who is not None:
            yield who, began, ended


def _event(rota: Rota, who: str, start: datetime, end: datetime, now: datetime) -> list[str]:
    contact = rota.settings.people.get(who)
    name = contact.name_ja if contact else who
    return [
        "BEGIN:VEVENT",
        f"UID:{digest('shift', who, start.isoformat())}@hinomi",
        f"DTSTAMP:{_time(now)}",
        f"DTSTART:{_time(start)}",
        f"DTEND:{_time(end)}",
        f"SUMMARY:{_text(f'当番: {name}')}",
        "TRANSP:TRANSPARENT",
        "END:VEVENT",
    ]


def _time(at: datetime) -> str:
    return f"{at.astimezone(UTC):%Y%m%dT%H%M%SZ}"


def _text(text: str) -> str:
    """RFC 5545 3.3.11."""
    return text.replace("\\", "\\\\").replace(";", "\\;").replace(",", "\\,").replace("\n", "\\n")


def _folded(line: str) -> Iterator[str]:
    """Lines of at most 75 octets, never cut inside a character."""
    part, size = "", 0
    for sign in line:
        octets = len(sign.encode())
        if size + octets > _WIDTH:
            yield part
            part, size = " ", 1
        part, size = part + sign, size + octets
    yield part
