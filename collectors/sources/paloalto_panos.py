"""Palo Alto Networks PAN-OS and Prisma Access: traffic, threat, system, GlobalProtect, User-ID, HIP, decryption, config.

Forms (CSV, CEF, JSON of Cortex Data Lake) and their names: `collectors.paloalto`. What a system log tells stands in its
description, in the words of PAN-OS "System Log Messages".
"""

import polars as pl

from collectors import expressions as e
from collectors import times
from collectors.paloalto.forms import PanOs
from collectors.source import Raw, Source

_IP = r"(\d{1,3}(?:\.\d{1,3}){3}|[0-9A-Fa-f]*:[0-9A-Fa-f:]+)"

source = Source(
    name="paloalto.panos",
    title={
        "ja": "Palo Alto Networks(PAN-OS、Prisma Access)",
        "en": "Palo Alto Networks PAN-OS, Prisma Access",
    },
    zone_hint="perimeter",
    shape=PanOs(),
    recognise=(
        r"(?:^|\s)\d,\d{4}/\d\d/\d\d \d\d:\d\d:\d\d,\w*,(?:TRAFFIC|THREAT|SYSTEM|CONFIG|GLOBALPROTECT"
        r"|USERID|HIPMATCH|DECRYPTION|AUTHENTICATION|IPTAG|CORRELATION),"
        r'|CEF:\d\|Palo Alto Networks\||"LogType"\s*:\s*"(?:TRAFFIC|THREAT|SYSTEM|DNS|DECRYPTION|GLOBALPROTECT|USERID|HIPMATCH|CONFIG'
        r'|AUTH|IPTAG|SCTP|TUNNEL)"'
    ),
    constants={"event.kind": "event", "observer.vendor": "Palo Alto Networks", "observer.type": "firewall"},
    leftovers="panw.panos",
    rename={
        "serial": "observer.serial_number",
        "rule": "rule.name",
        "inbound_if": "observer.ingress.interface.name",
        "outbound_if": "observer.egress.interface.name",
        "from": "observer.ingress.zone",
        "to": "observer.egress.zone",
        "bytes": "network.bytes",
        "packets": "network.packets",
        "bytes_sent": "source.bytes",
        "bytes_received": "destination.bytes",
        "pkts_sent": "source.packets",
        "pkts_received": "destination.packets",
        "natsport": "source.nat.port",
        "natdport": "destination.nat.port",
        "sport": "source.port",
        "user_agent": "user_agent.original",
        "severity": "log.level",
        "sender": "email.sender.address",
        "subject": "email.subject",
        "app": "network.application",
    },
    ignore=(
        "type",
        "generated",
        "received",
        "iso",
        "cef_time",
        "src",
        "dst",
        "natsrc",
        "natdst",
        "src6",
        "srcuser",
        "dport",
    ),
)


def _told(value: pl.Expr) -> pl.Expr:
    """The address, unless it is the one that stands for none."""
    return pl.when(~value.str.contains(r"^[0.:]+$")).then(e.ip(value))


@source.derive
def common(raw: Raw) -> dict[str, pl.Expr]:
    """When, which machine, both ends."""
    said, kind = raw["opaque"], raw["type"]
    local = raw["generated"].str.to_datetime("%Y/%m/%d %H:%M:%S", time_unit="us", strict=False)
    short = raw["generated"].str.to_datetime("%m/%d/%y %H:%M", time_unit="us", strict=False)
    iso, system = times.parsed(raw["iso"], [times.ISO], "UTC"), kind == "SYSTEM"
    written = (
        raw["cef_time"]
        .str.strip_suffix(" GMT")
        .str.to_datetime("%b %d %Y %H:%M:%S", time_unit="us", time_zone="UTC", strict=False)
    )
    cef = "cef.product" in raw  # the line of a firewall about a machine: `dvchost` is the firewall
    remote = said.str.extract(rf"(?i)(?:connect(?:ed)? to (?:address:|server)|server address) '?{_IP}")
    port = said.str.extract(rf"(?i)(?:address: {_IP} port: |to server {_IP}:)(\d+)", 3)
    near = e.first(
        said.str.extract(rf"(?i)\bFrom: ?{_IP}?"),
        said.str.extract(rf"(?i)initiated by:? {_IP}"),
        said.str.extract(rf"interface \S+, ip {_IP}"),
        said.str.extract(rf"(?i)(?:client|source|from)(?: IP)?[: ]+'?{_IP}"),
    )
    return {
        "@timestamp": e.time_or(iso, e.local(local), e.local(short), written, pl.col("header.timestamp")),
        "host.name": e.first(
            *(
                e.present(raw[one])
                for one in (("device_name", "machinename") if cef else ("machinename", "device_name"))
            ),
            pl.col("header.host"),
        ),
        "host.mac": e.present(raw["machine_mac"]).str.split(","),
        "observer.hostname": e.first(e.present(raw["device_name"]), pl.col("header.host")),
        "source.ip": e.first(_told(raw["src"]), _told(raw["src6"]), e.ip(raw["src"]), near),
        "source.nat.ip": e.ip(raw["natsrc"]),
        "destination.ip": e.first(e.ip(raw["dst"]), e.ip(raw["resolver"]), pl.when(system).then(remote)),
        "destination.nat.ip": e.ip(raw["natdst"]),
        "destination.port": e.first(raw["dport"], pl.when(system).then(port)),
        "network.transport": raw["proto"].str.to_lowercase().replace({"icmp6": "ipv6-icmp"}),
        "observer.ingress.interface.name": e.first(
            e.present(raw["inbound_if"]),
            said.str.extract(r"(?:Port |interface )((?:ethernet|ae|eth|tunnel)[\w/.]*)"),
        ),
        "event.provider": kind,
        "message": said,
    }


