"""Juniper Junos: SRX flows and UTM (structured syslog and text), user interface, daemons, cron.

Source: Juniper, "System Log Explorer" (tags such as RT_FLOW_SESSION_CLOSE, UI_AUTH_EVENT and their attributes), and
"Understanding Structured-Data Format" (`[junos@2636.1.1.1.2.x name="value"]`).
"""

import polars as pl

from collectors import expressions as e
from collectors.juniper.attributes import Attributes
from collectors.source import Raw, Source

_MAC = r"([0-9A-Fa-f]{2}(?::[0-9A-Fa-f]{2}){5})"
_IP = r"(\d{1,3}(?:\.\d{1,3}){3}|[0-9A-Fa-f]*:[0-9A-Fa-f:]+)"

_FILTER = (
    r"^(?:FW: )?(\S+) +([ADR]) +(?:\S+ )?(?:([0-9a-f:]{17}) (?:-> )?([0-9a-f:]{17}) .*?\b)?([A-Za-z]+) "
    rf"{_IP} +{_IP} +(\d+) +(\d+)(?: \((\d+) packets?\)|\s*$)"
)
"""A firewall filter's log: interface, action (accept, discard, reject), both machines, protocol, both ends."""

source = Source(
    name="juniper.junos",
    title={"ja": "Juniper Junos(SRX、EX、QFX、MX)", "en": "Juniper Junos (SRX, EX, QFX, MX)"},
    zone_hint="perimeter",
    shape=Attributes(),
    recognise=(
        r"\[junos@[\dx.]+ |\bRT_(?:FLOW|IDP|UTM|SCREEN)\w*"
        r"|\b(?:mgd|rpd|chassisd|l2ald|dcd|eventd|snmpd|mib2d)\[\d+\]: [A-Z][A-Z0-9]+_[A-Z0-9_]+:"
    ),
    constants={"event.kind": "event", "observer.vendor": "Juniper", "observer.product": "Junos"},
    leftovers="juniper.junos",
    rename={
        "source-address": "source.ip",
        "source-port": "source.port",
        "destination-address": "destination.ip",
        "destination-port": "destination.port",
        "nat-source-address": "source.nat.ip",
        "nat-source-port": "source.nat.port",
        "nat-destination-address": "destination.nat.ip",
        "nat-destination-port": "destination.nat.port",
        "policy-name": "rule.name",
        "bytes-from-client": "source.bytes",
        "packets-from-client": "source.packets",
        "bytes-from-server": "destination.bytes",
        "packets-from-server": "destination.packets",
        "packet-incoming-interface": "observer.ingress.interface.name",
        "source-zone-name": "observer.ingress.zone",
        "destination-zone-name": "observer.egress.zone",
        "source-zone": "observer.ingress.zone",
        "destination-zone": "observer.egress.zone",
        "reason": "event.reason",
        "url": "url.original",
        "obj": "url.path",
        "sample-sha256": "file.hash.sha256",
        "destination-interface-name": "observer.egress.interface.name",
    },
    ignore=(
        "said",
        "tag",
        "line",
        "username",
        "protocol-id",
        "protocol-name",
        "daemon",
        "pid",
        "filename",
        "file-name",
        "mac-address",
        "attack-name",
        "virus-name",
        "local-address",
        "remote-address",
    ),
)


