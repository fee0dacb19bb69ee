"""Cisco ASA and Firepower Threat Defense (FTD), with AnyConnect: by message id.

Sources of the facts: Cisco, "Cisco Secure Firewall ASA Series Syslog Messages"; "Firepower Threat Defense
Syslog Messages" for the 4300xx events. A VPN session's tunnel group is the realm that the user signed in
to, so it is both `group.name` and `user.domain`.
"""

import polars as pl

from collectors import expressions as e
from collectors.cisco import meaning
from collectors.cisco.lines import CiscoLines
from collectors.narrow import DOCUMENT, Text, Verbatim
from collectors.source import Raw, Source

_FTD_READ = (
    *(
        "SrcIP",
        "SrcPort",
        "DstIP",
        "DstPort",
        "Protocol",
        "User",
        "UserName",
        "FirstPacketSecond",
        "FileName",
    ),
    *(
        "FileSize",
        "FileSHA256",
        "IngressInterface",
        "EgressInterface",
        "IngressZone",
        "EgressZone",
        "ACPolicy",
    ),
    *("InitiatorBytes", "ResponderBytes", "InitiatorPackets", "ResponderPackets", "ApplicationProtocol"),
    *(
        "AccessControlRuleName",
        "AccessControlRuleReason",
        "Message",
        "ConnectionDuration",
        "URL",
        "UserAgent",
    ),
    *("DNSQuery", "NAT_InitiatorIP", "NAT_InitiatorPort", "NAT_ResponderIP", "NAT_ResponderPort", "URI"),
    *("HTTPReferer", "HTTPResponse", "SID", "Classification", "HTTP_Hostname", "HTTP_URI"),
)

source = Source(
    name="cisco.asa",
    title={
        "ja": "Cisco ASA / FTD ファイアウォール・AnyConnect",
        "en": "Cisco ASA and FTD firewall, AnyConnect",
    },
    zone_hint="perimeter",
    shape=CiscoLines(),
    recognise=r"%(?:ASA|FTD|PIX|FWSM|NGIPS)(?:<\w+>)?-(?:\w*-)?\d-\d{6}:?",
    verbatim=Verbatim(
        columns={
            "source.ip": Text(),
            "destination.ip": Text(),
            "event.action": Text(only=meaning.ACTIONS),
            "cisco.asa.blocked": Text(
                only=frozenset()
            ),  # a field of Sigma's firewalls; no message of Cisco's has it
            "destination.port": Text(before="[^0-9]", after="[^0-9]", number=True),
        },
        always=(DOCUMENT,),
        escapes=False,
        signs="!-~",
        own="a-z0-9_-",
        joints=":/",
    ),
    leftovers="cisco.asa",
    constants={"observer.vendor": "Cisco", "observer.type": "firewall"},
    rename={
        "id": "event.code",
        "product": "observer.product",
        "text": "message",
        "command": "process.command_line",
        "app": "process.name",
        "pid": "process.pid",
        "file": "file.path",
    },
    # Each of these is read into an ECS field below.
    ignore=(
        *(f"{end}{part}" for end in ("src", "dst") for part in ("", "port", "if", "nat", "natport")),
        *("on", "server", "inside", "user", "srcuser", "dstuser", "who", "group", "tunnel", "policy", "acl"),
        *(
            "proto",
            "service",
            "bytes",
            "sent",
            "rcvd",
            "duration",
            "reason",
            "cause",
            "severity",
            "url",
            "agent",
        ),
        *(f"ftd.{name}" for name in _FTD_READ),
    ),
)


@source.derive
def identity(raw: Raw) -> dict[str, pl.Expr]:
    """Time, device and meaning."""
    started = raw["ftd.FirstPacketSecond"].str.to_datetime("%Y-%m-%dT%H:%M:%SZ", time_unit="us", strict=False)
    time = e.time_or(started.dt.replace_time_zone("UTC"), pl.col("header.timestamp"))
    result = e.first(raw["result"], raw["ftd.AccessControlRuleAction"], raw["ftd.InlineResult"])
    return {
        "@timestamp": time,
        "observer.hostname": pl.col("header.host"),
        "log.syslog.severity.code": raw["severity"],
        **meaning.columns(raw["id"], result),
        "event.reason": e.present(
            e.first(
                raw["reason"],
                raw["cause"],
                raw["what"],
                raw["ftd.AccessControlRuleReason"],
                pl.when(raw["id"] == "430001").then(raw["ftd.Message"].str.strip_chars('"')),
            )
        ),
    }


