"""A capture file of invented TCP packets, for exporters that read one; and sets of flow datagrams by hand."""

import ipaddress
import struct
from pathlib import Path


def tcp_frame(source: str, destination: str, ports: tuple[int, int], size: int) -> bytes:
    """An Ethernet frame with so many bytes of payload."""
    segment = struct.pack(">HHIIBBHHH", *ports, 1, 1, 5 << 4, 0x18, 1000, 0, 0) + b"x" * size
    addresses = (ipaddress.ip_address(source).packed, ipaddress.ip_address(destination).packed)
    head = struct.pack(">BBHHHBBH4s4s", 0x45, 0, 20 + len(segment), 1, 0, 64, 6, 0, *addresses)
    words = struct.unpack(">10H", head)
    total = sum(words)
    total = (total & 0xFFFF) + (total >> 16)
    head = head[:10] + struct.pack(">H", ~(total + (total >> 16)) & 0xFFFF) + head[12:]
    return bytes.fromhex("020000000001020000000002") + b"\x08\x00" + head + segment


def write_capture(path: Path, start: float, frames: list[bytes], step: float = 0.01) -> None:
    """A pcap file, one frame each `step` seconds."""
    with path.open("wb") as file:
        file.write(struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 1))
        for i, frame in enumerate(frames):
            seconds = start + i * step
            head = struct.pack("<IIII", int(seconds), int(seconds % 1 * 1e6), len(frame), len(frame))
            file.write(head + frame)


def flow_set(number: int, body: bytes) -> bytes:
    """A set of version 9 or IPFIX."""
    return struct.pack(">HH", number, 4 + len(body)) + body


def version_9(sequence: int, *sets: bytes, uptime: int = 1_000_000, seconds: int = 1_795_857_052) -> bytes:
    """A datagram of version 9."""
    return struct.pack(">HHIIII", 9, len(sets), uptime, seconds, sequence, 7) + b"".join(sets)


def ipfix(sequence: int, *sets: bytes, seconds: int = 1_795_857_052) -> bytes:
    """An IPFIX message."""
    body = b"".join(sets)
    return struct.pack(">HHIII", 10, 16 + len(body), seconds, sequence, 7) + body


def template(identity: int, *fields: tuple[int, int]) -> bytes:
    """A template's text within a set."""
    return struct.pack(">HH", identity, len(fields)) + b"".join(
        struct.pack(">HH", *field) for field in fields
    )
