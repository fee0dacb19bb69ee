"""WatchGuard Firebox (Fireware): traffic, proxies, VPN, events, in LEEF or in its own syslog format.

Source: WatchGuard, "Fireware Log Catalog" (message ids), "IBM LEEF" syslog format, "Read a Log Message"
(`collectors.watchguard`). Accounts are written as
`user@domain@server`; the last part is the authentication server.
"""

import polars as pl

from collectors import expressions as e
from collectors import times
from collectors.shapes import either, leef
from collectors.source import Raw, Source
from collectors.watchguard.plain import Plain

_IP = r"(\d{1,3}(?:\.\d{1,3}){3}|[0-9A-Fa-f]*:[0-9A-Fa-f:]+)"

source = Source(
    name="watchguard.firebox",
    title={"ja": "WatchGuard Firebox", "en": "WatchGuard Firebox"},
    zone_hint="perimeter",
    shape=either(r"\|WatchGuard\|", leef("WatchGuard"), Plain()),
    recognise=r'[12]\.0\|WatchGuard\||\bmsg_id="[0-9A-Fa-f]{4}-[0-9A-Fa-f]{4}"',
    constants={"event.kind": "event", "observer.vendor": "WatchGuard", "observer.type": "firewall"},
    leftovers="watchguard",
    rename={
        "leef.code": "event.code",
        "leef.product": "observer.product",
        "leef.product_version": "observer.version",
        "serial": "observer.serial_number",
        "sys_name": "observer.name",
        "host_name": "observer.hostname",
        "in_if": "observer.ingress.interface.name",
        "out_if": "observer.egress.interface.name",
        "sent_bytes": "source.bytes",
        "rcvd_bytes": "destination.bytes",
        "srcPostNAT": "source.nat.ip",
        "dstPostNAT": "destination.nat.ip",
        "signature_id": "rule.id",
        "policy": "rule.ruleset",
        "virus": "threat.indicator.name",
        "src_mac": "source.mac",
        "filename": "file.name",
        "file_name": "file.name",
        "question": "dns.question.name",
        "query_type": "dns.question.type",
        "user_agent": "user_agent.original",
        "sha256": "file.hash.sha256",
        "sha1": "file.hash.sha1",
        "md5": "file.hash.md5",
        "msg": "message",
    },
    ignore=(
        "leef.version",
        "leef.vendor",
        "devTime",
        "devTimeFormat",
        "src",
        "proto",
        "dstname",
        "disp",
        "utc",
        "msg_id",
        *(
            "dst",
            "srcPort",
            "dstPort",
            "op",
            "method",
            "arg",
            "path",
            "rule_name",
            "signature_name",
            "host",
            "ip",
            "mac",
        ),
    ),
)


