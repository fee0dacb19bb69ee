"""What passes `fw-edge01` on an ordinary day: browsing, cloud applications, residents, mail, telework."""

from collections.abc import Iterator
from random import Random

from ops.demo.city import OFFICE_EGRESS, PORTAL_ADDRESS
from ops.demo.clockwork import (
    MACHINES,
    MINUTE,
    OFFICE,
    RESIDENTS,
    SECOND,
    Day,
    Routine,
    Timed,
    Tunnel,
    rhythm,
)
from ops.demo.fortigate import head, traffic, vpn_closed, vpn_failed, vpn_opened

_SITES = (
    ("www.pref.example.jp", 52, "Information Technology"),
    ("news.example.jp", 36, "News and Media"),
    ("map.example.jp", 61, "Reference"),
    ("kenshu.example.jp", 30, "Education"),
    ("tenki.example.jp", 79, "Meaningless Content"),
)


def dull(routine: Routine, rng: Random, scale: float) -> Iterator[Timed]:
    """An ordinary day at the perimeter: about 85,000 lines at scale 1."""
    yield from _proxy(routine.day, rng, 33_000 * scale)
    yield from _cloud_apps(routine, rng, 22_000 * scale)
    yield from _residents(routine.day, rng, 9_000 * scale)
    yield from _infrastructure(routine.day, rng, 12_000 * scale)
    yield from _blocked(routine, rng, 500 * scale)
    yield from _webfilter(routine, rng, 3_500 * scale)
    for tunnel in routine.tunnels:
        yield from _telework(routine.day, rng, tunnel, scale)
    for slip in routine.slips_at("vpn"):
        yield from _mistyped(routine, rng, slip.person.account, slip.count)


def _port(rng: Random) -> int:
    return 49_152 + int(rng.random() * 16_000)


def _site(rng: Random) -> str:
    """A web server of the fictitious world; few are far away and a few are visited often."""
    block = 19 if rng.random() < 0.4 else 18
    return f"198.{block}.{int(rng.random() ** 2 * 60)}.{int(rng.random() * 250) + 2}"


def _size(rng: Random, typical: int) -> int:
    return int(rng.expovariate(1 / typical)) + 200


def _proxy(day: Day, rng: Random, count: float) -> Iterator[Timed]:
    for at in rhythm(rng, day, count, OFFICE):
        secure = rng.random() < 0.93
        yield traffic(
            day,
            at,
            rng,
            ("10.30.1.20", _port(rng), "port2"),
            (_site(rng), 443 if secure else 80, "port1"),
            "HTTPS" if secure else "HTTP",
            4,
            volume=(_size(rng, 3_000), _size(rng, 60_000)),
            seconds=int(rng.expovariate(1 / 30)),
            translated=OFFICE_EGRESS,
        )


def _cloud_apps(routine: Routine, rng: Random, count: float) -> Iterator[Timed]:
    """Office applications leave directly, not through the proxy."""
    for at in rhythm(rng, routine.day, count, OFFICE):
        shift = routine.presence.someone(rng, at)
        if shift:
            yield traffic(
                routine.day,
                at,
                rng,
                (shift.pc.ip, _port(rng), "port2"),
                (f"198.19.100.{int(rng.random() * 60) + 4}", 443, "port1"),
                "HTTPS",
                3,
                volume=(_size(rng, 8_000), _size(rng, 40_000)),
                seconds=int(rng.expovariate(1 / 90)),
                translated=OFFICE_EGRESS,
                action="client-rst" if rng.random() < 0.05 else "close",
            )


def _residents(day: Day, rng: Random, count: float) -> Iterator[Timed]:
    for at in rhythm(rng, day, count, RESIDENTS):
        resident = f"198.18.{64 + int(rng.random() * 60)}.{int(rng.random() * 250) + 2}"
        yield traffic(
            day,
            at,
            rng,
            (resident, _port(rng), "port1"),
            (PORTAL_ADDRESS, 443, "dmz"),
            "HTTPS",
            8,
            volume=(_size(rng, 2_500), _size(rng, 30_000)),
            seconds=int(rng.expovariate(1 / 20)),
        )


