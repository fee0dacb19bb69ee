"""Barracuda CloudGen Firewall: firewall activity, sign-ins, configuration, events and daemons.

Source: Barracuda Campus, "Available Log Files and Structure" and "How to Configure Syslog Streaming": severity, box,
then the text of the service. Of firewall activity the values stand in one order, parted by bars: `type|protocol|source
interface|address|port|hardware address|destination address|port|service|interface|rule|info|source NAT|destination
NAT|duration (ms)|count|received bytes|sent bytes|received packets|sent packets|user|…`.
"""

import polars as pl

from collectors import expressions as e
from collectors.shapes import patterns
from collectors.source import Raw, Source

_IP = r"(?:\d{1,3}(?:\.\d{1,3}){3}|[0-9A-Fa-f]*:[0-9A-Fa-f:]+)"
_FRONT = r"^(?P<level>Info|Notice|Warning|Error|Security|Alert|Critical|Panic|Fatal|Internal|Debug) +(?P<box>[\w.\-]+) +"
_DAEMON = r"(?:(?P<daemon>[A-Za-z][\w\-]*)(?:\[(?P<pid>\d+)\])?: +)?"
_FLOW = (
    "type|protocol|near|src|sport|smac|dst|dport|service|far|rule|info|snat|dnat|duration|count|inbytes|outbytes"
    "|rpackets|spackets|user"
)
_TABLE = {
    "activity": (
        _FRONT
        + _DAEMON
        + r"(?P<deed>[A-Z][A-Za-z]+): "
        + r"\|".join(rf"(?P<{name}>[^|]*)" for name in _FLOW.split("|"))
    ),
    "login": (
        _FRONT
        + rf"LOGIN ATTEMPT: Login from (?P<src>{_IP}): (?P<deed>\w+)(?:: (?:Firewall Rule (?P<rule>\S+)|(?P<reason>.*)))?$"
    ),
    "signed": _FRONT + rf"(?P<src>{_IP}):(?P<sport>\d+) login (?P<deed>\w+): (?P<reason>.*)$",
    "accounting": (
        _FRONT
        + _DAEMON
        + r"(?P<deed>start|update|stop)\|[^|]*\|(?P<session>[^|]*)\|(?:[^|]*\|){5}\d*\|\d*\|(?P<inbytes>\d*)\|(?P<outbytes>\d*)"
        + rf"\|(?P<src>{_IP})?\|[^|]*\|[^|]*\|(?P<user>[^|]*)"
    ),
    "text": _FRONT + _DAEMON + r"(?P<said>(?s:.*))$",
}

source = Source(
    name="barracuda.cloudgen",
    title={"ja": "Barracuda CloudGen Firewall", "en": "Barracuda CloudGen Firewall"},
    zone_hint="perimeter",
    shape=patterns(_TABLE),
    recognise=(
        r"(?:^|\s)(?:Info|Notice|Warning|Error|Security|Alert) +[\w.\-]+ +"
        r"(?:LOGIN ATTEMPT: |(?:\w+: )?[A-Z][A-Za-z]+: (?:FWD|LIN|LOUT|IFWD|PXY)\||\[\w+@[\d.]+_\d+\] )"
    ),
    constants={"event.kind": "event", "observer.vendor": "Barracuda", "observer.type": "firewall"},
    leftovers="barracuda.cloudgen",
    rename={
        "level": "log.level",
        "box": "observer.hostname",
        "daemon": "process.name",
        "pid": "process.pid",
        "sport": "source.port",
        "smac": "source.mac",
        "dport": "destination.port",
        "near": "observer.ingress.interface.name",
        "far": "observer.egress.interface.name",
        "rule": "rule.name",
        "outbytes": "source.bytes",
        "inbytes": "destination.bytes",
        "spackets": "source.packets",
        "rpackets": "destination.packets",
        "reason": "event.reason",
    },
    ignore=("text", "pattern", "deed", "src", "dst", "snat", "dnat", "protocol", "duration", "user", "said"),
)
_REFUSED = ["deny", "denied", "block", "drop", "fail", "failed"]
_ALLOWED = ["allow", "accept", "accepted", "succeeded", "success", "detect", "remove"]


