"""The texts of ISC DHCP's server (dhcpd), which Infoblox writes with additions.

Source: ISC DHCP 4.4, server/dhcp.c and server/bootp.c (the log lines of each message); Infoblox NIOS, "DHCP Logs":
`TransID`, `lease-duration`, and the lease lines `r-l-e:`; server/dhcpv6.c for DHCPv6, server/ddns.c for
names. A client of DHCPv6 tells itself by its DUID, which holds a hardware address where it is of the kinds LLT and LL
(RFC 8415, 11.2 and 11.4). An address behind `via` is the relay that passed the
message on, a name is the interface that it came in by.
"""

import polars as pl

from collectors import expressions as e
from collectors.source import Raw

_IP = r"\d{1,3}(?:\.\d{1,3}){3}|[0-9A-Fa-f]*:[0-9A-Fa-f:]+"
_MAC = r"[0-9A-Fa-f]{1,2}(?::[0-9A-Fa-f]{1,2}){5,19}"
_DUID = r"[0-9A-Fa-f]{1,2}(?::[0-9A-Fa-f]{1,2})+"
_HARDWARE = r"^(?:0?0:0?1:0?0:0?1:(?:[0-9A-Fa-f]{1,2}:){4}|0?0:0?3:0?0:0?1:)([0-9A-Fa-f]{1,2}(?::[0-9A-Fa-f]{1,2}){5})$"

TABLE = {
    "informed": (
        r"^(?P<action>DHCP(?:INFORM|ACK)) (?:from|to) (?P<lease>\d{1,3}(?:\.\d{1,3}){3})"
        rf"(?: \((?P<mac>{_MAC})\))?(?: via (?P<via>[^\s:]+))?:?(?P<rest>.*)$"
    ),
    "message6": (
        rf"^(?:(?P<action>[A-Z][a-z]+(?:-[a-z]+)?) message from|Sending (?P<sent>[A-Z][a-z]+(?:-[a-z]+)?) to) (?P<lease>{_IP})"
        r"(?:%(?P<via>\S+))? port (?P<port>\d+)(?P<rest>.*)$"
    ),
    "lease6": (
        rf"^(?P<action>Advertise|Reply) (?:NA|TA|PD): (?:address|prefix) (?P<lease>{_IP})(?:/\d+)? to client with duid (?P<duid>{_DUID})"
        r"(?P<rest>.*)$"
    ),
    "released6": rf"^Client (?P<duid>{_DUID}) (?P<action>releases|declines) (?:address|prefix) (?P<lease>{_IP})(?P<rest>.*)$",
    "turned": (
        r"^(?P<action>(?:Added(?: new)?|Removed|Unable to (?:add|remove)) reverse map) (?:from |on )?"
        r"(?:(?P<turned>\d{1,3}(?:\.\d{1,3}){3})\.in-addr\.arpa\.?|[^\s:]+)(?: to (?P<client>[\w\-]+(?:\.[\w\-]+)*)\.?)?(?P<rest>.*)$"
    ),
    "named": (
        r"^(?P<action>(?:Added(?: new)?|Removed|Unable to (?:add|remove)) forward map) (?:from |on )?(?P<client>[\w.\-]+)"
        rf"(?: to (?P<lease>{_IP}))?(?P<rest>.*)$"
    ),
    "message": (
        rf"^(?P<action>DHCP[A-Z]+|BOOTREQUEST|BOOTREPLY)(?: (?:on|of|for) (?P<lease>{_IP})(?: \((?P<server>{_IP})\))?)?"
        rf"(?: (?:from|to) (?P<mac>{_MAC}|<no identifier>))?(?: \((?P<client>[^)]*)\))?"
        rf"(?: via (?P<via>[^\s:]+))?:?(?: relay (?P<relay>[^\s:]+))?(?P<rest>.*)$"
    ),
    "abandoned": rf"^(?P<action>Abandoning) IP address (?P<lease>{_IP}): (?P<rest>.*)$",
    "doubled": (
        rf"^(?P<action>uid lease|client lease) (?P<lease>{_IP}) for client (?P<mac>{_MAC}) (?P<rest>is duplicate .*)$"
    ),
    "lease": (
        rf"^r-l-e:(?P<lease>{_IP}),(?P<action>[^,]*),(?P<client>[^,]*),(?P<mac>{_MAC}),(?P<starts>\d*),(?P<ends>\d*)"
        r"(?P<rest>.*)$"
    ),
}
_TURNED = r"^(\d+)\.(\d+)\.(\d+)\.(\d+)$"
"""A name below in-addr.arpa is the address's octets from the last to the first (RFC 1035, 3.5)."""
_REFUSED = (
    "(?i)no free leases|unknown|not found|wrong network|ignored|unavailable|abandon|lease .* unavailable|nak"
)


def failed(raw: Raw) -> pl.Expr:
    """Whether the message itself is a refusal: the server's, the client's, the name server's."""
    action = raw["action"]
    named = action.is_in(["DHCPNAK", "DHCPDECLINE", "declines"]) | action.str.starts_with("Unable")
    return named.fill_null(False)


def columns(raw: Raw) -> dict[str, pl.Expr]:
    """What a message says, but for the name of the client, which is the source's own matter."""
    action, via = e.first(raw["action"], raw["sent"]), raw["via"]
    refused = failed(raw) | raw["rest"].str.contains(_REFUSED).fill_null(False)
    duid = raw["duid"].str.extract(_HARDWARE)
    given = (action == "DHCPACK") | ((action == "Reply") & raw["duid"].is_not_null())
    return {
        "source.ip": e.first(raw["lease"], raw["turned"].str.replace(_TURNED, "$4.$3.$2.$1")),
        "source.port": raw["port"],
        "source.mac": e.first(pl.when(raw["mac"].str.contains(":", literal=True)).then(raw["mac"]), duid),
        "observer.ingress.interface.name": e.not_ip(via),
        "event.action": action.str.to_lowercase(),
        "event.category": e.texts("network"),
        "event.type": pl.when(refused)
        .then(e.texts("protocol", "denied"))
        .when(given)
        .then(e.texts("protocol", "start"))
        .when(action.is_in(["DHCPRELEASE", "DHCPEXPIRE", "releases"]))
        .then(e.texts("protocol", "end"))
        .otherwise(e.texts("protocol", "info")),
        "event.reason": e.present(raw["rest"].str.strip_chars(" :,$")),
        "network.protocol": pl.lit("dhcp"),
        "network.transport": pl.lit("udp"),
    }
