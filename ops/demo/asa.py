"""Cisco ASA `fw-seg01` between the city's segments, and the maintenance contractors' AnyConnect.

Messages: Cisco Secure Firewall ASA Series Syslog Messages (302013–302016, 106023, 113039, 722022, 722051,
113019). Header: RFC 3164, as a relay or `logging timestamp` without a year writes it.
"""

from collections.abc import Iterator
from random import Random

from ops.demo.clockwork import HOUR, MACHINES, OFFICE, SECOND, Day, Routine, Timed, rhythm

_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_INTERFACE = {"10.10": "mynumber", "10.20": "lgwan", "10.30": "inet", "10.50": "inet", "10.60": "gcloud"}
LOCAL4 = 20


def message(day: Day, at: int, severity: int, number: int, text: str) -> Timed:
    """One ASA message with its syslog header (facility local4, JST wall clock, day padded by a space)."""
    date = f"{_MONTHS[day.date.month - 1]} {day.date.day:2d}"
    line = f"<{LOCAL4 * 8 + severity}>{date} {day.clock(at)} fw-seg01 %ASA-{severity}-{number}: {text}"
    return Timed(at, line.encode())


def interface(address: str) -> str:
    """The firewall's name for the side an address is on."""
    return _INTERFACE.get(address[:5], "outside")


def _end(address: str, port: int) -> str:
    return f"{interface(address)}:{address}/{port}"


def connection(
    day: Day,
    at: int,
    number: int,
    source: tuple[str, int],
    target: tuple[str, int],
    *,
    volume: int,
    seconds: int,
    udp: bool = False,
) -> list[Timed]:
    """A permitted connection: built (302013/302015) and torn down (302014/302016). volume: bytes."""
    kind = "UDP" if udp else "TCP"
    # Cisco names the initiator first for an inbound connection, with its mapped address in brackets.
    built = (
        f"Built inbound {kind} connection {number} for {_end(*source)} ({source[0]}/{source[1]}) "
        f"to {_end(*target)} ({target[0]}/{target[1]})"
    )
    length = f"{seconds // 3600}:{seconds // 60 % 60:02d}:{seconds % 60:02d}"
    ended = (
        f"Teardown {kind} connection {number} for {_end(*source)} to {_end(*target)} "
        f"duration {length} bytes {volume}"
    )
    return [
        message(day, at, 6, 302015 if udp else 302013, built),
        message(
            day, at + seconds * SECOND, 6, 302016 if udp else 302014, ended if udp else f"{ended} TCP FINs"
        ),
    ]


def denied(day: Day, at: int, source: tuple[str, int], target: tuple[str, int], proto: str = "tcp") -> Timed:
    """A packet that the access list of the source's side refused."""
    text = (
        f'Deny {proto} src {_end(*source)} dst {_end(*target)} by access-group "{interface(source[0])}_in" '
        f"[0x0, 0x0]"
    )
    return message(day, at, 4, 106023, text)


def anyconnect(day: Day, at: int, until: int, user: str, remote: str, inside: str) -> list[Timed]:
    """A contractor's session from sign-in to disconnect."""
    who = f"Group <HOSHU> User <{user}> IP <{remote}>"
    length = (until - at) // SECOND
    duration = f"{length // 3600}h:{length // 60 % 60:02d}m:{length % 60:02d}s"
    return [
        message(day, at, 6, 113039, f"{who} AnyConnect parent session started."),
        message(day, at + 2 * SECOND, 5, 722022, f"{who} TCP SVC connection established without compression"),
        message(
            day,
            at + 2 * SECOND,
            4,
            722051,
            f"{who} IPv4 Address <{inside}> IPv6 address <::> assigned to session",
        ),
        message(
            day,
            until,
            4,
            113019,
            f"Group = HOSHU, Username = {user}, IP = {remote}, Session disconnected. Session Type: SSL, "
            f"Duration: {duration}, Bytes xmt: 8123456, Bytes rcv: 1456789, Reason: User Requested",
        ),
    ]


def dull(routine: Routine, rng: Random, scale: float) -> Iterator[Timed]:
    """An ordinary day between the segments: about 14,000 lines at scale 1."""
    day = routine.day
    last = day.midnight + 24 * HOUR - 1
    number = 880_000_000
    for at in rhythm(rng, day, 3_400 * scale, MACHINES):
        number += 1
        yield from _until(last, _servers(day, at, number, rng))
    for at in rhythm(rng, day, 3_500 * scale, OFFICE):
        number += 1
        yield from _until(last, _terminals(day, at, number, rng))
    yield from _stray(routine, rng, 120 * scale)
    yield from anyconnect(
        day, day.at("10:02:11"), day.at("11:48:40"), "mnt.vendor01", "192.0.2.230", "10.50.15.11"
    )
    yield from anyconnect(
        day, day.at("14:31:05"), day.at("15:20:02"), "mnt.vendor02", "192.0.2.231", "10.50.15.12"
    )


def _until(last: int, lines: list[Timed]) -> Iterator[Timed]:
    """A connection that outlives the day is torn down in tomorrow's log."""
    return (line for line in lines if line.at <= last)


def _servers(day: Day, at: int, number: int, rng: Random) -> list[Timed]:
    """The three flows that the policy allows from the internet segment to the LGWAN segment."""
    server = rng.choice(("10.20.1.10", "10.20.1.20", "10.20.1.40"))
    port = 49_152 + int(rng.random() * 16_000)
    kind = rng.random()
    if kind < 0.45:
        target, volume = (server, 53), int(rng.random() * 300) + 90
        return connection(
            day,
            at,
            number,
            ("10.30.1.5", port),
            target,
            volume=volume,
            seconds=int(rng.random() * 3),
            udp=True,
        )
    if kind < 0.6:
        return connection(
            day, at, number, ("10.30.1.5", 123), (server, 123), volume=96, seconds=1 + number % 2, udp=True
        )
    volume = int(rng.expovariate(1 / 200_000)) + 1_500
    source, target = ("10.30.1.40", port), ("10.20.1.40", 443)
    return connection(day, at, number, source, target, volume=volume, seconds=int(rng.random() * 40))


def _terminals(day: Day, at: int, number: int, rng: Random) -> list[Timed]:
    """Terminals of the inner segments reach the government cloud."""
    inner = f"10.10.20.{int(rng.random() * 120) + 11}" if rng.random() < 0.6 else _lgwan(rng)
    source = (inner, 49_152 + int(rng.random() * 16_000))
    volume = int(rng.expovariate(1 / 40_000)) + 900
    seconds = int(rng.expovariate(1 / 50))
    target = (f"10.60.0.{int(rng.random() * 4) + 10}", 443)
    return connection(day, at, number, source, target, volume=volume, seconds=seconds)


def _lgwan(rng: Random) -> str:
    return f"10.20.8.{int(rng.random() * 60) + 11}"


def _stray(routine: Routine, rng: Random, count: float) -> Iterator[Timed]:
    """Printer drivers that look for an old print server: one target, one port, refused."""
    for at in rhythm(rng, routine.day, count, OFFICE):
        shift = routine.presence.someone(rng, at)
        if shift:
            yield denied(routine.day, at, (shift.pc.ip, 137), ("10.20.1.36", 137), "udp")
