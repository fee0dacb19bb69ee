"""Cisco Meraki MX, MR, MS: flows, URLs, events, security events.

Source: Cisco Meraki, "Syslog Event Types and Log Samples". A line is `epoch device type text`; pattern 0 of `flows` and
`firewall` denies and 1 allows, newer firmware writes `allow` or `deny`; the words are kept as Meraki writes them.
"""

import polars as pl

from collectors import expressions as e
from collectors.shapes import patterns
from collectors.source import Raw, Source

_KINDS = (
    "flows|firewall|urls|events|ip_flow_start|ip_flow_end|ids-alerts|security_event|airmarshal_events|vpn_firewall"
    "|cellular_firewall|bridge_anyconnect_client_vpn_firewall|l7_firewall|client_vpn_firewall|ids_alerts"
)
_HEAD = rf"^(?:\d )?(?P<epoch>\d{{9,10}}\.\d{{1,9}}) (?P<device>\S+) (?P<kind>{_KINDS}) ?(?P<said>(?s:.*))$"
_MUCH = 8_000  # characters of a line in which its values are looked for
_IP = r"(\d{1,3}(?:\.\d{1,3}){3}|[0-9A-Fa-f]{0,4}:[0-9A-Fa-f:]*[0-9A-Fa-f])"
_MAC = r"((?:[0-9A-Fa-f]{2}[:-]){5}[0-9A-Fa-f]{2})"

source = Source(
    name="cisco.meraki",
    title={"ja": "Cisco Meraki", "en": "Cisco Meraki"},
    zone_hint="lan",
    shape=patterns({"line": _HEAD}),
    recognise=rf"(?:^|> ?|\s)(?:\d )?\d{{9,10}}\.\d{{1,9}} \S+ (?:{_KINDS}) ",
    constants={"event.kind": "event", "observer.vendor": "Cisco", "observer.product": "Meraki"},
    rename={"device": "observer.name"},
    ignore=("text", "epoch", "kind", "said", "pattern"),
)


def _value(text: pl.Expr, name: str) -> pl.Expr:
    return text.str.extract(rf"\b{name}=\s?'?([^\s']+)")


def _address(text: pl.Expr, name: str) -> pl.Expr:
    """The value, unless it is a hardware address, which looks like one of IPv6."""
    value = _value(text, name)
    return pl.when(~value.str.contains(rf"^{_MAC}$")).then(value)