def _infrastructure(day: Day, rng: Random, count: float) -> Iterator[Timed]:
    kinds = (
        ("10.30.1.7", 53, "DNS", 6, 17, "198.18.0.53", (70, 240)),
        ("10.30.1.7", 53, "DNS", 6, 17, "198.19.0.53", (70, 260)),
        ("10.30.1.25", 25, "SMTP", 5, 6, "", (30_000, 900)),
        ("10.30.1.5", 123, "NTP", 12, 17, "198.18.0.123", (76, 76)),
    )
    for at in rhythm(rng, day, count, MACHINES):
        ip, port, service, policy, proto, target, volume = rng.choices(kinds, (60, 25, 10, 5))[0]
        yield traffic(
            day,
            at,
            rng,
            (ip, 123 if port == 123 else _port(rng), "port2"),
            (target or f"198.18.{int(rng.random() * 8) + 30}.25", port, "port1"),
            service,
            policy,
            volume=(volume[0] + int(rng.random() * 40), volume[1] + int(rng.random() * 90)),
            seconds=180 if proto == 17 else int(rng.random() * 9) + 1,
            action="accept" if proto == 17 else "close",
            proto=proto,
            translated=OFFICE_EGRESS,
        )


def _blocked(routine: Routine, rng: Random, count: float) -> Iterator[Timed]:
    """Browsers that try QUIC past the proxy: one port, few sites, now and then."""
    for at in rhythm(rng, routine.day, count, OFFICE):
        shift = routine.presence.someone(rng, at)
        if shift:
            target = (f"198.18.5.{int(rng.random() * 4) + 10}", 443, "port1")
            source = (shift.pc.ip, _port(rng), "port2")
            yield traffic(routine.day, at, rng, source, target, "udp/443", 0, action="deny", proto=17)


def _webfilter(routine: Routine, rng: Random, count: float) -> Iterator[Timed]:
    day = routine.day
    for at in rhythm(rng, day, count, OFFICE):
        shift = routine.presence.someone(rng, at)
        if not shift:
            continue
        site, number, category = rng.choice(_SITES)
        kind = 'type="utm" subtype="webfilter" eventtype="ftgd_allow"'
        text = (
            f"{head(day, at, '0317013312', kind, 'notice')} policyid=3 sessionid={int(rng.random() * 9e8)} "
            f'user="{shift.person.account.upper()}" srcip={shift.pc.ip} srcport={_port(rng)} '
            f'srccountry="Reserved" srcintf="port2" srcintfrole="lan" dstip={_site(rng)} dstport=443 '
            f'dstintf="port1" dstintfrole="wan" proto=6 service="HTTPS" hostname="{site}" '
            f'profile="city-default" action="passthrough" reqtype="direct" url="https://{site}/" '
            f'sentbyte={_size(rng, 900)} rcvdbyte={_size(rng, 3_000)} direction="outgoing" '
            f'msg="URL belongs to an allowed category in policy" cat={number} catdesc="{category}"'
        )
        yield Timed(at, text.encode())


def _telework(day: Day, rng: Random, tunnel: Tunnel, scale: float) -> Iterator[Timed]:
    """A session: up, steady work with the servers, down."""
    yield from vpn_opened(day, tunnel.start, rng, tunnel.person.account, tunnel.home, tunnel.address)
    for _ in range(round(30 * min(1.0, scale * 4))):
        at = tunnel.start + 8 * SECOND + int(rng.random() * (tunnel.end - tunnel.start - 20 * SECOND))
        host = rng.choice(("10.30.1.20", "10.30.1.35", "10.30.1.36", "10.30.1.5"))
        port, service = (3128, "tcp/3128") if host.endswith(".20") else (443, "HTTPS")
        yield traffic(
            day,
            at,
            rng,
            (tunnel.address, _port(rng), "ssl.root"),
            (host, port, "port2"),
            service,
            11,
            volume=(_size(rng, 5_000), _size(rng, 30_000)),
            seconds=int(rng.expovariate(1 / 60)),
        )
    yield vpn_closed(day, tunnel.end, rng, tunnel.person.account, tunnel.home, tunnel.address, tunnel.start)


def _mistyped(routine: Routine, rng: Random, account: str, count: int) -> Iterator[Timed]:
    tunnel = next(one for one in routine.tunnels if one.person.account == account)
    for attempt in range(count):
        at = tunnel.start - (count - attempt) * MINUTE // 3 - int(rng.random() * 4 * SECOND)
        yield vpn_failed(routine.day, at, account, tunnel.home)
