"""Information elements by number. Source: IANA, "IP Flow Information Export (IPFIX) Entities"; the numbers to 127 are
those of NetFlow 9 (RFC 3954, RFC 7012). Elements that are not here keep their bytes in hex under `ie<number>`."""

from enum import StrEnum


class Kind(StrEnum):
    """How an element's bytes are read."""

    NUMBER = "number"
    IPV4 = "ipv4"
    IPV6 = "ipv6"
    MAC = "mac"
    TEXT = "text"
    OCTETS = "octets"


PADDING = 210
REVERSE = 29305
"""The enterprise number of a two-way flow's other half (RFC 5103): its elements are named `reverse…`."""

_NUMBERS = {
    1: "octetDeltaCount", 2: "packetDeltaCount", 3: "deltaFlowCount", 4: "protocolIdentifier", 5: "ipClassOfService",
    6: "tcpControlBits", 7: "sourceTransportPort", 9: "sourceIPv4PrefixLength", 10: "ingressInterface",
    11: "destinationTransportPort", 13: "destinationIPv4PrefixLength", 14: "egressInterface", 16: "bgpSourceAsNumber",
    17: "bgpDestinationAsNumber", 21: "flowEndSysUpTime", 22: "flowStartSysUpTime", 23: "postOctetDeltaCount",
    24: "postPacketDeltaCount", 25: "minimumIpTotalLength", 26: "maximumIpTotalLength", 29: "sourceIPv6PrefixLength",
    30: "destinationIPv6PrefixLength", 31: "flowLabelIPv6", 32: "icmpTypeCodeIPv4", 34: "samplingInterval",
    35: "samplingAlgorithm", 36: "flowActiveTimeout", 37: "flowIdleTimeout", 48: "samplerId", 49: "samplerMode",
    50: "samplerRandomInterval", 52: "minimumTTL", 53: "maximumTTL", 58: "vlanId", 59: "postVlanId", 60: "ipVersion",
    61: "flowDirection", 70: "mplsTopLabelStackSection", 85: "octetTotalCount", 86: "packetTotalCount",
    89: "forwardingStatus", 136: "flowEndReason", 139: "icmpTypeCodeIPv6", 148: "flowId", 149: "observationDomainId",
    150: "flowStartSeconds", 151: "flowEndSeconds", 152: "flowStartMilliseconds", 153: "flowEndMilliseconds",
    154: "flowStartMicroseconds", 155: "flowEndMicroseconds", 156: "flowStartNanoseconds", 157: "flowEndNanoseconds",
    160: "systemInitTimeMilliseconds", 161: "flowDurationMilliseconds", 176: "icmpTypeIPv4", 177: "icmpCodeIPv4",
    178: "icmpTypeIPv6", 179: "icmpCodeIPv6", 180: "udpSourcePort", 181: "udpDestinationPort", 182: "tcpSourcePort",
    183: "tcpDestinationPort", 192: "ipTTL", 224: "ipTotalLength", 227: "postNAPTSourceTransportPort",
    228: "postNAPTDestinationTransportPort", 229: "natOriginatingAddressRealm", 230: "natEvent",
    231: "initiatorOctets", 232: "responderOctets", 233: "firewallEvent", 234: "ingressVRFID", 235: "egressVRFID",
    239: "biflowDirection", 243: "dot1qVlanId", 252: "ingressPhysicalInterface", 253: "egressPhysicalInterface",
    256: "ethernetType", 298: "initiatorPackets", 299: "responderPackets", 302: "selectorId",
    305: "samplingPacketInterval", 306: "samplingPacketSpace", 323: "observationTimeMilliseconds",
}  # fmt: skip
_IPV4 = {
    8: "sourceIPv4Address", 12: "destinationIPv4Address", 15: "ipNextHopIPv4Address", 18: "bgpNextHopIPv4Address",
    130: "exporterIPv4Address", 225: "postNATSourceIPv4Address", 226: "postNATDestinationIPv4Address",
}  # fmt: skip
_IPV6 = {
    27: "sourceIPv6Address", 28: "destinationIPv6Address", 62: "ipNextHopIPv6Address", 131: "exporterIPv6Address",
    281: "postNATSourceIPv6Address", 282: "postNATDestinationIPv6Address",
}  # fmt: skip
_MAC = {
    56: "sourceMacAddress", 57: "postDestinationMacAddress", 80: "destinationMacAddress", 81: "postSourceMacAddress",
}  # fmt: skip
_TEXT = {
    82: "interfaceName", 83: "interfaceDescription", 84: "samplerName", 94: "applicationDescription",
    96: "applicationName", 236: "VRFname", 371: "userName", 460: "httpRequestHost", 461: "httpRequestMethod",
}  # fmt: skip
ELEMENTS: dict[int, tuple[str, Kind]] = {
    number: (name, kind)
    for kind, names in (
        (Kind.NUMBER, _NUMBERS),
        (Kind.IPV4, _IPV4),
        (Kind.IPV6, _IPV6),
        (Kind.MAC, _MAC),
        (Kind.TEXT, _TEXT),
    )
    for number, name in names.items()
}


def element(number: int, enterprise: int) -> tuple[str, Kind]:
    """The name and kind of an element; of an enterprise's own (0: IANA's) the number is the name."""
    if enterprise == 0:
        return ELEMENTS.get(number, (f"ie{number}", Kind.OCTETS))
    if enterprise == REVERSE and number in ELEMENTS:
        name, kind = ELEMENTS[number]
        return f"reverse{name[0].upper()}{name[1:]}", kind
    return f"pen{enterprise}_{number}", Kind.OCTETS
