"""One day of the demo city: a stream of raw lines for each source, and the files that the demo needs."""

import csv
import datetime
import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from operator import attrgetter
from pathlib import Path
from random import Random
from typing import Literal

import yaml

from ops.demo import (
    asa,
    bind,
    city_systems,
    entra,
    fortigate_day,
    intrusion,
    linux,
    m365,
    squid,
    theft,
    windows,
    windows_day,
)
from ops.demo.city import GEO, ZONES, City, hinomi
from ops.demo.clockwork import Day, Routine, Timed, routine
from ops.demo.story import VICTIM, WINDOWS, Stage, Step, evening, lines_of, records_of, sprayed

Transport = Literal["syslog_tcp", "bulk", "file"]
Dull = Callable[[Routine, Random, float], Iterator[Timed]]
_STEPS = (
    intrusion.spray,
    intrusion.way_in,
    intrusion.scan,
    intrusion.lateral,
    intrusion.promotion,
    intrusion.crossing,
    intrusion.covering,
    theft.forwarding,
    theft.downloads,
    theft.sharing,
    theft.robot_at_keyboard,
    theft.bulk_view,
)


@dataclass(frozen=True, slots=True)
class Channel:
    """How a source reaches Hinomi. framing: `octet` or `newline` for syslog; hint: file or port name."""

    source: str
    transport: Transport
    hint: str
    framing: str = ""
    encoding: str = "utf-8"


CHANNELS: dict[str, tuple[Channel, Dull | None]] = {
    channel.source: (channel, dull)
    for channel, dull in (
        (Channel("fortinet.fortigate", "syslog_tcp", "perimeter", "octet"), fortigate_day.dull),
        (Channel("cisco.asa", "syslog_tcp", "segments", "newline"), asa.dull),
        (Channel(WINDOWS, "bulk", "winlogbeat"), None),
        (Channel("linux.auth", "syslog_tcp", "servers", "octet"), linux.dull),
        (Channel("squid.access", "file", "proxy01/access.log"), squid.dull),
        (Channel("isc.bind", "syslog_tcp", "names", "newline"), bind.dull),
        (Channel("microsoft.m365_audit", "bulk", "m365-audit"), m365.dull),
        (Channel("microsoft.entra", "bulk", "entra-diagnostics"), entra.dull),
        (Channel("city.portal_application", "file", "portal/shinsei.csv"), city_systems.portal),
        (
            Channel("city.resident_view", "file", "juki/sousa.csv", encoding="cp932"),
            city_systems.resident_views,
        ),
        (Channel("city.rpa_operation", "file", "rpa/sousa.csv"), city_systems.robots),
        (Channel("city.minutes_transcription", "file", "gijiroku/operation.jsonl"), city_systems.minutes),
    )
}


@dataclass(frozen=True, slots=True)
class Stream:
    """One source's day: raw lines without line ends, in time order; files begin with their CSV header."""

    source: str
    transport: Transport
    path_or_port_hint: str
    framing: str
    encoding: str
    lines: Iterator[bytes]


@dataclass(frozen=True, slots=True)
class Written:
    """A stream as a file. lines: how many, CSV header included."""

    source: str
    transport: Transport
    framing: str
    encoding: str
    path: Path
    lines: int


@dataclass(frozen=True, slots=True)
class Manifest:
    """What `Scenario.write` left in a folder."""

    date: datetime.date
    seed: int
    folder: Path
    streams: tuple[Written, ...]
    staff: Path
    assets: Path
    zones: Path
    geo: Path
    planted: Path

    @property
    def lines(self) -> int:
        """Raw lines over all sources."""
        return sum(stream.lines for stream in self.streams)


