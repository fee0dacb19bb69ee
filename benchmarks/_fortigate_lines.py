"""FortiGate traffic lines for benchmarks: 36 keys, varied users, addresses, ports and sizes."""

from random import Random


def lines(n: int, seed: int = 1) -> list[bytes]:
    """n syslog lines of a perimeter firewall, about 700 bytes each."""
    rng = Random(seed)
    return [_line(rng, i) for i in range(n)]


def _line(rng: Random, i: int) -> bytes:
    second, action = i // 500, rng.choice(["accept", "close", "close", "close", "deny"])
    time = f"{8 + second // 3600 % 12:02d}:{second // 60 % 60:02d}:{second % 60:02d}"
    source, port = f"10.30.{rng.randrange(8, 16)}.{rng.randrange(1, 250)}", rng.randrange(1024, 65535)
    return (
        f'<189>date=2026-11-20 time={time} devname="fw-edge01" devid="FGT60F0000000001" '
        f'eventtime={1795132800000000000 + i * 2000000} tz="+0900" logid="0000000013" type="traffic" '
        f'subtype="forward" level="notice" vd="root" srcip={source} srcport={port} srcintf="internal" '
        f'srcintfrole="lan" dstip=198.51.{rng.randrange(100, 120)}.{rng.randrange(1, 250)} '
        f'dstport={rng.choice([443, 443, 443, 80, 53, 123])} dstintf="wan1" dstintfrole="wan" '
        f'srccountry="Reserved" dstcountry="Japan" sessionid={rng.randrange(10**8)} '
        f"proto={rng.choice([6, 6, 17])} "
        f'action="{action}" policyid={rng.randrange(1, 60)} policytype="policy" '
        f'poluuid="8c8ebf6c-7d1e-51e9-6a35-b1bd2d2b9d1f" '
        f'service="HTTPS" trandisp="snat" transip=198.51.100.10 '
        f"transport={port} duration={rng.randrange(1, 900)} sentbyte={rng.randrange(200, 90000)} "
        f"rcvdbyte={rng.randrange(200, 900000)} "
        f"sentpkt={rng.randrange(1, 300)} rcvdpkt={rng.randrange(1, 800)} "
        f'appcat="unscanned" user="user{rng.randrange(900):03d}" mastersrcmac="02:00:00:00:{i % 100:02d}:01"'
    ).encode()
