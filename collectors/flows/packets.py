"""Datagrams of NetFlow 5 and 9 and IPFIX, cut into sets.

Sources: Cisco, "NetFlow Export Datagram Format" (version 5); RFC 3954 (version 9); RFC 7011 (IPFIX, version 10).
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass

from collectors.flows.template import Field, Template

_V5 = struct.Struct(">HHIIIIBBH")
_V9 = struct.Struct(">HHIIII")
_V10 = struct.Struct(">HHIII")
_SET = struct.Struct(">HH")
_FIELD = struct.Struct(">HH")
_V5_ORDER = (
    (8, 4), (12, 4), (15, 4), (10, 2), (14, 2), (2, 4), (1, 4), (22, 4), (21, 4), (7, 2), (11, 2), (210, 1), (6, 1),
    (4, 1), (5, 1), (16, 2), (17, 2), (9, 1), (13, 1), (210, 2),
)  # fmt: skip
V5 = Template(tuple(Field(number, length) for number, length in _V5_ORDER))
V5_SET = 5
_FIRST_DATA = 256


class NotFlow(Exception):
    """The datagram is none of these, or broken; reason is a short stable English key."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Packet:
    """A datagram. domain: observation domain (version 5: engine); sequence as sent; exported: seconds since 1970;
    uptime: ms, 0 for IPFIX; sampling: of the header, 0 where it says none; sets: (id, body) in order."""

    version: int
    domain: int
    sequence: int
    exported: float
    uptime: int
    sampling: int
    sets: list[tuple[int, bytes]]


def read(data: bytes) -> Packet:
    """A datagram's sets. Raises NotFlow."""
    version = int.from_bytes(data[:2])
    try:
        if version == 5:
            return _version_5(data)
        if version == 9:
            _, _, uptime, seconds, sequence, domain = _V9.unpack_from(data)
            return Packet(9, domain, sequence, seconds, uptime, 0, list(_sets(data, _V9.size)))
        if version == 10:
            _, length, seconds, sequence, domain = _V10.unpack_from(data)
            whole = data[:length] if _V10.size <= length <= len(data) else b""
            if not whole:
                raise NotFlow("flow_packet_cut")
            return Packet(10, domain, sequence, seconds, 0, 0, list(_sets(whole, _V10.size)))
    except struct.error:
        raise NotFlow("flow_packet_cut") from None
    raise NotFlow("flow_of_unknown_version")


def _version_5(data: bytes) -> Packet:
    _, count, uptime, seconds, nanoseconds, sequence, kind, engine, sampling = _V5.unpack_from(data)
    body = data[_V5.size : _V5.size + count * V5.length]
    if len(body) != count * V5.length:
        raise NotFlow("flow_packet_cut")
    exported = seconds + min(nanoseconds, 999_999_999) / 1e9
    return Packet(5, kind << 8 | engine, sequence, exported, uptime, sampling & 0x3FFF, [(V5_SET, body)])


def _sets(data: bytes, at: int) -> Iterator[tuple[int, bytes]]:
    while at + _SET.size <= len(data):
        number, length = _SET.unpack_from(data, at)
        if length < _SET.size or at + length > len(data):
            raise NotFlow("flow_packet_cut")
        yield number, data[at + _SET.size : at + length]
        at += length


def is_data(number: int) -> bool:
    """Whether a set holds records."""
    return number >= _FIRST_DATA


def templates(version: int, number: int, body: bytes) -> Iterator[tuple[int, Template | None]]:
    """The templates of a set by their ids; None where one is withdrawn. Raises NotFlow for a broken set."""
    flows, options = (0, 1) if version == 9 else (2, 3)
    if number not in (flows, options):
        return
    at = 0
    try:
        while at + 4 <= len(body):
            identity, count = _FIELD.unpack_from(body, at)
            at += 4
            if identity < _FIRST_DATA:  # padding
                return
            if version == 10 and count == 0:
                yield identity, None
                continue
            if number == options and version == 9:
                (size,) = struct.unpack_from(">H", body, at)
                count = (count + size) // 4
                at += 2
            elif number == options:
                at += 2  # how many of the fields are the scope
            fields, at = _fields(body, at, count, enterprises=version == 10)
            yield identity, Template(fields, options=number == options)
    except struct.error:
        raise NotFlow("flow_template_cut") from None


def _fields(body: bytes, at: int, count: int, *, enterprises: bool) -> tuple[tuple[Field, ...], int]:
    fields: list[Field] = []
    for _ in range(count):
        number, length = _FIELD.unpack_from(body, at)
        at += 4
        enterprise = 0
        if enterprises and number & 0x8000:
            (enterprise,) = struct.unpack_from(">I", body, at)
            number, at = number & 0x7FFF, at + 4
        fields.append(Field(number, length, enterprise))
    return tuple(fields), at
