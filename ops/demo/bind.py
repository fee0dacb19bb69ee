"""BIND 9.18 query log of ns01: `client @0x… ip#port (name): query: name class type flags (server)`.

Flags: + recursion asked, E(0) EDNS version 0, D DNSSEC, K cookie, T TCP (BIND 9 ARM, query logging).
"""

from collections.abc import Iterator
from random import Random

from ops.demo.city import DOMAIN
from ops.demo.clockwork import MACHINES, OFFICE, Routine, Stamp, Timed, rhythm

SERVER = "10.30.1.7"
_NAMES = (
    "www.pref.example.jp",
    "news.example.jp",
    "map.example.jp",
    "tenki.example.jp",
    "shiryo.example.jp",
    "hourei.example.jp",
    "cdn.example.net",
    "fonts.example.net",
    "search.example.com",
    "outlook.office.example.com",
    "login.office.example.com",
    "hinomicity.sharepoint.example.jp",
    f"proxy01.{DOMAIN}",
    f"dc01.{DOMAIN}",
    f"srv-print01.{DOMAIN}",
    f"_ldap._tcp.{DOMAIN}",
)
_WEIGHTS = (6, 6, 5, 3, 3, 4, 12, 6, 9, 16, 10, 8, 14, 10, 4, 3)
_KINDS = ("A", "AAAA", "HTTPS")


def query(stamp: Stamp, at: int, rng: Random, client: str, name: str, kind: str = "A") -> Timed:
    """One query in an RFC 5424 message of facility daemon, severity info."""
    pointer = 0x7F3C2C000000 + int(rng.random() * 0xFFFF) * 0x88
    flags = "+E(0)K" if rng.random() < 0.6 else "+E(0)" if rng.random() < 0.5 else "+"
    text = (
        f"<30>1 {stamp.jst(at)} ns01 named 812 - - client @{pointer:#x} "
        f"{client}#{1_024 + int(rng.random() * 64_000)} ({name}): query: {name} IN {kind} {flags} ({SERVER})"
    )
    return Timed(at, text.encode())


def dull(routine: Routine, rng: Random, scale: float) -> Iterator[Timed]:
    """An ordinary day of names: about 40,000 lines at scale 1."""
    stamp = Stamp(routine.day)
    for at in rhythm(rng, routine.day, 34_000 * scale, OFFICE):
        shift = routine.presence.someone(rng, at)
        if shift:
            name = rng.choices(_NAMES, _WEIGHTS)[0]
            kind = "SRV" if name.startswith("_") else rng.choices(_KINDS, (70, 22, 8))[0]
            yield query(stamp, at, rng, shift.pc.ip, name, kind)
    for at in rhythm(rng, routine.day, 7_000 * scale, MACHINES):
        yield _machine(stamp, at, rng)


def _machine(stamp: Stamp, at: int, rng: Random) -> Timed:
    client = rng.choice(("10.30.1.5", "10.30.1.6", "10.30.1.20", "10.30.1.25", "10.30.1.35"))
    if client == "10.30.1.25":
        domain = rng.choice(("pref.example.jp", "soumu.example.jp", "kinrin-city.example.jp"))
        return query(stamp, at, rng, client, domain, rng.choice(("MX", "TXT", "A")))
    if rng.random() < 0.2:
        pc = f"{10 + int(rng.random() * 240)}.{8 + int(rng.random() * 4)}.30.10.in-addr.arpa"
        return query(stamp, at, rng, client, pc, "PTR")
    return query(stamp, at, rng, client, rng.choices(_NAMES, _WEIGHTS)[0], rng.choice(("A", "AAAA")))