@dataclass(frozen=True, slots=True)
class Scenario:
    """The day, seeded: the same date, seed and scale give the same bytes.

    date: written as a working day whatever the calendar says (`clockwork.last_working_day` finds a true
    one); scale: share of the dull traffic (1 is about 230,000 lines); the attack is always complete.
    """

    date: datetime.date
    seed: int = 1
    scale: float = 1.0
    city: City = field(default_factory=hinomi)

    @property
    def day(self) -> Day:
        """The date's clock."""
        return Day(self.date)

    def steps(self) -> list[Step]:
        """The planted attack, in order."""
        stage = Stage.of(self.day, self.seed)
        return [step(stage) for step in _STEPS]

    def streams(self) -> Iterator[Stream]:
        """Every source's stream; a stream is generated when its lines are first asked for."""
        ordinary, steps = self._routine(), self.steps()
        for channel, dull in CHANNELS.values():
            lines = self._lines(channel.source, dull, ordinary, steps)
            yield Stream(
                channel.source, channel.transport, channel.hint, channel.framing, channel.encoding, lines
            )

    def dull(self, source: str) -> Iterator[bytes]:
        """The stream of one source without the attack."""
        return self._lines(source, CHANNELS[source][1], self._routine(), [])

    def write(self, folder: Path) -> Manifest:
        """One file a stream below `folder/logs`, and staff, assets, zones, geo and the planted steps."""
        written = []
        for stream in self.streams():
            path = folder / "logs" / f"{stream.source}{_suffix(stream)}"
            path.parent.mkdir(parents=True, exist_ok=True)
            count = _write_lines(path, stream.lines)
            written.append(
                Written(stream.source, stream.transport, stream.framing, stream.encoding, path, count)
            )
        paths = {
            name: folder / name
            for name in ("staff.csv", "assets.csv", "zones.yaml", "geo.csv", "planted.json")
        }
        _write_csv(paths["staff.csv"], _staff(self.city))
        _write_csv(paths["assets.csv"], _assets(self.city))
        _write_csv(paths["geo.csv"], _geo())
        zones = {"zones": {zone: list(networks) for zone, networks in ZONES.items()}}
        paths["zones.yaml"].write_text(yaml.safe_dump(zones, sort_keys=False), encoding="utf-8")
        planted = [step.describe(self.day) for step in self.steps()]
        paths["planted.json"].write_text(json.dumps(planted, ensure_ascii=False, indent=2), encoding="utf-8")
        return Manifest(self.date, self.seed, folder, tuple(written), *paths.values())

    def _routine(self) -> Routine:
        spared = frozenset([VICTIM, *sprayed(self.city)])
        ordinary = routine(self.day, self.seed, self.scale, frozenset([VICTIM]), spared)
        ordinary.tunnels.append(evening(self.day, self.city))
        return ordinary

    def _lines(self, source: str, dull: Dull | None, ordinary: Routine, steps: list[Step]) -> Iterator[bytes]:
        rng = Random(f"{source}:{self.seed}:{self.date}")
        if dull is None:
            records = [*windows_day.dull(ordinary, rng, self.scale), *records_of(steps)]
            timed: Iterable[Timed] = windows.render(self.day, records)
        else:
            timed = [*dull(ordinary, rng, self.scale), *lines_of(steps, source)]
            timed.sort(key=attrgetter("at"))
        for one in timed:
            yield one.line


def _suffix(stream: Stream) -> str:
    if stream.transport == "file":
        return Path(stream.path_or_port_hint).suffix
    return ".ndjson" if stream.transport == "bulk" else ".log"


def _write_lines(path: Path, lines: Iterator[bytes]) -> int:
    count = 0
    with path.open("wb") as handle:
        for line in lines:
            handle.write(line + b"\n")
            count += 1
    return count


def _write_csv(path: Path, rows: Iterable[tuple[object, ...]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as handle:
        csv.writer(handle, lineterminator="\n").writerows(rows)


def _staff(city: City) -> Iterator[tuple[object, ...]]:
    yield "account", "full_name", "kana", "romaji", "department", "employment", "mail", "telework", "zones"
    for person in city.staff:
        yield (
            person.account,
            person.full_name,
            person.kana,
            person.romaji,
            person.department,
            person.employment,
            person.mail,
            "yes" if person.telework else "no",
            ";".join(person.zones),
        )


def _assets(city: City) -> Iterator[tuple[object, ...]]:
    yield "host", "ip", "zone", "department", "role", "criticality", "protected"
    for host in city.hosts.values():
        protected = "yes" if host.protected else "no"
        yield host.name, host.ip, host.zone, host.department, host.role, host.criticality, protected


def _geo() -> Iterator[tuple[object, ...]]:
    yield "cidr", "country_iso_code", "lat", "lon"
    for cidr, country, (latitude, longitude) in GEO:
        yield cidr, country, latitude, longitude