@source.derive
def line(raw: Raw) -> dict[str, pl.Expr]:
    """Who, from where, to where."""
    said, session = raw["said"], raw["said"].str.extract(rf"\[(\w+)@{_IP}_\d+\]")
    file = said.str.extract(r"\bDownload File (\S+)")
    return {
        "@timestamp": e.time_or(pl.col("header.timestamp")),
        "message": pl.col("text"),
        "source.ip": e.first(
            e.ip(raw["src"]),
            said.str.extract(rf"\[\w+@({_IP})_\d+\]"),
            said.str.extract(rf"\bpeer=({_IP})"),
            said.str.extract(rf"\bGCSID_\S+_({_IP})_\d+_"),
            said.str.extract(rf"\bSession\(({_IP}):\d+\)"),
        ),
        "source.port": e.first(
            raw["sport"],
            said.str.extract(rf"\bSession\({_IP}:(\d+)\)"),
            said.str.extract(rf"\[\w+@{_IP}_(\d+)\]"),
            said.str.extract(rf"\bGCSID_\S+_{_IP}_(\d+)_"),
        ),
        "client.ip": pl.when(raw["pattern"] == "accounting").then(e.ip(raw["src"])),
        "destination.ip": e.first(e.ip(raw["dst"]), said.str.extract(rf"\bto Control Center ({_IP})")),
        "source.nat.ip": e.ip(raw["snat"]),
        "destination.nat.ip": e.ip(raw["dnat"]),
        "network.transport": raw["protocol"].str.to_lowercase(),
        "event.duration": e.whole(raw["duration"]) * 1_000_000,
        "user.name": e.first(
            e.present(raw["user"]),
            session,
            said.str.extract(r"^Session ([^\s_]+)_"),
            said.str.extract(r" box=\S+ ([^|\s]+)\|"),
        ),
        "file.path": file,
        "file.name": said.str.extract(r"\bCopy: ([^\s/]+) from "),
        "file.size": pl.when(file.is_not_null()).then(e.whole(said.str.extract(r"\bsize=(\d+)"))),
        "process.command_line": said.str.extract(r"\bExecute: (.+)$"),
    }


@source.derive
def meaning(raw: Raw) -> dict[str, pl.Expr]:
    """event.* by the kind of line and its words."""
    deed, said, name = raw["deed"].str.to_lowercase(), raw["said"], raw["pattern"]
    refused, allowed = deed.is_in(_REFUSED).fill_null(False), deed.is_in(_ALLOWED).fill_null(False)
    flow, signing = name == "activity", name.is_in(["login", "signed"])
    changed = said.str.contains(r"\bCommit operation|\bDownload File ").fill_null(False)
    session = said.str.contains(r"(?i)\bsession\b").fill_null(False) | (name == "accounting")
    return {
        "event.action": e.first(deed, pl.when(changed).then(pl.lit("configuration-changed"))),
        "event.category": pl.when(flow)
        .then(e.texts("network"))
        .when(signing)
        .then(e.texts("authentication"))
        .when(changed)
        .then(e.texts("configuration"))
        .when(session)
        .then(e.texts("session"))
        .otherwise(e.texts("host")),
        "event.type": pl.when(flow & refused)
        .then(e.texts("connection", "denied"))
        .when(flow)
        .then(e.texts("connection", "allowed"))
        .when(signing)
        .then(e.texts("start"))
        .when(changed)
        .then(e.texts("change"))
        .when(said.str.contains(r"(?i)\bclosed$|\bexits\b"))
        .then(e.texts("end"))
        .otherwise(e.texts("info")),
        "event.outcome": pl.when(signing & refused)
        .then(pl.lit("failure"))
        .when((signing & allowed) | flow)
        .then(pl.lit("success")),
    }
