"""The day as the logs see it: its clock, its rhythm, and who is where when."""

from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from random import Random
from typing import NamedTuple

from hinomi.calendar import is_day_off
from hinomi.clock import JST
from ops.demo.city import City, Host, Person, hinomi

HOUR = 3_600_000
MINUTE = 60_000
SECOND = 1_000

# Weight of each hour from 00:00 JST.
OFFICE = (0, 0, 0, 0, 0, 0, 1, 4, 60, 100, 98, 90, 45, 95, 92, 88, 80, 42, 16, 9, 5, 2, 1, 0)
MACHINES = (40, 44, 36, 34, 34, 34, 38, 46, 70, 76, 76, 74, 70, 76, 76, 74, 72, 60, 50, 46, 44, 42, 40, 40)
RESIDENTS = (8, 4, 2, 2, 2, 4, 12, 26, 52, 66, 64, 58, 76, 62, 54, 52, 54, 52, 56, 66, 72, 64, 42, 20)


class Timed(NamedTuple):
    """One raw line and when it was written, in milliseconds since 1970 (UTC)."""

    at: int
    line: bytes


@dataclass(frozen=True, slots=True)
class Day:
    """One day in Japan; every moment of it is a number of milliseconds since 1970 (UTC)."""

    date: date

    @property
    def midnight(self) -> int:
        """00:00 JST."""
        return int(datetime.combine(self.date, time(), JST).timestamp()) * 1000

    def at(self, clock: str) -> int:
        """The moment of a JST wall-clock text such as `03:14` or `03:14:07`."""
        hour, minute, second = (int(part) for part in f"{clock}:0:0".split(":")[:3])
        return self.midnight + hour * HOUR + minute * MINUTE + second * SECOND

    def clock(self, at: int) -> str:
        """`HH:MM:SS` JST."""
        second = (at - self.midnight) // SECOND % 86_400
        return f"{second // 3600:02d}:{second // 60 % 60:02d}:{second % 60:02d}"


def last_working_day(before: date) -> date:
    """The last day before this one on which offices are open."""
    day = before - timedelta(days=1)
    while is_day_off(day):
        day -= timedelta(days=1)
    return day


def guid(rng: Random) -> str:
    """A random version 4 identifier."""
    text = f"{rng.getrandbits(128):032x}"
    return f"{text[:8]}-{text[8:12]}-4{text[13:16]}-a{text[17:20]}-{text[20:]}"


class Stamp:
    """Fast time texts for one day: strftime would take half of the generator's time."""

    def __init__(self, day: Day) -> None:
        self._midnight = day.midnight
        self._today = day.date.isoformat()
        self._yesterday = (day.date - timedelta(days=1)).isoformat()

    def _time(self, at: int) -> str:
        second, milli = divmod(at, SECOND)
        second %= 86_400
        return f"{second // 3600:02d}:{second // 60 % 60:02d}:{second % 60:02d}.{milli:03d}"

    def zulu(self, at: int) -> str:
        """`2026-11-19T18:14:07.123`, UTC, without the zone letter."""
        day = self._yesterday if at - self._midnight < 9 * HOUR else self._today
        return f"{day}T{self._time(at)}"

    def jst(self, at: int) -> str:
        """`2026-11-20T03:14:07.123+09:00`."""
        return f"{self._today}T{self._time(at + 9 * HOUR)}+09:00"


def rhythm(rng: Random, day: Day, count: float, weights: tuple[int, ...]) -> Iterator[int]:
    """`count` moments of the day, spread by the weight of each hour, in no order."""
    start = day.midnight
    for hour in rng.choices(range(24), weights, k=max(0, round(count))):
        yield start + int((hour + rng.random()) * HOUR)


@dataclass(frozen=True, slots=True)
class Shift:
    """A person at the own PC in the office."""

    person: Person
    pc: Host
    arrive: int
    leave: int


@dataclass(frozen=True, slots=True)
class Tunnel:
    """A VPN session from home. home: the address outside; address: the one inside."""

    person: Person
    home: str
    address: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Slip:
    """A mistyped password, `count` (1 or 2) times at one place: `windows`, `vpn` or `cloud`."""

    person: Person
    place: str
    count: int