@source.derive
def endpoints(raw: Raw) -> dict[str, pl.Expr]:
    """Both ends. `Built outbound` names the far end first, so its two ends change places."""
    turned = raw["direction"].str.to_lowercase() == "outbound"
    columns: dict[str, pl.Expr] = {}
    for name, near, far in (("source", "src", "dst"), ("destination", "dst", "src")):

        def end(part: str, near: str = near, far: str = far) -> pl.Expr:
            return pl.when(turned).then(raw[f"{far}{part}"]).otherwise(raw[f"{near}{part}"])

        ftd, role = ("Src", "Initiator") if near == "src" else ("Dst", "Responder")
        address = e.present(e.first(end(""), raw[f"ftd.{ftd}IP"]))
        columns |= {
            f"{name}.ip": e.ip(address),
            f"{name}.domain": e.not_ip(address),
            f"{name}.port": e.first(end("port"), raw[f"ftd.{ftd}Port"]),
            f"{name}.nat.ip": e.ip(e.present(e.first(end("nat"), raw[f"ftd.NAT_{role}IP"]))),
            f"{name}.nat.port": e.first(end("natport"), raw[f"ftd.NAT_{role}Port"]),
        }
        side = "ingress" if near == "src" else "egress"
        where = "Ingress" if near == "src" else "Egress"
        arrived = raw["on"] if near == "src" else e.nothing()
        columns[f"observer.{side}.interface.name"] = e.first(end("if"), arrived, raw[f"ftd.{where}Interface"])
        columns[f"observer.{side}.zone"] = raw[f"ftd.{where}Zone"]
    columns["destination.ip"] = e.first(columns["destination.ip"], e.ip(raw["server"]))
    columns["destination.domain"] = e.first(columns["destination.domain"], e.not_ip(raw["server"]))
    inside = e.ip(e.present(raw["inside"]))
    columns["source.nat.ip"] = e.first(columns["source.nat.ip"], pl.when(inside != "::").then(inside))
    return columns


@source.derive
def people(raw: Raw) -> dict[str, pl.Expr]:
    """user.* and groups; `*****` is a name that the ASA hides, `Not Found` and `Unknown` FTD's nobody."""
    named = e.first(
        raw["user"], raw["srcuser"], raw["who"], raw["dstuser"], raw["ftd.User"], raw["ftd.UserName"]
    )
    named = named.str.replace(r"(?:^|, ?)\d+:[^,]*$", "")  # the security group's tag and name
    known = pl.when(~named.str.contains(r"^\*+$|^(?:Not Found|Unknown|No Authentication Required)$")).then(
        named
    )
    domain, name = e.domain_user(e.present(known))
    group = e.present(e.first(raw["group"], raw["tunnel"]))
    return {
        "user.name": name,
        "user.domain": e.first(
            domain, e.not_ip(group)
        ),  # site-to-site tunnels are named by the peer's address
        "group.name": group,
        "rule.name": e.present(
            e.first(raw["acl"], raw["policy"], raw["ftd.AccessControlRuleName"], raw["ftd.Message"])
        ),
        "rule.ruleset": e.present(raw["ftd.ACPolicy"]),
        "rule.id": raw["ftd.SID"],
        "rule.category": raw["ftd.Classification"],
    }


@source.derive
def network(raw: Raw) -> dict[str, pl.Expr]:
    """network.*, volumes and duration."""
    clock = raw["duration"].str.extract_groups(r"^(?:(\d+)d ?)?(\d+)h?:(\d+)m?:(\d+)s?$").struct
    transport = e.first(raw["proto"], raw["ftd.Protocol"]).str.to_lowercase()
    days, hours, minutes, seconds = (e.whole(clock.field(str(n))) for n in (1, 2, 3, 4))
    length = days.fill_null(0) * 86_400 + hours * 3600 + minutes * 60 + seconds
    return {
        "network.transport": e.first(e.transport(transport), transport),
        "network.protocol": e.present(
            e.first(raw["ftd.ApplicationProtocol"], raw["service"])
        ).str.to_lowercase(),
        "network.direction": raw["direction"].str.to_lowercase(),
        "network.bytes": raw["bytes"],
        "source.bytes": e.first(raw["rcvd"], raw["ftd.InitiatorBytes"]),
        "source.packets": raw["ftd.InitiatorPackets"],
        "destination.bytes": e.first(raw["sent"], raw["ftd.ResponderBytes"]),
        "destination.packets": raw["ftd.ResponderPackets"],
        "event.duration": e.first(length, e.whole(raw["ftd.ConnectionDuration"])) * 10**9,
    }


@source.derive
def content(raw: Raw) -> dict[str, pl.Expr]:
    """What FTD saw inside the connection."""
    return {
        **e.url_columns(
            e.present(
                e.first(
                    raw["ftd.URL"],
                    raw["ftd.URI"],
                    raw["url"],
                    "http://" + raw["ftd.HTTP_Hostname"] + raw["ftd.HTTP_URI"].fill_null("/"),
                )
            )
        ),
        "user_agent.original": e.first(raw["ftd.UserAgent"], raw["agent"]),
        "http.request.referrer": raw["ftd.HTTPReferer"],
        "http.response.status_code": pl.when(raw["ftd.HTTPResponse"] != "0").then(raw["ftd.HTTPResponse"]),
        "dns.question.name": raw["ftd.DNSQuery"],
        "dns.question.type": raw["ftd.DNSRecordType"].str.extract(r"(\w+)$"),
        "file.name": raw["ftd.FileName"],
        "file.size": raw["ftd.FileSize"],
        "file.hash.sha256": raw["ftd.FileSHA256"],
    }
