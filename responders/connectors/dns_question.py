"""One question to a name server, and what of the answer tells whose it is.

Facts: RFC 1035 for the message (names may point back to earlier ones, 4.1.4); a name that does not exist in the world is answered with the
SOA of its zone in the authority section (RFC 2308, 3).
"""

import secrets
import socket
import struct
from dataclasses import dataclass

NO_SUCH_NAME, A, CNAME = 3, 1, 5
_TIMEOUT = 1.0
_RECURSION, _AUTHORITATIVE, _SOA = 0x0100, 0x0400, 6


@dataclass(frozen=True, slots=True)
class Reply:
    """code: the response code; answers, authorities: records in these sections; policies: owners of the SOA records in the additional
    section, lower case, without the last dot."""

    code: int
    authoritative: bool
    answers: int
    authorities: int
    policies: tuple[str, ...]


def asked(server: str, port: int, name: str, kind: int = A, *, recursion: bool = True) -> Reply | None:
    """What is answered to a question for a record of this kind; None without an answer that can be read."""
    number = secrets.randbits(16)
    labels = b"".join(bytes([len(part)]) + part.encode() for part in name.split("."))
    flags = _RECURSION if recursion else 0
    question = (
        struct.pack(">HHHHHH", number, flags, 1, 0, 0, 0) + labels + b"\0" + struct.pack(">HH", kind, 1)
    )
    with socket.socket(socket.AF_INET6 if ":" in server else socket.AF_INET, socket.SOCK_DGRAM) as asking:
        asking.settimeout(_TIMEOUT)
        try:
            asking.sendto(question, (server, port))
            message = asking.recv(4096)
        except OSError:
            return None
    if len(message) < 12 or struct.unpack_from(">H", message)[0] != number:
        return None
    try:
        return _read(message)
    except (IndexError, struct.error):
        return None


def _read(message: bytes) -> Reply:
    """Raises IndexError or struct.error where it ends early or its names lead nowhere."""
    _, flags, questions, answers, authorities, more = struct.unpack_from(">HHHHHH", message)
    at = 12
    for _ in range(questions):
        at = _name(message, at)[1] + 4
    policies = []
    for number in range(answers + authorities + more):
        owner, at = _name(message, at)
        kind, _, _, size = struct.unpack_from(">HHIH", message, at)
        at += 10 + size
        if kind == _SOA and number >= answers + authorities:
            policies.append(owner)
    return Reply(flags & 0xF, bool(flags & _AUTHORITATIVE), answers, authorities, tuple(policies))


def _name(message: bytes, at: int) -> tuple[str, int]:
    """The name that stands there, and where what follows it begins."""
    labels, after = list[str](), -1
    for _ in range(len(message)):
        size = message[at]
        if size >= 0xC0:
            after = at + 2 if after < 0 else after
            at = struct.unpack_from(">H", message, at)[0] & 0x3FFF
            continue
        if not size:
            return ".".join(labels).lower(), after if after >= 0 else at + 1
        labels.append(message[at + 1 : at + 1 + size].decode("ascii", "replace"))
        at += 1 + size
    raise IndexError(at)
