"""OpenSSH and sudo on bastion01 and web01, RFC 5424 as rsyslog forwards it.

Messages: OpenSSH 9 auth.c/auth2.c, pam_unix, sudo 1.9.
"""

from collections.abc import Iterator
from random import Random

from ops.demo.clockwork import HOUR, MINUTE, SECOND, Day, Routine, Stamp, Timed

_AUTHPRIV, _AUTH = 10, 4
_KEY = "SHA256:0q8QmWn4pS2cVb7XyL1dTzK6hR9eJ3uAoF5gI8wNxYM"
_COMMANDS = (
    "/usr/bin/systemctl status nginx",
    "/usr/bin/apt-get update",
    "/usr/bin/journalctl -u named -n 200",
    "/usr/bin/tail -n 100 /var/log/nginx/error.log",
    "/usr/sbin/logrotate -d /etc/logrotate.conf",
)


def line(stamp: Stamp, at: int, host: str, app: str, process: int, severity: int, text: str) -> Timed:
    """One RFC 5424 message, microseconds as rsyslog writes them."""
    facility = _AUTHPRIV if app in {"sshd", "sudo"} else _AUTH
    time = stamp.jst(at).replace("+", f"{at % 991:03d}+")
    return Timed(at, f"<{facility * 8 + severity}>1 {time} {host} {app} {process} - - {text}".encode())


def session(
    stamp: Stamp, at: int, until: int, host: str, process: int, user: str, source: tuple[str, int], how: str
) -> list[Timed]:
    """A sign-in and, at `until`, its end. how: `publickey` or `password`."""
    ip, port = source
    proof = f": ED25519 {_KEY}" if how == "publickey" else ""
    texts = (
        (at, f"Accepted {how} for {user} from {ip} port {port} ssh2{proof}"),
        (at + 40, f"pam_unix(sshd:session): session opened for user {user}(uid=1004) by (uid=0)"),
        (until, f"Received disconnect from {ip} port {port}:11: disconnected by user"),
        (until + 20, f"Disconnected from user {user} {ip} port {port}"),
        (until + 40, f"pam_unix(sshd:session): session closed for user {user}"),
    )
    return [line(stamp, when, host, "sshd", process, 6, text) for when, text in texts]


def refused(stamp: Stamp, at: int, host: str, process: int, user: str, source: tuple[str, int]) -> Timed:
    """A wrong password."""
    text = f"Failed password for {user} from {source[0]} port {source[1]} ssh2"
    return line(stamp, at, host, "sshd", process, 6, text)


def sudo(stamp: Stamp, at: int, host: str, process: int, user: str, command: str) -> list[Timed]:
    """A command run as root with the session that PAM opens for it."""
    texts = (
        (at, 5, f"   {user} : TTY=pts/0 ; PWD=/home/{user} ; USER=root ; COMMAND={command}"),
        (at + 12, 6, f"pam_unix(sudo:session): session opened for user root(uid=0) by {user}(uid=1004)"),
        (at + 900, 6, "pam_unix(sudo:session): session closed for user root"),
    )
    return [line(stamp, when, host, "sudo", process, severity, text) for when, severity, text in texts]


def dull(routine: Routine, rng: Random, scale: float) -> Iterator[Timed]:
    """Administration by adm.ito in office hours, monitoring every ten minutes: about 2,000 lines."""
    stamp, day = Stamp(routine.day), routine.day
    yield from _administration(stamp, day, rng)
    step = round(10 * MINUTE / max(scale, 0.05))
    for host, offset in (("bastion01", 7), ("web01", 31)):
        for at in range(day.midnight + offset * SECOND, day.midnight + 24 * HOUR - MINUTE, step):
            source = ("10.30.1.50", 32_768 + int(rng.random() * 28_000))
            number = 2_000 + int(rng.random() * 60_000)
            until = at + int(rng.random() * 9 * SECOND) + SECOND
            yield from session(stamp, at, until, host, number, "monitor", source, "publickey")


def _administration(stamp: Stamp, day: Day, rng: Random) -> Iterator[Timed]:
    for start in ("09:12", "11:03", "13:40", "16:05"):
        for host in ("bastion01", "web01"):
            at = day.at(start) + int(rng.random() * 6 * MINUTE)
            source = ("10.30.1.50", 32_768 + int(rng.random() * 28_000))
            number = 2_000 + int(rng.random() * 60_000)
            if start == "13:40" and host == "web01":
                yield refused(stamp, at - 8 * SECOND, host, number - 1, "adm.ito", source)
            until = at + 12 * MINUTE
            yield from session(stamp, at, until, host, number, "adm.ito", source, "publickey")
            for index in range(3):
                command = rng.choice(_COMMANDS)
                when = at + (index + 1) * 2 * MINUTE + int(rng.random() * MINUTE)
                yield from sudo(stamp, when, host, number + index + 5, "adm.ito", command)
