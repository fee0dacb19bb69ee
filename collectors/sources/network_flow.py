"""Flow records (NetFlow 5 and 9, IPFIX, sFlow), as the listener `kind: flow` writes them.

Names: IANA, "IP Flow Information Export (IPFIX) Entities". `start`, `end` and `exported` are ms since 1970. Numbers of
bytes and packets are as the exporter counted them; where it samples, `flow.sampling` says one of how many. A flow is one
way unless the record has the other half (`reverse…`, `responderOctets`).
"""

from collections.abc import Mapping

import polars as pl

from collectors import expressions as e
from collectors.shapes import key_value
from collectors.source import Raw, Source
from hinomi import ecs

_TAKEN = (
    "start", "end", "exported", "octetDeltaCount", "packetDeltaCount", "octetTotalCount", "packetTotalCount",
    "initiatorOctets", "responderOctets", "initiatorPackets", "responderPackets", "protocolIdentifier",
    "reverseOctetDeltaCount", "reversePacketDeltaCount", "flowDirection", "firewallEvent", "vlanId", "dot1qVlanId",
    "userName", *(f"{end}{part}" for end in ("source", "destination") for part in ("IPv4Address", "IPv6Address")),
    *(f"postNAT{end}{part}" for end in ("Source", "Destination") for part in ("IPv4Address", "IPv6Address")),
)  # fmt: skip
_FIREWALL = {
    "1": ("connection", "start"),
    "2": ("connection", "end"),
    "3": ("connection", "denied"),
    "5": ("connection", "info"),
}

source = Source(
    name="network.flow",
    title={"ja": "フロー(NetFlow・IPFIX・sFlow)", "en": "Flows (NetFlow, IPFIX, sFlow)"},
    zone_hint="perimeter",
    shape=key_value(needs=("exporter",)),
    recognise=r"^exporter=\S+ version=(?:5|9|10|sflow5) domain=\d+ ",
    rename={
        "exporter": "observer.ip",
        "ingressInterface": "observer.ingress.interface.id",
        "egressInterface": "observer.egress.interface.id",
        "sourceMacAddress": "source.mac",
        "destinationMacAddress": "destination.mac",
        "applicationName": "network.application",
    },
    leftovers="flow",
    ignore=_TAKEN,
    constants={"event.kind": "event", "event.action": "network_flow"},
    encoding="utf-8",
)


@source.derive
def times(raw: Raw) -> Mapping[str, pl.Expr]:
    """The flow is told once it is over: its end, else when it was exported."""
    start, end, exported = (_ms(raw[name]) for name in ("start", "end", "exported"))
    return {
        "@timestamp": e.time_or(end, exported),
        "event.start": start,
        "event.end": end,
        "event.duration": (end - start).dt.total_nanoseconds(),
    }


def _ms(value: pl.Expr) -> pl.Expr:
    return e.whole(value).cast(pl.Datetime("ms", "UTC")).cast(ecs.TIME)


@source.derive
def ends(raw: Raw) -> Mapping[str, pl.Expr]:
    """Addresses, ports, translated ones where they differ."""
    columns: dict[str, pl.Expr] = {}
    for end in ("source", "destination"):
        large = end.title()
        address = e.first(e.ip(raw[f"{end}IPv4Address"]), e.ip(raw[f"{end}IPv6Address"]))
        translated = e.first(e.ip(raw[f"postNAT{large}IPv4Address"]), e.ip(raw[f"postNAT{large}IPv6Address"]))
        ports = (f"{end}TransportPort", f"tcp{large}Port", f"udp{large}Port")
        port, nat = (
            e.first(*(e.whole(raw[name]) for name in ports)),
            e.whole(raw[f"postNAPT{large}TransportPort"]),
        )
        number = e.whole(raw[f"bgp{large}AsNumber"])
        columns |= {
            f"{end}.ip": address,
            f"{end}.port": port,
            f"{end}.nat.ip": pl.when(translated != address).then(translated),
            f"{end}.nat.port": pl.when((nat != port) & (nat > 0)).then(nat),
            f"{end}.as.number": pl.when(number > 0).then(number),
        }
    return columns | {"user.name": e.present(raw["userName"])}


@source.derive
def volume(raw: Raw) -> Mapping[str, pl.Expr]:
    """Bytes and packets of each way and together."""
    columns: dict[str, pl.Expr] = {}
    for what, small, large in (("bytes", "octet", "Octets"), ("packets", "packet", "Packets")):
        names = (f"{small}DeltaCount", f"{small}TotalCount", f"initiator{large}")
        there = e.first(*(e.whole(raw[name]) for name in names))
        back = e.first(e.whole(raw[f"reverse{small.title()}DeltaCount"]), e.whole(raw[f"responder{large}"]))
        columns |= {
            f"source.{what}": there,
            f"destination.{what}": back,
            f"network.{what}": pl.sum_horizontal(there, back, ignore_nulls=True),
        }
    return columns


@source.derive
def network(raw: Raw) -> Mapping[str, pl.Expr]:
    """The protocol, the way, and what a firewall did."""
    four, six = (
        raw[f"sourceIPv{n}Address"].is_not_null() | raw[f"destinationIPv{n}Address"].is_not_null()
        for n in (4, 6)
    )
    number = e.present(raw["protocolIdentifier"])
    kind = e.listed(raw["firewallEvent"], _FIREWALL)
    return {
        "network.iana_number": number,
        "network.transport": e.transport(number),
        "network.type": pl.when(four).then(pl.lit("ipv4")).when(six).then(pl.lit("ipv6")),
        "network.vlan.id": e.present(e.first(raw["vlanId"], raw["dot1qVlanId"])),
        "network.direction": e.mapped(raw["flowDirection"], {"0": "ingress", "1": "egress"}),
        "event.category": e.texts("network"),
        "event.type": pl.coalesce(kind, e.texts("connection")),
        "event.outcome": e.mapped(raw["firewallEvent"], {"3": "failure", "1": "success"}),
    }