class Presence:
    """Who of the shifts is at the PC at a moment."""

    def __init__(self, shifts: list[Shift]) -> None:
        self._shifts = sorted(shifts, key=lambda shift: shift.arrive)
        self._arrivals = [shift.arrive for shift in self._shifts]

    def someone(self, rng: Random, at: int) -> Shift | None:
        """Someone who is there, or None at an hour when the office is empty."""
        arrived = bisect_right(self._arrivals, at)
        for _ in range(4 if arrived else 0):
            shift = self._shifts[int(rng.random() * arrived)]
            if shift.leave >= at:
                return shift
        return None


@dataclass(frozen=True, slots=True)
class Routine:
    """What an ordinary day holds before any line is written; every source tells of the same day."""

    day: Day
    city: City
    shifts: list[Shift]
    tunnels: list[Tunnel]
    slips: list[Slip]
    presence: Presence
    phones: dict[str, str]

    def slips_at(self, place: str) -> list[Slip]:
        """The mistyped passwords of one place."""
        return [slip for slip in self.slips if slip.place == place]


def routine(day: Day, seed: int, scale: float, away: frozenset[str], spared: frozenset[str]) -> Routine:
    """An ordinary working day.

    away: accounts on leave (no shift, no telework); spared: accounts that mistype nothing.
    Fewer people come when scale is below 1; telephones have a domestic address each.
    """
    rng, city = Random(f"routine:{seed}:{day.date}"), hinomi()
    people = [person for person in city.office_staff() if person.account not in away]
    home = [person for person in people if person.telework and rng.random() < 0.35]
    remote = {person.account for person in home}
    office = [person for person in people if person.account not in remote and rng.random() < 0.93]
    shifts = [_shift(day, city, person, rng) for person in _share(office, scale)]
    tunnels = [_tunnel(day, person, index, rng) for index, person in enumerate(_share(home, scale))]
    phones = {
        person.account: f"198.18.{200 + index // 250}.{index % 250 + 2}"
        for index, person in enumerate(city.staff)
    }
    slips = _slips(shifts, tunnels, spared, rng)
    return Routine(day, city, shifts, tunnels, slips, Presence(shifts), phones)


def _share(people: list[Person], scale: float) -> list[Person]:
    return people[: max(4, round(len(people) * min(1.0, scale)))]


def _shift(day: Day, city: City, person: Person, rng: Random) -> Shift:
    arrive = day.at("08:30") - int(abs(rng.gauss(0, 14)) * MINUTE) + int(rng.random() * 4 * MINUTE)
    leave = day.at("17:15") + int(min(rng.expovariate(1 / 40), 240) * MINUTE)
    return Shift(person, city.hosts[person.pc], max(arrive, day.at("07:20")), leave)


def _tunnel(day: Day, person: Person, index: int, rng: Random) -> Tunnel:
    """One address at home each, .45 kept for the victim of the story; 10.50.0–1.x inside."""
    last = 50 + index
    home = f"192.0.2.{last}" if last < 200 else f"198.18.190.{last - 190}"
    start = day.at("08:20") + int(rng.random() * 30 * MINUTE)
    end = day.at("17:15") + int(rng.random() * 70 * MINUTE)
    return Tunnel(person, home, f"10.50.{index // 200}.{index % 200 + 10}", start, end)


def _slips(shifts: list[Shift], tunnels: list[Tunnel], spared: frozenset[str], rng: Random) -> list[Slip]:
    """One in fourteen mistypes, at one place only, so nobody fails more than twice all day."""
    places: list[tuple[Person, tuple[str, ...]]]
    places = [(shift.person, ("windows", "cloud")) for shift in shifts]
    places += [(tunnel.person, ("vpn",)) for tunnel in tunnels]
    slips = []
    for person, kinds in places:
        if person.account not in spared and rng.random() < 0.07:
            slips.append(Slip(person, rng.choices(kinds, (3, 1)[: len(kinds)])[0], rng.choice((1, 1, 1, 2))))
    return slips