@source.derive
def ends(raw: Raw) -> dict[str, pl.Expr]:
    """Time, device and both ends; `src=ip:port` in URLs, apart elsewhere."""
    kind, text = raw["kind"], raw["said"].str.head(_MUCH)
    near, far = (
        _address(text, name).str.extract_groups(rf"^\[?{_IP}\]?(?::(\d{{1,5}}))?$").struct
        for name in ("src", "dst")
    )
    apart = (kind == "urls") & ~_value(text, "src").str.contains(r"^\d+\.\d+\.\d+\.\d+(:\d+)?$")
    six = [_value(text, name).str.extract_groups(r"^(.+):(\d{1,5})$").struct for name in ("src", "dst")]
    server = text.str.extract_groups(rf"server='{_IP}:(\d+)'").struct
    radius = text.str.extract_groups(
        rf"Server IP={_IP} Server port=(\d+) Peer IP={_IP} Peer port=(\d+)"
    ).struct
    leased = text.str.extract(rf"\blease of ip {_IP}")
    return {
        "@timestamp": e.time_or(_epoch(raw["epoch"]), pl.col("header.timestamp")),
        "source.ip": e.first(
            pl.when(apart).then(six[0].field("1")).otherwise(near.field("1")),
            leased,
            radius.field("3"),
            text.str.extract(rf"Peer IP={_IP}"),
            text.str.extract(rf"client_ip='?{_IP}"),
            text.str.extract(rf"\b(?:re)?connected from {_IP}"),
            text.str.extract(rf"\bip_src='{_IP}'"),
            text.str.extract(rf"\bClient='{_IP}'"),
            text.str.extract(rf"\bBlocked ARP Packet from \S+ with IP {_IP}"),
            text.str.extract(rf" and TS {_IP}/\d+"),
            text.str.extract(rf"\bmultiple_dhcp_servers_detected\b.* server_ip='{_IP}'"),
            text.str.extract(rf"(?:^|\s)ip='{_IP}"),
            text.str.extract(rf"\bestablished between {_IP}"),
        ),
        "source.port": e.first(
            _value(text, "sport"),
            pl.when(apart).then(six[0].field("2")).otherwise(near.field("2")),
            radius.field("4"),
        ),
        "destination.ip": e.first(
            pl.when(apart).then(six[1].field("1")).otherwise(far.field("1")),
            server.field("1"),
            radius.field("1"),
            text.str.extract(rf"peer_contact='{_IP}:\d+'"),
            text.str.extract(rf"\bestablished between \S+?\.\.\.{_IP}"),
            text.str.extract(rf" and TS \S+ === {_IP}/\d+"),
            text.str.extract(rf"\bno offers for mac \S+ host = {_IP}"),
        ),
        "destination.port": e.first(
            _value(text, "dport"),
            pl.when(apart).then(six[1].field("2")).otherwise(far.field("2")),
            server.field("2"),
            radius.field("2"),
            text.str.extract(rf"peer_contact='{_IP}:(\d+)'", 2),
        ),
    }


def _epoch(seconds: pl.Expr) -> pl.Expr:
    """Seconds with decimals as a time, without the loss that a float would bring."""
    parts = seconds.str.extract_groups(r"^(\d+)\.(\d+)$").struct
    nanos = e.whole(parts.field("2").str.pad_end(9, "0"))
    return pl.from_epoch(e.whole(parts.field("1")) * 10**9 + nanos, "ns").dt.replace_time_zone("UTC")


@source.derive
def things(raw: Raw) -> dict[str, pl.Expr]:
    """Machines, people, addresses translated, pages."""
    text = raw["said"].str.head(_MUCH)
    user = e.first(
        text.str.extract(r"\buser id '([^']+)'"),
        text.str.extract(r"\buser='(?:CN=)?([^',]+)"),
        text.str.extract(r"\bUser=([^\s:]+)"),
        text.str.extract(r"\bUser\[([^\]]+)\]"),
        _value(text, "identity"),
    )
    asked = text.str.extract_groups(r"request: (\S+) (\S+)").struct
    near, far = _value(text, "translated_src_ip"), _value(text, "translated_dst_ip")
    port = _value(text, "translated_port")
    return {
        "source.mac": e.first(
            text.str.extract(rf"\bclient mac {_MAC}"),
            text.str.extract(rf"\bclient_mac='?{_MAC}"),
            text.str.extract(rf"\bno offers for mac {_MAC}"),
            text.str.extract(rf"\bmac='?{_MAC}"),
            text.str.extract(rf"\bsrc='{_MAC}"),
            text.str.extract(rf"\bDHCP server response from {_MAC}"),
            text.str.extract(rf"\bMAC='{_MAC}"),
            text.str.extract(rf"\bBlocked ARP Packet from {_MAC}"),
            text.str.extract(rf"\bmultiple_dhcp_servers_detected\b.* server_mac='{_MAC}"),
        ),
        "destination.mac": e.first(
            text.str.extract(rf"\bmx mac {_MAC}"),
            text.str.extract(rf"\bdst='{_MAC}"),
            text.str.extract(rf"\bdhost={_MAC}"),
        ),
        "user.name": user.str.extract(r"^([^@]+)"),
        "user.domain": user.str.extract(r"@(.+)$"),
        "network.protocol": _value(text, "protocol").str.strip_suffix("/ip"),
        "network.transport": _value(text, "protocol").str.extract(r"^(tcp|udp|icmp6?)\b"),
        "network.direction": _value(text, "direction"),
        "file.hash.sha256": text.str.extract(r"\bsha256=([0-9A-Fa-f]{64})"),
        "rule.id": text.str.extract(r"\bsignature=(\S+)"),
        "rule.name": e.first(
            text.str.extract(r"\bsignature=.*? message: (.+)$"),
            text.str.extract(r"\bsha256=.*?\bname='([^']+)'"),
            text.str.extract(r"\bname='?([^'\s]+)'? .*?\bsha256="),
        ),
        "source.nat.ip": near,
        "source.nat.port": pl.when(near.is_not_null()).then(port),
        "destination.nat.ip": far,
        "destination.nat.port": pl.when(far.is_not_null()).then(port),
        "http.request.method": asked.field("1"),
        "user_agent.original": text.str.extract(r"\bagent='([^']*)'"),
        **e.url_columns(e.first(asked.field("2"), text.str.extract(r"\burl='?([^'\s]+)"))),
        "message": raw["said"],
    }


