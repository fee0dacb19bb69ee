"""sFlow version 5: sampled packets to lines, one a sample. Counter samples are left out and counted.

Source: sflow.org, "sFlow Version 5" (July 2004): structures flow_sample, flow_sample_expanded, sampled_header,
sampled_ipv4, sampled_ipv6. Everything is XDR: numbers of 32 bits, big-endian.
"""

import ipaddress
import struct
import time
from collections import Counter
from collections.abc import Iterator
from typing import Any

from collectors.flows.lines import of_mapping
from collectors.flows.packets import NotFlow

START = b"\x00\x00\x00\x05"
_FLOW, _COUNTERS, _FLOW_EXPANDED, _COUNTERS_EXPANDED = 1, 2, 3, 4
_HEADER, _IPV4, _IPV6 = 1, 3, 4
_ETHERNET, _VLAN, _IP4, _IP6 = 1, 0x8100, 0x0800, 0x86DD
_MOST_SAMPLES = 4096


def lines(peer: str, data: bytes, counts: Counter[str]) -> list[bytes]:
    """A datagram's sampled packets. Raises NotFlow for one that is broken."""
    try:
        return [of_mapping({"exporter": peer, **one}) for one in _samples(data, counts)]
    except (struct.error, ValueError):
        raise NotFlow("flow_packet_cut") from None


def _samples(data: bytes, counts: Counter[str]) -> Iterator[dict[str, Any]]:
    kind = _number(data, 4)
    length = {1: 4, 2: 16}.get(kind)
    if length is None:
        raise NotFlow("flow_packet_cut")
    agent, at = str(ipaddress.ip_address(data[8 : 8 + length])), 8 + length
    domain, _, _, number = struct.unpack_from(">IIII", data, at)
    at += 16
    exported = round(time.time() * 1000)  # an agent tells only how long it has been up
    for _ in range(min(number, _MOST_SAMPLES)):
        form, size = struct.unpack_from(">II", data, at)
        body = data[at + 8 : at + 8 + size]
        if len(body) != size:
            raise NotFlow("flow_packet_cut")
        at += 8 + size
        if form in (_FLOW, _FLOW_EXPANDED):
            told = {"version": "sflow5", "domain": domain, "agent": agent, "exported": exported}
            yield {**told, **_flow(body, expanded=form == _FLOW_EXPANDED)}
        else:
            counts["sflow_counters" if form in (_COUNTERS, _COUNTERS_EXPANDED) else "sflow_other_sample"] += 1


def _flow(body: bytes, *, expanded: bool) -> dict[str, Any]:
    if expanded:
        _, _, _, rate, _, drops, _, inward, _, outward, records = struct.unpack_from(">11I", body)
        at = 44
    else:
        _, _, rate, _, drops, inward, outward, records = struct.unpack_from(">8I", body)
        inward, outward, at = inward & 0x3FFFFFFF, outward & 0x3FFFFFFF, 32
    found: dict[str, Any] = {"sampling": rate, "packetDeltaCount": 1, "ingressInterface": inward}
    found |= {"egressInterface": outward, "sampleDrops": drops}
    for _ in range(min(records, 64)):
        form, size = struct.unpack_from(">II", body, at)
        part = body[at + 8 : at + 8 + size]
        if len(part) != size:
            raise NotFlow("flow_packet_cut")
        at += 8 + size
        if form == _HEADER and _number(part, 0) == _ETHERNET:
            found |= {"octetDeltaCount": _number(part, 4), **_ethernet(part[16 : 16 + _number(part, 12)])}
        elif form in (_IPV4, _IPV6):
            found |= _sampled_ip(part, 4 if form == _IPV4 else 16)
    return found


def _sampled_ip(part: bytes, size: int) -> dict[str, Any]:
    length, protocol = struct.unpack_from(">II", part)
    source, destination, rest = part[8 : 8 + size], part[8 + size : 8 + 2 * size], part[8 + 2 * size :]
    ports = struct.unpack_from(">III", rest)
    return {
        "octetDeltaCount": length,
        "protocolIdentifier": protocol,
        **_addresses(source, destination),
        "sourceTransportPort": ports[0],
        "destinationTransportPort": ports[1],
        "tcpControlBits": ports[2],
    }


def _ethernet(frame: bytes) -> dict[str, Any]:
    """What a sampled frame's beginning tells; it ends wherever the agent cut it."""
    if len(frame) < 14:
        return {}
    found: dict[str, Any] = {
        "destinationMacAddress": frame[:6].hex("-").upper(),
        "sourceMacAddress": frame[6:12].hex("-").upper(),
    }
    kind, at = int.from_bytes(frame[12:14]), 14
    if kind == _VLAN and len(frame) >= 18:
        found["vlanId"] = int.from_bytes(frame[14:16]) & 0xFFF
        kind, at = int.from_bytes(frame[16:18]), 18
    packet = frame[at:]
    if kind == _IP4 and len(packet) >= 20:
        size = (packet[0] & 15) * 4
        whole = int.from_bytes(packet[6:8]) & 0x1FFF == 0  # only a first fragment has ports
        found |= {"protocolIdentifier": packet[9], **_addresses(packet[12:16], packet[16:20])}
        return found | (_ports(packet[9], packet[size:]) if whole else {})
    if kind == _IP6 and len(packet) >= 40:
        found |= {"protocolIdentifier": packet[6], **_addresses(packet[8:24], packet[24:40])}
        return found | _ports(packet[6], packet[40:])
    return found | {"ethernetType": kind}


def _ports(protocol: int, rest: bytes) -> dict[str, Any]:
    if protocol not in (6, 17, 132) or len(rest) < 4:
        return {}
    source, destination = struct.unpack_from(">HH", rest)
    flags = {"tcpControlBits": rest[13]} if protocol == 6 and len(rest) > 13 else {}
    return {"sourceTransportPort": source, "destinationTransportPort": destination, **flags}


def _addresses(source: bytes, destination: bytes) -> dict[str, str]:
    version = 4 if len(source) == 4 else 6
    return {
        f"sourceIPv{version}Address": str(ipaddress.ip_address(source)),
        f"destinationIPv{version}Address": str(ipaddress.ip_address(destination)),
    }


def _number(data: bytes, at: int) -> int:
    (value,) = struct.unpack_from(">I", data, at)
    return int(value)
