"""Generated months of signals with planted anomalies, for measuring baselines: people, offices, machines as they are.

Each kind gives the entries in order of time, and the keys (entity, or entity and value) of what was planted.
"""

import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

from hinomi.calendar import is_day_off
from hinomi.clock import JST
from rules import baselines
from rules.baselines.baseline import Baseline
from rules.engine import Other
from rules.entry import Entry

FIRST, DAYS = date(2026, 10, 1), 61
PLACES = {"JP": "35.68,139.76", "JP2": "34.69,135.50", "RO": "44.43,26.10", "US": "37.77,-122.42"}


@dataclass(slots=True)
class Month:
    """options: of the baseline; entries; planted: what the findings' keys must begin with."""

    options: dict[str, Any]
    entries: list[Entry] = field(default_factory=list)
    planted: set[str] = field(default_factory=set)
    _n: int = 0

    def add(self, at: datetime, **fields: str) -> None:
        """One signal; `__` in a name is a dot."""
        self._n += 1
        values = {name.replace("__", "."): value for name, value in fields.items()}
        self.entries.append(
            Entry.made(int(at.timestamp() * 1e6) * 1000, f"e{self._n:07}", "ok-id", "test.set", values)
        )

    def made(self) -> Baseline:
        """The baseline with its options."""
        document = {
            "title": "t",
            "id": "11111111-1111-4111-8111-111111111111",
            "level": "high",
            "baseline": {"rules": ["ok"], "entity": "user.name", **self.options},
        }
        [one], _ = baselines.of([Other(Path("month.yml"), document)], {"ok": "ok-id"})
        return one


def measured(month: Month) -> tuple[int, int, int, int]:
    """(planted, found of them, findings, entries)."""
    one, newest, keys = month.made(), 0, set()
    for entry in sorted(month.entries):
        newest = max(newest, entry.time)
        keys |= {finding.key for finding in one.feed([entry], newest)}
    hit = {plant for plant in month.planted if any(key.startswith(plant) for key in keys)}
    false = {key for key in keys if not any(key.startswith(plant) for plant in month.planted)}
    return len(month.planted), len(hit), len(hit) + len(false), len(month.entries)


def office_days() -> Iterator[tuple[date, bool]]:
    """Each day of the two months, and whether the office is closed."""
    for n in range(DAYS):
        day = FIRST + timedelta(days=n)
        yield day, is_day_off(day)


def at(chance: random.Random, day: date, start: float = 8.5, end: float = 18.5) -> datetime:
    """A moment of a day in Japan."""
    hour = chance.uniform(start, end)
    return datetime(day.year, day.month, day.day, tzinfo=JST) + timedelta(hours=hour)


def first_seen(chance: random.Random, people: int) -> Month:
    """Countries of sign-ins: everybody in Japan, some abroad from the start; a few change once known."""
    month = Month({"type": "first_seen", "warm_up_days": 14})
    for who in range(people):
        name, home = f"user{who:03}", "KR" if who % 40 == 7 else "JP"
        for n, (day, off) in enumerate(office_days()):
            if off and chance.random() > 0.1:
                continue
            month.add(at(chance, day), user__name=name, source__geo__country_iso_code=home)
            if who % 25 == 3 and n == 40 + who % 15:
                month.add(at(chance, day), user__name=name, source__geo__country_iso_code="RO")
                month.planted.add(f"{name}|RO")
    return month


def rare_value(chance: random.Random, people: int) -> Month:
    """Programs on machines: thirty that many have, new ones that spread, and a few on one machine alone."""
    month = Month({"type": "rare_value", "field": "process.name", "entity": "host.name", "warm_up_days": 14})
    for host in range(people):
        name = f"pc{host:03}"
        for n, (day, _) in enumerate(office_days()):
            month.add(at(chance, day), host__name=name, process__name=f"app{chance.randrange(30)}.exe")
            if host % 30 == 11 and n == 30 + host % 20:
                month.add(at(chance, day), host__name=name, process__name=f"x{host}.exe")
                month.planted.add(f"{name}|x{host}.exe")
    return month


def rate_spike(chance: random.Random, people: int) -> Month:
    """Downloads a day: each person with a habit, month ends busier, holidays quiet; a few take ten times as much."""
    month = Month({"type": "rate_spike"})
    for who in range(people):
        name, habit = f"user{who:03}", chance.choice((2, 4, 6, 10, 15))
        for n, (day, off) in enumerate(office_days()):
            usual = habit * (0.1 if off else 1.0) * (1.6 if day.day > 27 else 1.0)
            planted = who % 20 == 5 and n == 35 + who % 20 and not off
            n_now = max(0, round(chance.gauss(usual, usual**0.5))) + (max(60, 10 * habit) if planted else 0)
            if planted:
                month.planted.add(f"{name}|{day.isoformat()}")
            for _ in range(n_now):
                month.add(at(chance, day), user__name=name)
    return month