@source.derive
def line(raw: Raw) -> dict[str, pl.Expr]:
    """What a line says in words or attributes."""
    said = raw["said"]
    # What stands in a command or in a statement of the configuration is no party to the message.
    told = pl.when(~raw["tag"].str.contains(r"^UI_(?:CMD|CFG_AUDIT)").fill_null(False)).then(said)
    remote = said.str.extract_groups(rf"^(\S+)@{_IP} as (\S+): cmd='(.*)'$").struct
    packet = told.str.extract_groups(
        rf"\b(tcp|udp|icmp) {_IP}[,:]? ?(\d+)? ?(?:->|to) ?{_IP}[,:]? ?(\d+)?"
    ).struct
    seen = told.str.extract_groups(_FILTER).struct
    arp = told.str.extract_groups(rf"sender ip/mac {_IP}/{_MAC}, receiver ip/mac {_IP}/{_MAC}").struct
    gates = [told.str.extract_groups(rf"\b{side}: {_IP}/(\d+)").struct for side in ("Remote", "Local")]
    file = e.present(e.first(raw["filename"], raw["file-name"]))
    return {
        "@timestamp": e.time_or(pl.col("header.timestamp")),
        "file.name": file.str.extract(r"([^/]+)$"),
        "url.domain": e.present(
            e.first(raw["http-host"], e.not_ip(raw["url"]).str.extract(r"^([\w.\-]+\.[a-z]{2,})(?:/|$)"))
        ),
        "source.mac": e.first(
            seen.field("3"), arp.field("2"), raw["mac-address"], told.str.extract(rf"\bMacAddress {_MAC}")
        ),
        "destination.mac": e.first(seen.field("4"), arp.field("4")),
        "source.port": e.first(
            raw["source-port"],
            seen.field("8"),
            told.str.extract(r"\bssh-connection '\S+ (\d+) "),
            told.str.extract(r" from \S+ port (\d+)"),
            gates[0].field("2"),
        ),
        "destination.port": e.first(raw["destination-port"], seen.field("9"), gates[1].field("2")),
        "network.packets": seen.field("10"),
        "observer.ingress.interface.name": e.first(
            raw["packet-incoming-interface"],
            raw["source-interface-name"],
            raw["interface-name"],
            seen.field("1"),
            said.str.extract(r"\b(?:interface|ifName) ([a-z]+-\d+/\d+/\d+(?:\.\d+)?)"),
            said.str.extract(r"\bexceeded at ([a-z]+-\d+/\d+/\d+(?:\.\d+)?)"),
        ),
        "host.name": pl.col("header.host"),
        "observer.hostname": pl.col("header.host"),
        "process.name": e.first(said.str.extract(r"(?i)\bchild '([^']+)'"), raw["daemon"]),
        "process.pid": e.first(said.str.extract(r", PID (\d+)"), raw["pid"]),
        "process.command_line": e.first(
            said.str.extract(r"\bcommand '(.*)'\s*$"),
            said.str.extract(r"\) CMD \(\s*(.*?)\)$"),
            remote.field("4"),
        ),
        "user.name": e.first(
            said.str.extract(r"\b[Uu]ser '([^']+)'"),
            said.str.extract(r"\b[Uu]ser (\S+) (?:from|logged)"),
            pl.when(~raw["username"].is_in(["N/A", "unknown-user", "UNKNOWN"])).then(
                e.present(raw["username"])
            ),
            said.str.extract(rf"\bfor (?:invalid user )?(\S+) from {_IP}"),
            said.str.extract(r"\b[Ff]or user (\S+?)(?: from host|$)"),
            said.str.extract(r"^SU: (\S+) to \S+ on "),
            said.str.extract(r"\brebooted by '([^']+)'"),
            remote.field("3"),
        ),
        "source.ip": e.first(
            raw["source-address"],
            raw["client-ip"],
            arp.field("1"),
            remote.field("2"),
            packet.field("2"),
            seen.field("6"),
            told.str.extract(rf"\bssh-connection '{_IP} \d+ "),
            told.str.extract(rf"(?i)\b(?:from|host|client) '?{_IP}'?"),
            gates[0].field("1"),
            raw["remote-address"],
        ),
        "destination.ip": e.first(
            raw["destination-address"],
            packet.field("4"),
            seen.field("7"),
            arp.field("3"),
            gates[1].field("1"),
            raw["local-address"],
        ),
        "source.bytes": e.first(raw["bytes-from-client"], said.str.extract(r"\(mailed (\d+) bytes")),
        "network.transport": e.first(
            e.transport(raw["protocol-id"]),
            e.transport(raw["protocol-name"]),
            packet.field("1"),
            seen.field("5").str.to_lowercase(),
        ),
        "user.target.name": said.str.extract(r"^SU: \S+ to (\S+) on "),
        "event.duration": e.whole(raw["elapsed-time"]) * 10**9,
        "message": said,
    }


@source.derive
def meaning(raw: Raw) -> dict[str, pl.Expr]:
    """event.* by tag and words."""
    said, tag = raw["said"], raw["tag"]
    flow = raw["source-address"].is_not_null()
    denied = tag.str.contains(r"DENY|DROP|BLOCK|REJECT") | raw["action"].str.contains(
        r"(?i)^(?:drop|block|close)"
    )
    denied = denied.fill_null(False) | said.str.contains(r"^(?:FW: )?\S+ +[DR] +\w")
    failed = tag.str.contains(r"FAIL|ERR") | said.str.contains(r"(?i)\bfailed\b|\bfailure\b|\binvalid\b")
    signing = (tag.str.contains(r"LOGIN|LOGOUT|AUTH") & ~tag.str.starts_with("UI_DBASE_")).fill_null(
        False
    ) | said.str.contains(r"^(?:Accepted|Failed) (?:password|publickey|keyboard-interactive)")
    ended = tag.str.contains("LOGOUT")
    attack = tag.str.contains(r"^(?:IDP_\w*ATTACK_|RT_SCREEN_|SECINTEL_ACTION_)").fill_null(False)
    clean = (raw["verdict-number"] == "0").fill_null(False) & ~denied.fill_null(False)
    malware = (
        tag.str.contains(r"^AV_VIRUS_DETECTED|^AAMW_(?:ACTION|MALWARE|HOST_INFECTED)_").fill_null(False)
        & ~clean
    )
    return {
        "event.kind": pl.when(attack | malware).then(pl.lit("alert")).otherwise(pl.lit("event")),
        "threat.indicator.name": e.first(raw["attack-name"], raw["virus-name"]),
        "event.code": tag,
        "event.action": tag.str.to_lowercase(),
        "event.category": pl.when(signing)
        .then(e.texts("authentication"))
        .when(attack)
        .then(e.texts("network", "intrusion_detection"))
        .when(malware)
        .then(e.texts("network", "malware"))
        .when(tag.str.starts_with("WEBFILTER_"))
        .then(e.texts("network", "web"))
        .when(flow | said.str.contains(_FILTER) | tag.str.contains(r"^(?:ESWD|L2ALD|L2CPD|SNMP_TRAP_LINK)_"))
        .then(e.texts("network"))
        .when(tag.str.starts_with("UI_"))
        .then(e.texts("configuration"))
        .otherwise(e.texts("host")),
        "event.type": pl.when(denied)
        .then(e.texts("connection", "denied"))
        .when(tag.str.contains("SESSION_CREATE"))
        .then(e.texts("connection", "start"))
        .when(tag.str.contains("SESSION_CLOSE"))
        .then(e.texts("connection", "end"))
        .when(ended)
        .then(e.texts("end"))
        .when(signing)
        .then(e.texts("start"))
        .when(tag.str.contains(r"^UI_COMMIT(?:_COMPLETED)?$"))
        .then(e.texts("change"))
        .otherwise(e.texts("info")),
        "event.outcome": pl.when(failed & ~denied)
        .then(pl.lit("failure"))
        .when(flow | signing | tag.is_in(["UI_CHILD_START", "UI_CMDLINE_READ_LINE"]))
        .then(pl.lit("success")),
    }