@source.derive
def people(raw: Raw) -> dict[str, pl.Expr]:
    """`domain\\user`, `user@domain` or a plain name; a system log names its user in words."""
    said = raw["opaque"]
    told = e.first(
        said.str.extract(r"(?i)\bfor user:? '([^']+)'"),
        said.str.extract(r"(?i)\bfor user ([^\s,']+?)\.?(?:\s|,|$)"),
        said.str.extract(
            r"(?i)\b(?:upgraded|downgraded|installed|downloaded|committed) .*\bby (?:user )?([\w.\-]+)$"
        ),
        said.str.extract(r"(?i)\bfailed authentication for user '?([^\s,']+)"),
        said.str.extract(r"(?i)\bUser (?:name: )?'?([^\s,']+)'? (?:logged|is|in)"),
    )
    named = e.present(raw["srcuser"])
    parts = e.first(named, told).str.extract_groups(r"^(?:([^\\]+)\\+)?([^@\\]+)(?:@(.+))?$").struct
    name, domain = parts.field("2"), e.first(parts.field("1"), parts.field("3"), e.present(raw["srcdomain"]))
    return {
        "user.name": name,
        "user.domain": domain,
        "user.email": pl.when(parts.field("3").is_not_null()).then(e.first(named, told)),
        "source.user.name": pl.when(named.is_not_null()).then(
            pl.when(parts.field("3").is_null()).then(name).otherwise(named)
        ),
        "destination.user.name": e.present(raw["dstuser"]).str.extract(r"([^\\]+)$"),
    }


_FILES = ["file", "wildfire", "virus", "wildfire-virus", "data", "dlp", "ml-virus"]


@source.derive
def objects(raw: Raw) -> dict[str, pl.Expr]:
    """Web address, file, threat, question."""
    kind, misc = raw["subtype"], e.present(raw["misc"].str.strip_chars('"'))
    web = (kind == "url") | misc.str.contains(r"^[A-Za-z0-9.\-]+(?::\d+)?/")
    bare = misc.str.contains("://", literal=True)
    secure = (
        raw["dport"].is_in(["80"]).not_()
        | raw["app"].is_in(["ssl"])
        | misc.str.contains(r"^[^/]*:443(?:/|$)")
    )
    scheme = pl.when(secure).then(pl.lit("https://")).otherwise(pl.lit("http://"))
    address = e.url_columns(pl.when(web & bare).then(misc).when(web).then(pl.concat_str(scheme, misc)))
    threat = e.present(raw["threatid"])
    digest = e.present(raw["filedigest"]).str.extract(r"^([0-9A-Fa-f]+)$")
    host = raw["opaque"].str.extract(
        r"(?i)(?:registered to Public Cloud|WildFire Cloud|connected to|server) ([a-z0-9\-]+(?:\.[a-z0-9\-]+)+[a-z])"
    )
    server = e.not_ip(raw["opaque"].str.extract(r"server address '([^']+)'"))
    return {
        **address,
        "destination.domain": e.first(address["url.domain"], e.present(raw["sni"]), host, server),
        "http.request.method": e.present(raw["http_method"]).replace({"unknown": None}),
        "http.request.referrer": e.present(raw["referer"]),
        "file.name": e.first(
            e.present(raw["filename"]),
            pl.when(kind.is_in(_FILES)).then(misc),
            raw["opaque"].str.extract(r"(?i)\bpackage: (\S+\.\w+)$"),
        ).str.extract(r"([^/\\]+)$"),
        "file.path": e.first(e.present(raw["filename"]), pl.when(kind.is_in(_FILES)).then(misc)).str.extract(
            r"^(.*[/\\].*)$"
        ),
        "email.from.address": e.present(raw["sender"]).str.split(";"),
        "email.to.address": e.present(raw["recipient"]).str.split(";"),
        "source.mac": e.present(raw["machine_mac"]).str.extract(r"^([^,]+)"),
        "destination.mac": e.present(raw["dst_mac"]).str.extract(r"^([^,]+)"),
        "file.hash.sha256": pl.when(digest.str.len_chars() == 64).then(digest),
        "file.hash.sha1": pl.when(digest.str.len_chars() == 40).then(digest),
        "file.hash.md5": pl.when(digest.str.len_chars() == 32).then(digest),
        "event.code": threat.str.extract(r"\((\d+)\)$"),
        "threat.indicator.name": pl.when(raw["type"] == "THREAT").then(e.first(raw["threatname"], threat)),
        "dns.question.type": e.present(raw["dns_type"]),
        "dns.question.name": e.present(raw["dns_name"]),
        "network.protocol": pl.when(raw["type"] == "DNS")
        .then(pl.lit("dns"))
        .otherwise(raw["opaque"].str.extract(r"logged in via \w+ from \S+ using (\w+)")),
        "event.reason": e.first(
            e.present(raw["session_end_reason"]),
            e.present(raw["reason"]),
            raw["opaque"].str.extract(r"Reason: (.*?)\.(?: |$)"),
        ),
    }


