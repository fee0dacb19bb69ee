"""YAMAHA RTX, NVR, FWX: filters, dynamic filters (inspect), IKE and tunnels, sign-ins, DHCP, interfaces.

Source: Yamaha, "RT シリーズ Syslog に関する FAQ" (rtpro.yamaha.co.jp) and the command reference of `syslog notice|info|debug`.
Lines have no host name: only a priority, and `show log` puts `2026/11/20 03:14:05: ` before each. Addresses and ports
are joined by `:` for IPv4 and by `.` for IPv6. Texts that no pattern knows are kept whole as `message`.

Who comes in by L2TP/IPsec stands in three lines (SingleID, "YAMAHA RTX リモートアクセスVPN 2要素認証のトラブルシューティング"):
`[L2TP] TUNNEL[1] connected from ADDRESS`, `PP[ANONYMOUS01] Call detected from user 'NAME'`, and, once the password was
right, `PP[ANONYMOUS01] PPP/IPCP up`. The last takes its person from the second of the same router's PP, where both came
in one batch. Nothing in them ties the address to the person.
"""

import polars as pl

from collectors import expressions as e
from collectors import times
from collectors.shapes import own_clock, patterns
from collectors.source import ROW, Raw, Source

_CLOCK = r"^(?:(?P<clock>\d{4}/\d\d/\d\d \d\d:\d\d:\d\d): )?"
_PLACE = r"(?P<place>(?:PP|TUNNEL|LAN|WAN|VLAN|BRIDGE|ONU)\S{0,20}?)"
_ADDRESS = r"(?:\d{1,3}(?:\.\d{1,3}){3}|[0-9A-Fa-f:]{2,39})"
_FLOW = rf"(?P<src>{_ADDRESS})(?:[:.](?P<src_port>\d{{1,5}}))? > (?P<dst>{_ADDRESS})(?:[:.](?P<dst_port>\d{{1,5}}))?"
_TABLE = {
    "filter": (
        _CLOCK + rf"{_PLACE} (?P<what>Rejected|Passed) at (?P<way>IN|OUT)\((?P<rule>[^)\s]+)\)"
        rf"(?: (?P<default>default))? filter: (?P<proto>\S+) {_FLOW}(?P<rest>.*)$"
    ),
    "inspect": _CLOCK
    + rf"\[INSPECT\] {_PLACE}\[(?P<way>in|out)\]\[(?P<rule>[^\]]+)\] (?P<proto>\S+) {_FLOW}"
    + r"(?: \((?P<since>[\d/ :]+)\))?$",
    "intrusion": (
        _CLOCK + rf"(?:\[IDS\] )?{_PLACE}\[?(?P<way>in|out|IN|OUT)?\]? ?(?P<reason>[^>]*?attack[^>]*?"
rf"|[^>]*?scan[^>]*?|[^>]*?spoofing[^>]*?)"
        rf":? (?:(?P<proto>[A-Z]+) )?{_FLOW}.*$"
    ),
    "sign-in": _CLOCK
    + r"(?:'(?P<user>[^']*)' |User '(?P<user2>[^']*)' )?[Ll]ogin (?P<what>succeeded|failed)"
    + r" for (?P<service>[A-Z]+)(?:: (?P<src>[0-9A-Fa-f.:]+)(?: (?P<user3>\S+))?)?\.?$",
    "sign-in-named": _CLOCK
    + r"'(?P<user>[^']*)' (?P<what>succeeded|failed) for (?P<service>[A-Z]+): (?P<src>[0-9A-Fa-f.:]+)$",
    "sign-out": _CLOCK
    + r"(?:'(?P<user>[^']*)' )?[Ll]ogout from (?P<service>[A-Z]+)(?:: (?P<src>[0-9A-Fa-f.:]+)(?: (?P<user2>\S+))?)?$",
    "configuration": _CLOCK
    + (r"(?P<reason>[Cc]onfiguration (?:is )?(?:saved|restored|loaded).*?)(?: by (?P<service>[A-Z]+)\("
r"(?P<src>[0-9A-Fa-f.:]+)\)(?: (?P<user>\S+))?)?$"),
    "lease": _CLOCK
    + (r"\[DHCPD\] (?P<place>[A-Z]+[\d/.]*)(?:\(\S+\))? (?P<what>Allocates|Extends|Frees"
r"|Releases) (?P<src>[\d.]+): (?P<mac>[0-9a-f:]{17}).*$"),
    "call": _CLOCK + r"(?P<place>PP\[\w{1,20}\]) (?P<reason>Call detected from user '(?P<user>[^']*)')$",
    "ppp": _CLOCK
    + r"(?P<place>PP\[\w{1,20}\]) (?P<reason>PPP/IP(?:V6)?CP (?P<what>up|down)\b"
    + rf"(?:\s+\(Local: (?P<local>{_ADDRESS}), Remote: (?P<remote>{_ADDRESS})\))?.*)$",
    "tunnel": _CLOCK
    + rf"\[L2TP\] (?P<place>TUNNEL\[\d{{1,5}}\]) (?P<reason>(?P<what>connected) from (?P<src>{_ADDRESS}))$",
    "vpn": _CLOCK + r"\[(?P<module>IKE2?|PPTP|L2TP|L2TPv3|IPSEC|SSH|RADIUS)\] (?P<reason>.*)$",
    "link": _CLOCK
    + (r"(?P<place>IP Tunnel\[\d+\]|PP\[\d+\]|TUNNEL\[\d+\]|LAN\d+(?:: PORT\d+)?|lan\d+(?::"
r" ?port\d+)?)[ :]+(?:IP Commencement|.{0,60}?\b(?P<what>[Uu]p|UP|[Dd]own|DOWN|[Cc]onnected"
r"|[Dd]isconnected)\b).*$"),
}  # fmt: skip

