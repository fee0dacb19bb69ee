"""FortiGate `fw-edge01`: forward traffic, web filter and SSL-VPN events, key=value over syslog.

Field names and order: Fortinet, FortiOS 7.4 Log Message Reference (log ids 13, 39424, 39425, 39426, 39943,
39947, 39948, 13312).
"""

from random import Random

from ops.demo.clockwork import (
    SECOND,
    Day,
    Timed,
)

_DEVICE = 'devname="fw-edge01" devid="FG200FT920900001"'
_POLICY = {
    3: ("lan-to-cloud-apps", "7f3c1a52-0b9e-51ee-8a44-2d6f31c5b001"),
    4: ("proxy-to-internet", "7f3c1a52-0b9e-51ee-8a44-2d6f31c5b002"),
    5: ("mail-out", "7f3c1a52-0b9e-51ee-8a44-2d6f31c5b003"),
    6: ("dns-out", "7f3c1a52-0b9e-51ee-8a44-2d6f31c5b004"),
    8: ("portal-in", "7f3c1a52-0b9e-51ee-8a44-2d6f31c5b005"),
    11: ("telework-to-servers", "7f3c1a52-0b9e-51ee-8a44-2d6f31c5b006"),
    12: ("ntp-out", "7f3c1a52-0b9e-51ee-8a44-2d6f31c5b007"),
    0: ("implicit-deny", ""),
}
_ROLE = {"port1": "wan", "port2": "lan", "dmz": "dmz", "ssl.root": "undefined"}


def country(address: str) -> str:
    """The name that FortiOS gives: private networks are `Reserved`."""
    if address.startswith("10."):
        return "Reserved"
    if address.startswith("203.0.113."):
        return "Romania"
    return "United States" if address.startswith("198.19.") else "Japan"


def head(day: Day, at: int, logid: str, kind: str, level: str, priority: int = 189) -> str:
    """What every FortiGate line starts with."""
    return (
        f"<{priority}>date={day.date.isoformat()} time={day.clock(at)} {_DEVICE} "
        f'eventtime={at}{at % 997:06d} tz="+0900" logid="{logid}" {kind} level="{level}" vd="root"'
    )


def traffic(
    day: Day,
    at: int,
    rng: Random,
    source: tuple[str, int, str],
    target: tuple[str, int, str],
    service: str,
    policy: int,
    *,
    volume: tuple[int, int] = (0, 0),
    seconds: int = 0,
    action: str = "close",
    proto: int = 6,
    translated: str = "",
) -> Timed:
    """A forward-traffic line. source, target: address, port, interface; volume: bytes sent, received."""
    name, uuid = _POLICY[policy]
    sent, received = volume
    identity = f'poluuid="{uuid}" policyname="{name}" ' if uuid else ""
    nat = f'trandisp="snat" transip={translated} transport={source[1]}' if translated else 'trandisp="noop"'
    level, priority = ("warning", 188) if action == "deny" else ("notice", 189)
    start = head(day, at, "0000000013", 'type="traffic" subtype="forward"', level, priority)
    packets = (sent // 900 + 1, received // 1100 + 1 if received else 0)
    text = (
        f"{start} "
        f'srcip={source[0]} srcport={source[1]} srcintf="{source[2]}" srcintfrole="{_ROLE[source[2]]}" '
        f'dstip={target[0]} dstport={target[1]} dstintf="{target[2]}" dstintfrole="{_ROLE[target[2]]}" '
        f'srccountry="{country(source[0])}" dstcountry="{country(target[0])}" '
        f'sessionid={int(rng.random() * 9e8) + 10_000_000} proto={proto} action="{action}" policyid={policy} '
        f'policytype="policy" {identity}service="{service}" {nat} duration={seconds} '
        f"sentbyte={sent} rcvdbyte={received} sentpkt={packets[0]} rcvdpkt={packets[1]} "
        f'appcat="unscanned"'
    )
    return Timed(at, text.encode())


def _vpn(day: Day, at: int, logid: str, level: str, rest: str) -> Timed:
    priority = 185 if level == "alert" else 190
    start = head(day, at, logid, 'type="event" subtype="vpn"', level, priority)
    return Timed(at, f"{start} {rest}".encode())


def vpn_failed(day: Day, at: int, user: str, remote: str) -> Timed:
    """SSL-VPN sign-in refused."""
    return _vpn(
        day,
        at,
        "0101039426",
        "alert",
        f'logdesc="SSL VPN login fail" action="ssl-login-fail" tunneltype="ssl-web" tunnelid=0 '
        f'remip={remote} user="{user}" group="N/A" dst_host="N/A" reason="sslvpn_login_permission_denied" '
        f'msg="SSL user failed to logged in"',
    )


def vpn_opened(day: Day, at: int, rng: Random, user: str, remote: str, inside: str) -> list[Timed]:
    """The three lines that FortiClient leaves: connection, sign-in, tunnel with its inner address."""
    tunnel = int(rng.random() * 2e9)
    common = f'remip={remote} user="{user}" group="telework" dst_host="N/A"'
    return [
        _vpn(
            day,
            at,
            "0101039943",
            "information",
            f'logdesc="SSL VPN new connection" action="ssl-new-con" tunneltype="ssl" tunnelid=0 '
            f'remip={remote} user="N/A" group="N/A" dst_host="N/A" reason="N/A" msg="SSL new connection"',
        ),
        _vpn(
            day,
            at + 2 * SECOND,
            "0101039424",
            "information",
            f'logdesc="SSL VPN tunnel up" action="tunnel-up" tunneltype="ssl-web" tunnelid={tunnel} {common} '
            f'reason="login successfully" msg="SSL tunnel established"',
        ),
        _vpn(
            day,
            at + 4 * SECOND,
            "0101039947",
            "information",
            f'logdesc="SSL VPN tunnel up" action="tunnel-up" tunneltype="ssl-tunnel" tunnelid={tunnel} '
            f'tunnelip={inside} {common} reason="tunnel established" msg="SSL tunnel established"',
        ),
    ]


def vpn_closed(day: Day, at: int, rng: Random, user: str, remote: str, inside: str, opened: int) -> Timed:
    """The end of a tunnel with what went through it."""
    return _vpn(
        day,
        at,
        "0101039948",
        "information",
        f'logdesc="SSL VPN tunnel down" action="tunnel-down" tunneltype="ssl-tunnel" '
        f"tunnelid={int(rng.random() * 2e9)} remip={remote} tunnelip={inside} "
        f'user="{user}" group="telework" dst_host="N/A" reason="User requested termination of service" '
        f"duration={(at - opened) // SECOND} sentbyte={int(rng.random() * 4e8)} "
        f"rcvdbyte={int(rng.random() * 9e7)} "
        f'msg="SSL tunnel shutdown"',
    )