_DENIES = [
    "drop-all",
    "drop-packet",
    "block-continue",
    "block-override",
    "random-drop",
    "syncookie-sent",
    "deny",
    "drop",
    "drop-all-packets",
    "reset-client",
    "reset-server",
    "reset-both",
    "block-url",
    "block-ip",
    "sinkhole",
    "block",
]


def _administration(raw: Raw) -> pl.Expr:
    """What an administrator of the firewall itself did at its door: `signed-in`, `signed-out` or `refused`; null elsewhere.

    A refusal that names an authentication profile may be GlobalProtect's or the captive portal's, which need one; without
    one it is a local administrator's.
    """
    said, system = raw["opaque"], raw["type"] == "SYSTEM"
    refused = said.str.contains(r"^failed authentication for user '") & ~said.str.contains(
        r"(?i)\bauth(?:entication)? profile\b"
    )
    return (
        pl.when(system & said.str.contains(r"^User \S+ logged in via \w+ from "))
        .then(pl.lit("signed-in"))
        .when(system & said.str.contains(r"^User \S+ logged out via \w+ from "))
        .then(pl.lit("signed-out"))
        .when(system & refused)
        .then(pl.lit("refused"))
    )


@source.derive
def meaning(raw: Raw) -> dict[str, pl.Expr]:
    """event.* by log type, subtype and action."""
    kind, action, event = raw["type"], raw["action"].str.to_lowercase(), raw["eventid"]
    denied = action.is_in(_DENIES)
    administration = _administration(raw)
    signing = (
        event.str.contains(r"(?i)auth|login|logout")
        | kind.is_in(["GLOBALPROTECT", "USERID", "AUTHENTICATION", "AUTH"])
        | administration.is_not_null()
    )
    result = raw["result"].str.to_lowercase()
    bad = (
        event.str.contains(r"(?i)fail|denied|error")
        | raw["status"].str.to_lowercase().is_in(["failure", "failed"])
        | result.is_in(["failed", "unauthorized"])
        | (administration == "refused")
    )
    good = (
        event.str.contains(r"(?i)success|succ")
        | (raw["status"].str.to_lowercase() == "success")
        | result.is_in(["succeeded", "success"])
        | administration.is_in(["signed-in", "signed-out"])
    )
    told = e.first(e.present(event), pl.when(kind == "USERID").then(raw["subtype"]))
    ended = signing & told.str.contains(r"(?i)logout")
    flow = action.is_not_null() & (action != "")
    return {
        "panw.panos.administration": administration,
        "event.action": e.first(
            e.present(event),
            e.present(raw["cmd"]),
            e.present(raw["action"]),
            e.present(raw["subtype"].replace({"0": None})),
        ),
        "event.category": pl.when(signing)
        .then(e.texts("authentication", "session"))
        .when(kind == "THREAT")
        .then(
            pl.when(raw["subtype"] == "url")
            .then(e.texts("web", "network"))
            .otherwise(e.texts("intrusion_detection", "network"))
        )
        .when(kind == "CONFIG")
        .then(e.texts("configuration"))
        .when(kind == "SYSTEM")
        .then(e.texts("host"))
        .otherwise(e.texts("network")),
        "event.type": pl.when(denied)
        .then(e.texts("connection", "denied"))
        .when(flow)
        .then(e.texts("connection", "allowed"))
        .when(signing & bad)
        .then(e.texts("denied"))
        .when((administration == "signed-out") | ended)
        .then(e.texts("end"))
        .when(signing)
        .then(e.texts("start"))
        .when((kind == "CONFIG") & raw["cmd"].str.contains(r"(?i)^delete"))
        .then(e.texts("deletion"))
        .when(
            (kind == "CONFIG")
            & raw["cmd"].str.contains(r"(?i)^(?:set|edit|commit|move|rename|clone|override|load|multi)")
        )
        .then(e.texts("change"))
        .otherwise(e.texts("info")),
        "event.outcome": pl.when(bad)
        .then(pl.lit("failure"))
        .when(good | flow | (kind == "USERID"))
        .then(pl.lit("success")),
    }