source = Source(
    name="yamaha.rt",
    title={"ja": "YAMAHA ルーター(RTX・NVR・FWX)", "en": "Yamaha routers (RTX, NVR, FWX)"},
    zone_hint="perimeter",
    shape=own_clock(r"^\d{4}/\d\d/\d\d \d\d:\d\d:\d\d: ", patterns(_TABLE)),
    recognise=(
        r"\b(?:PP|TUNNEL|LAN|WAN|VLAN)\S{0,20} (?:Rejected|Passed) at (?:IN|OUT)\(|\[INSPECT\] \S+\[(?:in|out)\]\[|"
        r"\[DHCPD\] [A-Z]+[\d/.]*(?:\(\S+\))? (?:Allocates|Extends)|PP\[ANONYMOUS\d*\] |\[L2TP\] TUNNEL\[|\bLogin (?:succeeded|failed)"
        r" for [A-Z]+(?:: |$)|IP Tunnel\[\d+\] (?:Up|Down)"
    ),
    leftovers="yamaha.rt",
    constants={"event.kind": "event", "observer.vendor": "Yamaha", "observer.type": "firewall"},
    rename={
        "src": "source.ip",
        "src_port": "source.port",
        "dst": "destination.ip",
        "dst_port": "destination.port",
        "rule": "rule.id",
        "reason": "event.reason",
        "text": "message",
    },
    ignore=(
        *("clock", "place", "what", "way", "proto", "user", "user2", "user3", "service", "mac", "pattern"),
        *("rest", "module", "default", "local", "remote"),
    ),
)
_TRANSPORTS = ["tcp", "udp", "icmp", "gre", "esp", "ah", "igmp", "sctp"]
_CATEGORIES = {
    "sign-in": ("authentication",),
    "sign-in-named": ("authentication",),
    "sign-out": ("session",),
    "call": ("authentication", "session"),
    "ppp": ("session", "network"),
    "tunnel": ("session", "network"),
    "configuration": ("configuration",),
    "intrusion": ("network", "intrusion_detection"),
}


