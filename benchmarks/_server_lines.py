"""Lines of a segment firewall (ASA), a proxy (Squid), a name server (BIND) and Linux sign-ins, for benchmarks."""

from random import Random

_HOSTS = ("www.example.jp", "portal.example.jp", "update.example.net", "cdn.example.com", "mail.example.org")


def asa(n: int, seed: int = 1) -> list[str]:
    """Connections built and torn down, some refused, in RFC 3164."""
    rng = Random(seed)
    return [_asa(rng, i) for i in range(n)]


def _asa(rng: Random, i: int) -> str:
    source, port = f"10.30.{rng.randrange(8, 16)}.{rng.randrange(1, 250)}", rng.randrange(1024, 65535)
    target, number = f"10.20.1.{rng.randrange(10, 60)}", 1_000_000 + i
    head = f"<166>Nov 20 2026 {_clock(i)} fw-seg01 : "
    built = (
        f"%ASA-6-302013: Built inbound TCP connection {number} for internet:{source}/{port} ({source}/{port}) "
        f"to lgwan:{target}/443 ({target}/443)"
    )
    ended = (
        f"%ASA-6-302014: Teardown TCP connection {number} for internet:{source}/{port} to lgwan:{target}/443 "
        f"duration 0:00:{rng.randrange(60):02d} bytes {rng.randrange(200, 90000)} TCP FINs"
    )
    denied = (
        f"%ASA-4-106023: Deny tcp src internet:{source}/{port} dst lgwan:{target}/{rng.randrange(1, 1024)} "
        'by access-group "internet_in" [0x0, 0x0]'
    )
    return head + rng.choice((built, ended, denied))


def squid(n: int, seed: int = 1) -> list[str]:
    """Native access log lines."""
    rng = Random(seed)
    return [_squid(rng, i) for i in range(n)]


def _squid(rng: Random, i: int) -> str:
    host = f"h{rng.randrange(2000)}.{rng.choice(_HOSTS)}"
    method, url, result = rng.choice(
        (
            ("CONNECT", f"{host}:443", "TCP_TUNNEL/200"),
            ("GET", f"http://{host}/a/{rng.randrange(9999)}.js?v={i}", "TCP_MISS/200"),
        )
    )
    return (
        f"{1795132800 + i / 50:.3f} {rng.randrange(1, 9000):6d} 10.30.{rng.randrange(8, 16)}.{rng.randrange(1, 250)} "
        f"{result} {rng.randrange(200, 90000)} {method} {url} user{rng.randrange(900):03d} "
        f"HIER_DIRECT/198.51.100.{rng.randrange(1, 250)} text/javascript"
    )


def bind(n: int, seed: int = 1) -> list[str]:
    """Queries in RFC 3164."""
    rng = Random(seed)
    return [_bind(rng, i) for i in range(n)]


def _bind(rng: Random, i: int) -> str:
    name = f"h{rng.randrange(2000)}.{rng.choice(_HOSTS)}"
    return (
        f"<30>Nov 20 {_clock(i)} dc01 named[1123]: client @0x7f62b8{rng.randrange(16**6):06x} "
        f"10.30.{rng.randrange(8, 16)}.{rng.randrange(1, 250)}#{rng.randrange(1024, 65535)} ({name}): "
        f"query: {name} IN {rng.choice(('A', 'AAAA', 'HTTPS'))} + (10.30.1.5)"
    )


def linux(n: int, seed: int = 1) -> list[str]:
    """sshd and sudo in RFC 5424."""
    rng = Random(seed)
    return [_linux(rng, i) for i in range(n)]


def _linux(rng: Random, i: int) -> str:
    user, source = f"user{rng.randrange(900):03d}", f"10.30.8.{rng.randrange(1, 250)}"
    app, text = rng.choice(
        (
            ("sshd", f"Accepted publickey for {user} from {source} port {rng.randrange(1024, 65535)} ssh2"),
            ("sshd", f"Failed password for {user} from {source} port {rng.randrange(1024, 65535)} ssh2"),
            (
                "sudo",
                f"{user} : TTY=pts/0 ; PWD=/home/{user} ; USER=root ; COMMAND=/usr/bin/systemctl status",
            ),
        )
    )
    return f"<86>1 2026-11-20T{_clock(i)}.{i % 1000:03d}+09:00 bastion01 {app} {1000 + i % 30000} - - {text}"


def _clock(i: int) -> str:
    second = i // 50
    return f"{8 + second // 3600 % 12:02d}:{second // 60 % 60:02d}:{second % 60:02d}"
