"""Squid `access.log` of proxy01, native format: time elapsed client result/status bytes method URL user
hierarchy/peer type (Squid wiki, Features/LogFormat).
"""

from collections.abc import Iterator
from random import Random

from ops.demo.clockwork import MACHINES, OFFICE, Routine, Timed, rhythm

_SITES = (
    ("www.pref.example.jp", "198.18.3.10"),
    ("www.soumu.example.jp", "198.18.3.22"),
    ("news.example.jp", "198.18.6.41"),
    ("map.example.jp", "198.18.7.19"),
    ("tenki.example.jp", "198.18.7.80"),
    ("norikae.example.jp", "198.18.9.5"),
    ("shiryo.example.jp", "198.18.11.31"),
    ("kenshu.example.jp", "198.18.12.8"),
    ("hourei.example.jp", "198.18.3.61"),
    ("cdn.example.net", "198.19.20.14"),
    ("fonts.example.net", "198.19.20.33"),
    ("search.example.com", "198.19.4.4"),
    ("video.example.com", "198.19.7.90"),
)
_WEIGHTS = (12, 9, 10, 8, 5, 4, 6, 4, 7, 16, 7, 14, 3)
_UPDATES = (("update.example.com", "198.19.30.5"), ("av-definition.example.jp", "198.18.14.3"))
_TYPES = ("text/html", "image/png", "image/jpeg", "text/css", "application/javascript", "application/pdf")


def line(
    at: int,
    elapsed: int,
    client: str,
    result: str,
    size: int,
    request: tuple[str, str],
    user: str,
    peer: str,
    kind: str,
) -> Timed:
    """One access. elapsed: ms; result: such as `TCP_TUNNEL/200`; request: method, URL."""
    seconds, milli = divmod(at, 1000)
    method, url = request
    text = f"{seconds}.{milli:03d} {elapsed:6d} {client} {result} {size} {method} {url} {user} {peer} {kind}"
    return Timed(at, text.encode())


def dull(routine: Routine, rng: Random, scale: float) -> Iterator[Timed]:
    """An ordinary day of browsing and updates: about 44,000 lines at scale 1."""
    for at in rhythm(rng, routine.day, 42_000 * scale, OFFICE):
        shift = routine.presence.someone(rng, at)
        if shift:
            site = rng.choices(_SITES, _WEIGHTS)[0]
            yield _visit(at, shift.pc.ip, shift.person.account, site, rng)
    for at in rhythm(rng, routine.day, 2_600 * scale, MACHINES):
        server = rng.choice(("10.30.1.5", "10.30.1.6", "10.30.1.35", "10.30.1.36", "10.30.1.45"))
        yield _update(at, server, rng)


def _visit(at: int, client: str, user: str, site: tuple[str, str], rng: Random) -> Timed:
    name, ip = site
    size, chance = int(rng.expovariate(1 / 45_000)) + 400, rng.random()
    if chance < 0.86:
        tunnel, elapsed = ("CONNECT", f"{name}:443"), int(rng.expovariate(1 / 30_000)) + 40
        return line(at, elapsed, client, "TCP_TUNNEL/200", size, tunnel, user, f"HIER_DIRECT/{ip}", "-")
    url = f"http://{name}/{rng.choice(('', 'index.html', 'img/', 'docs/'))}{int(rng.random() * 900)}"
    kind = rng.choice(_TYPES)
    if chance < 0.93:
        elapsed = int(rng.expovariate(1 / 120)) + 5
        return line(at, elapsed, client, "TCP_MISS/200", size, ("GET", url), user, f"HIER_DIRECT/{ip}", kind)
    if chance < 0.97:
        return line(at, 0, client, "TCP_MEM_HIT/200", size, ("GET", url), user, "HIER_NONE/-", kind)
    if chance < 0.992:
        return line(at, 18, client, "TCP_MISS/304", 310, ("GET", url), user, f"HIER_DIRECT/{ip}", kind)
    # A browser asks once without credentials, is told to authenticate, and asks again.
    return line(
        at, 0, client, "TCP_DENIED/407", 4_120, ("CONNECT", f"{name}:443"), "-", "HIER_NONE/-", "text/html"
    )


def _update(at: int, client: str, rng: Random) -> Timed:
    name, ip = rng.choice(_UPDATES)
    url = f"http://{name}/content/{int(rng.random() * 90_000):05d}.cab"
    size, elapsed = int(rng.expovariate(1 / 300_000)) + 900, int(rng.expovariate(1 / 400)) + 12
    kind = "application/vnd.ms-cab-compressed"
    return line(at, elapsed, client, "TCP_MISS/200", size, ("GET", url), "-", f"HIER_DIRECT/{ip}", kind)