@source.derive
def parties(raw: Raw) -> dict[str, pl.Expr]:
    """When, who and where."""
    proto = raw["proto"].str.to_lowercase()
    way = raw["way"].str.to_lowercase()
    incoming = raw["pattern"].is_in(["filter", "intrusion", "inspect"]) & (way == "in")
    outgoing = raw["pattern"].is_in(["filter", "intrusion", "inspect"]) & (way == "out")
    clock = times.parsed(raw["clock"], ["%Y/%m/%d %H:%M:%S"], times.zone())
    return {
        "@timestamp": e.time_or(clock, pl.col("header.timestamp"), pl.col("received")),
        "observer.hostname": pl.col("header.host"),
        "observer.ip": e.ip(pl.col("peer")),
        "observer.ingress.interface.name": pl.when(incoming).then(raw["place"]),
        "observer.egress.interface.name": pl.when(outgoing).then(raw["place"]),
        "yamaha.rt.interface": raw["place"],
        "network.direction": pl.when(incoming)
        .then(pl.lit("inbound"))
        .when(outgoing)
        .then(pl.lit("outbound")),
        "network.transport": pl.when(proto.is_in(_TRANSPORTS))
        .then(proto)
        .when(proto == "icmpv6")
        .then(pl.lit("ipv6-icmp")),
        "network.protocol": e.first(
            raw["service"].str.to_lowercase(),
            pl.when(~proto.is_in(_TRANSPORTS) & (proto != "icmpv6")).then(proto),
        ),
        "user.name": e.present(e.first(raw["user"], raw["user2"], raw["user3"], _caller(raw))),
        "host.ip": pl.when(raw["remote"].is_not_null()).then(pl.concat_list(e.ip(raw["remote"]))),
        "source.mac": raw["mac"].str.to_uppercase().str.replace_all(":", "-"),
    }


def _caller(raw: Raw) -> pl.Expr:
    """Who called on the PP of this router that comes up, where that line is in the same batch; none once it went down."""
    went = (raw["pattern"] == "ppp") & (raw["what"] == "down")
    told = pl.when(raw["pattern"] == "call").then(raw["user"]).when(went).then(pl.lit(""))
    pp = raw["place"], pl.col("peer"), pl.col("header.host")
    called = told.forward_fill().over(*pp, order_by=ROW)  # a frame stands by pattern, not as the lines came
    return pl.when((raw["pattern"] == "ppp") & (raw["what"] == "up")).then(called)


@source.derive
def meaning(raw: Raw) -> dict[str, pl.Expr]:
    """event.*: a filter let through or refused, a dynamic filter opened, a sign-in worked or failed."""
    name, what = raw["pattern"], raw["what"].str.to_lowercase()
    sign_in = name.is_in(["sign-in", "sign-in-named"])
    denied = (name == "filter") & (what == "rejected")
    worked = pl.when(sign_in & (what == "succeeded")).then(pl.lit("success"))
    return {
        "event.action": pl.when(sign_in)
        .then(pl.lit("login"))
        .when(name == "sign-out")
        .then(pl.lit("logout"))
        .when(name == "inspect")
        .then(pl.lit("session-opened"))
        .when(name == "call")
        .then(pl.lit("call-detected"))
        .when(name == "tunnel")
        .then(pl.lit("tunnel-connected"))
        .when((name == "ppp") & raw["place"].str.starts_with("PP[ANONYMOUS"))
        .then(pl.lit("ppp-") + what)
        .when(name == "vpn")
        .then(raw["module"].str.to_lowercase())
        .otherwise(e.first(what, name)),
        "event.category": e.first(e.listed(name, _CATEGORIES), e.texts("network")),
        "event.type": pl.when(denied)
        .then(e.texts("connection", "denied"))
        .when(name.is_in(["filter", "inspect"]))
        .then(e.texts("connection", "allowed"))
        .when(sign_in)
        .then(e.texts("start"))
        .when(name == "sign-out")
        .then(e.texts("end"))
        .when(name == "configuration")
        .then(e.texts("change"))
        .when(what.is_in(["down", "disconnected", "frees", "releases"]))
        .then(e.texts("end"))
        .when(what.is_in(["up", "connected", "allocates"]))
        .then(e.texts("start"))
        .otherwise(e.texts("info")),
        "event.outcome": worked.when((name == "ppp") & (what == "up"))
        .then(pl.lit("success"))
        .when(sign_in)
        .then(pl.lit("failure")),
    }
