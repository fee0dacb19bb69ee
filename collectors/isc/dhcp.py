"""The texts of ISC DHCP's server (dhcpd), which Infoblox writes with additions.

Source: ISC DHCP 4.4, server/dhcp.c and server/bootp.c (the log lines of each message); Infoblox NIOS, "DHCP Logs":
`TransID`, `lease-duration`, and the lease lines `r-l-e:`. An address behind `via` is the relay that passed the
message on, a name is the interface that it came in by.
"""

import polars as pl

from collectors import expressions as e
from collectors.source import Raw

_IP = r"\d{1,3}(?:\.\d{1,3}){3}|[0-9A-Fa-f]*:[0-9A-Fa-f:]+"
_MAC = r"[0-9A-Fa-f]{1,2}(?::[0-9A-Fa-f]{1,2}){5,19}"

TABLE = {
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
_REFUSED = (
    "(?i)no free leases|unknown|not found|wrong network|ignored|unavailable|abandon|lease .* unavailable|nak"
)


def columns(raw: Raw) -> dict[str, pl.Expr]:
    """What a message says, but for the name of the client, which is the source's own matter."""
    action, via = raw["action"], raw["via"]
    refused = action.is_in(["DHCPNAK", "DHCPDECLINE"]) | raw["rest"].str.contains(_REFUSED)
    return {
        "source.ip": raw["lease"],
        "source.mac": pl.when(raw["mac"].str.contains(":", literal=True)).then(raw["mac"]),
        "observer.ingress.interface.name": e.not_ip(via),
        "event.action": action.str.to_lowercase(),
        "event.category": e.texts("network"),
        "event.type": pl.when(refused)
        .then(e.texts("protocol", "denied"))
        .when(action == "DHCPACK")
        .then(e.texts("protocol", "start"))
        .when(action.is_in(["DHCPRELEASE", "DHCPEXPIRE"]))
        .then(e.texts("protocol", "end"))
        .otherwise(e.texts("protocol", "info")),
        "event.reason": e.present(raw["rest"].str.strip_chars(" :,$")),
        "network.protocol": pl.lit("dhcp"),
        "network.transport": pl.lit("udp"),
    }