@source.derive
def meaning(raw: Raw) -> dict[str, pl.Expr]:
    """event.*; the outcome of a flow is what the rule did with it, in Meraki's own word."""
    kind, text = raw["kind"], raw["said"].str.head(_MUCH)
    pattern = text.str.extract(r"\bpattern: ?(\d)")
    flow = (kind == "flows") | kind.str.ends_with("firewall")
    said = text.str.extract(r"^(allow|deny)\b")
    fate = e.first(
        said, pl.when(flow & (kind == "flows")).then(e.mapped(pattern, {"0": "allow", "1": "deny"}))
    )
    named = text.str.extract(r"\bpattern: ?(?:Group Policy )?([Aa]llow|[Dd]eny)\b").str.to_lowercase()
    fate = e.first(fate, named, pl.when(flow).then(e.mapped(pattern, {"1": "deny", "0": "allow"})))
    blocked = text.str.contains(r"content_filtering_block|\baction=block|\bdecision=blocked")
    worked = text.str.contains(
        r"auth_success|eap_success|authentication request accepted|(?:client_vpn|anyconnect_vpn)_connect"
    )
    # The last one counts: an address that the sender chose stands before it.
    harmless = text.str.extract(r"(?s)^.* disposition=(\w+)").is_in(["clean", "unknown"]).fill_null(False)
    attack = kind.is_in(["ids-alerts", "security_event", "security_filtering_file_scanned"]) & ~harmless
    dropped = text.str.contains(r"^Blocked ")
    signing = text.str.contains(r"auth|8021x_eap|anyconnect|vpn_session|client_vpn_")
    return {
        "event.kind": pl.when(attack).then(pl.lit("alert")).otherwise(pl.lit("event")),
        "event.action": e.first(
            fate, text.str.extract(r"\btype='?(\d*[a-z]\w*)"), text.str.extract(r"^([a-z0-9]+_\w+) "), kind
        ),
        "event.category": pl.when(signing)
        .then(e.texts("authentication", "network"))
        .when(attack)
        .then(e.texts("network", "intrusion_detection"))
        .otherwise(e.texts("network")),
        "event.type": pl.when((fate == "deny") | blocked | dropped)
        .then(e.texts("connection", "denied"))
        .when(fate == "allow")
        .then(e.texts("connection", "allowed"))
        .when(kind == "ip_flow_start")
        .then(e.texts("connection", "start"))
        .when(kind == "ip_flow_end")
        .then(e.texts("connection", "end"))
        .otherwise(e.texts("info")),
        "event.outcome": pl.when(worked)
        .then(pl.lit("success"))
        .when(signing & text.str.contains("fail"))
        .then(pl.lit("failure"))
        .when(fate.is_not_null() | blocked)
        .then(pl.lit("success")),
    }