@source.derive
def ends(raw: Raw) -> dict[str, pl.Expr]:
    """When, from where, to where, who."""
    said = raw["msg"]
    clock = raw["devTime"].str.to_datetime(
        "%b %d %Y %H:%M:%S %z", time_unit="us", time_zone="UTC", strict=False
    )
    leased = said.str.extract_groups(
        rf"^DHCP[A-Z]+ (?:on|for|from|of) {_IP}(?: (?:to|from) ([0-9A-Fa-f:]{{17}}))?(?: \(([^)]*)\))?"
    ).struct
    account = e.first(
        said.str.extract(r"\buser \[([^\]]+)\]"),
        said.str.extract(r"(?i)\buser '?([^\s'\[\]]+?)'? (?:from|logged|log) "),
        e.present(raw["src_user"]),
    )
    # Sentences: `… Source IP: a Source Port: n Destination IP: b Destination Port: m … Proxy Host: h Path: /p`.
    details = said.str.extract_groups(
        rf"\bSource IP: {_IP} Source Port: (\d+) Destination IP: {_IP} Destination Port: (\d+)"
    ).struct
    proxied = said.str.extract_groups(r"\bProxy Host: (\S+) Path: ([^\s']+)").struct
    server = said.str.extract_groups(rf"\bServer {_IP}(?: port (\d+))? is \w+line").struct
    tunnel = said.str.extract_groups(rf"^\({_IP}<->{_IP}\)").struct
    spoofed = said.str.extract_groups(rf"\bip={_IP}, mac=([0-9A-Fa-f:]{{17}})").struct
    host = e.present(e.first(raw["dstname"], raw["host"], proxied.field("1")))
    return {
        "@timestamp": e.time_or(
            clock, times.parsed(raw["utc"], ["%Y-%m-%dT%H:%M:%S"], "UTC"), pl.col("header.timestamp")
        ),
        "source.ip": e.first(
            e.ip(raw["src"]),
            leased.field("1"),
            details.field("1"),
            spoofed.field("1"),
            said.str.extract(rf"\b(?:from|blocking host|acquired IP address|Real IP address is) {_IP}"),
            tunnel.field("1"),
        ),
        "source.nat.ip": said.str.extract(rf"\bVirtual IP address is {_IP}"),
        "source.port": e.first(raw["srcPort"], details.field("2")),
        "destination.ip": e.first(
            e.ip(raw["dst"]),
            details.field("3"),
            server.field("1"),
            tunnel.field("2"),
            said.str.extract(rf", peer {_IP}$"),
        ),
        "destination.port": e.first(raw["dstPort"], details.field("4"), server.field("2")),
        "http.request.method": e.first(raw["op"], raw["method"]),
        "url.path": e.first(raw["arg"], raw["path"], proxied.field("2")).str.extract(r"^([^?#]*)"),
        "url.query": e.first(raw["arg"], raw["path"]).str.extract(r"\?([^#]*)"),
        "rule.name": e.first(raw["rule_name"], raw["signature_name"]),
        "source.mac": e.first(leased.field("2"), spoofed.field("2")),
        "source.domain": leased.field("3"),
        "user.name": account.str.extract(r"^(?:[^\\@]+\\)?([^@\\]+)"),
        "email.from.address": e.present(raw["sender"]).str.split(","),
        "email.to.address": e.present(e.first(raw["recipients"], raw["rcpt_to"])).str.split(","),
        "user.domain": account.str.extract(r"^[^@]+@([^@]+)").fill_null(account.str.extract(r"^([^\\@]+)\\")),
        "network.transport": raw["proto"].str.to_lowercase().str.extract(r"^([a-z0-9\-]+)"),
        "destination.domain": e.not_ip(host),
        "url.domain": host,
    }


@source.derive
def meaning(raw: Raw) -> dict[str, pl.Expr]:
    """event.* by disposition and words."""
    said, fate = raw["msg"], raw["disp"].str.to_lowercase()
    denied = fate.str.contains(r"^(?:deny|drop|block|reset|strip|lock)|proxy(?:deny|drop|block)")
    failed = said.str.contains(r"(?i)\brejected|failed|invalid credentials")
    worked = said.str.contains(r"(?i)\baccepted|succeeded|authenticated|\blogged in\b")
    malware = raw["virus"].is_not_null() | said.str.contains(r"(?i)\bvirus found")
    attack = raw["signature_name"].is_not_null() | said.str.contains(
        r"(?i)\bIPS (?:match|detected)|port scan|flood"
    )
    signing = said.str.contains(r"(?i)authentication of|logged (?:in|out)|log in attempt")
    return {
        "event.action": e.first(fate, said.str.extract(r"(?i)\b(logged in|logged out|accepted|rejected)\b")),
        "event.category": pl.when(signing)
        .then(e.texts("authentication", "session"))
        .when(malware)
        .then(e.texts("malware", "network"))
        .when(attack)
        .then(e.texts("intrusion_detection", "network"))
        .otherwise(e.texts("network")),
        "event.type": pl.when(denied)
        .then(e.texts("connection", "denied"))
        .when(fate == "allow")
        .then(e.texts("connection", "allowed"))
        .when(said.str.contains("logged out"))
        .then(e.texts("end"))
        .when(signing & failed)
        .then(e.texts("denied"))
        .when(signing)
        .then(e.texts("start"))
        .otherwise(e.texts("info")),
        "event.outcome": pl.when(failed).then(pl.lit("failure")).when(worked).then(pl.lit("success")),
    }