def bulk_by_role(chance: random.Random, people: int) -> Month:
    """Residents looked up: the counter does forty to eighty a day, planning two; a few of planning fetch hundreds."""
    month = Month({"type": "bulk_by_role", "count": "records", "role": "user.staff.department"})
    for who in range(people):
        name, busy = f"user{who:03}", who % 3 == 0
        for n, (day, off) in enumerate(office_days()):
            if off:
                continue
            total = chance.randrange(40, 80) if busy else chance.randrange(0, 5)
            if not busy and who % 23 == 4 and n == 30 + who % 25:
                total = 220
                month.planted.add(f"{name}|{day.isoformat()}")
            for _ in range(max(1, total // 10)):
                role = "市民課" if busy else "企画課"
                share = str(max(1, total // max(1, total // 10)))
                month.add(at(chance, day), user__name=name, records=share, user__staff__department=role)
    return month


def impossible_travel(chance: random.Random, people: int) -> Month:
    """Sign-ins from home, business trips by train, a few from abroad an hour after Tokyo."""
    month = Month({"type": "impossible_travel"})
    for who in range(people):
        name = f"user{who:03}"
        for n, (day, off) in enumerate(office_days()):
            if off:
                continue
            trip = chance.random() < 0.03
            month.add(at(chance, day, 8, 9), user__name=name, source__geo__location=PLACES["JP"])
            month.add(
                at(chance, day, 13, 18),
                user__name=name,
                source__geo__location=PLACES["JP2" if trip else "JP"],
            )
            if who % 20 == 9 and n == 20 + who % 30:
                month.add(at(chance, day, 9.5, 10.5), user__name=name, source__geo__location=PLACES["RO"])
                month.planted.add(f"{name}|")
    return month


def beaconing(chance: random.Random, people: int) -> Month:
    """Visits to bare addresses: people at odd moments, update servers of everybody, a few programs every few minutes."""
    month = Month({"type": "beaconing", "entity": "source.ip"})
    for who in range(people):
        source = f"10.30.8.{who}"
        for n, (day, off) in enumerate(office_days()):
            for _ in range(0 if off else chance.randrange(3)):
                month.add(
                    at(chance, day), source__ip=source, destination__ip=f"198.51.100.{chance.randrange(200)}"
                )
            if not off:
                for hour in range(9, 17, 2):
                    month.add(
                        at(chance, day, hour, hour + 0.01), source__ip=source, destination__ip="203.0.113.1"
                    )
            if who % 30 == 6 and n == 30 + who % 20:
                far, start = f"203.0.113.{who % 200 + 20}", at(chance, day, 1, 2)
                for beat in range(60):
                    moment = start + timedelta(seconds=300 * beat + chance.uniform(-20, 20))
                    month.add(moment, source__ip=source, destination__ip=far)
                month.planted.add(f"{source}|{far}|")
    return month


def dns_tunnel(chance: random.Random, people: int) -> Month:
    """Long names: content networks with hashed names for everybody, a few machines that carry data out in them."""
    month = Month({"type": "dns_names", "looks_for": "tunnel", "entity": "source.ip"})
    for who in range(people):
        source = f"10.30.8.{who}"
        for n, (day, off) in enumerate(office_days()):
            for _ in range(0 if off else chance.randrange(25)):
                name = f"{chance.getrandbits(96):024x}.cdn{chance.randrange(9)}.example.org"
                month.add(at(chance, day), source__ip=source, dns__question__name=name)
            if who % 30 == 8 and n == 10 + who % 40:
                for _ in range(150):
                    text = "".join(chance.choice("abcdefghijklmnopqrstuvwxyz234567") for _ in range(48))
                    month.add(at(chance, day), source__ip=source, dns__question__name=f"{text}.t.example.net")
                month.planted.add(f"{source}|example.net|")
    return month


def dns_generated(chance: random.Random, people: int) -> Month:
    """Names that do not exist: slips of the pen and search suffixes, a few machines with made-up domains."""
    month = Month({"type": "dns_names", "looks_for": "generated", "entity": "source.ip"})
    words = ("tokyo", "shiyakusho", "kankou", "portal", "update", "mail", "service", "toshokan", "kodomo")
    for who in range(people):
        source = f"10.30.8.{who}"
        for n, (day, off) in enumerate(office_days()):
            for _ in range(0 if off else chance.randrange(20)):
                name = "".join(chance.sample(words, 2)) + chance.choice(("", "s", "2"))
                month.add(at(chance, day), source__ip=source, dns__question__name=f"www.{name}.example")
            if who % 30 == 12 and n == 10 + who % 40:
                for _ in range(80):
                    text = "".join(chance.choice("abcdefghijklmnopqrstuvwxyz0123456789") for _ in range(14))
                    month.add(at(chance, day), source__ip=source, dns__question__name=f"{text}.info")
                month.planted.add(f"{source}|")
    return month


def off_hours(chance: random.Random, people: int) -> Month:
    """Look-ups by day and now and then late; a few at night, on a holiday."""
    month = Month({"type": "off_hours", "start": "06:30", "end": "21:30", "at_least": 5})
    for who in range(people):
        name = f"user{who:03}"
        for n, (day, off) in enumerate(office_days()):
            for _ in range(0 if off else 4):
                month.add(at(chance, day, 8, 20), user__name=name)
            if who % 25 == 2 and n == 15 + who % 35:
                start = datetime(day.year, day.month, day.day, 2, tzinfo=JST)
                for beat in range(8):
                    month.add(start + timedelta(minutes=5 * beat), user__name=name)
                month.planted.add(f"{name}|{(start - timedelta(hours=12)).date().isoformat()}")
    return month


KINDS = (
    first_seen,
    rare_value,
    rate_spike,
    bulk_by_role,
    impossible_travel,
    beaconing,
    dns_tunnel,
    dns_generated,
    off_hours,
)
