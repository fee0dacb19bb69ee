"""HPE Aruba: controllers and access points (ArubaOS), switches (ArubaOS-Switch, AOS-CX).

Source: Aruba, "ArubaOS Syslog Messages" (`<message id> <severity> <device address>`), "ArubaOS-Switch Event Log Message
Guide", "AOS-CX Event Log Message Guide" (`Event|id|level|module|slot|text`).
"""

import polars as pl

from collectors import expressions as e
from collectors.shapes import patterns
from collectors.source import Raw, Source

_IP = r"(\d{1,3}(?:\.\d{1,3}){3}|[0-9A-Fa-f]*:[0-9A-Fa-f:]+)"
_MAC = r"((?:[0-9A-Fa-f]{2}:){5}[0-9A-Fa-f]{2})"
_TABLE = {
    "cx": (
        r"^(?:\S+\[\d+\]: )?Event\|(?P<code>\d+)\|LOG_(?P<level>[A-Z]+)\|(?P<module>[^|]*)\|(?P<slot>[^|]*)\|"
        r"(?P<said>.*)$"
    ),
    "controller": (
        r"^(?:(?P<sender>[\w.\-:]+) )?(?:(?P<daemon>[A-Za-z]\w*)(?:\[(?P<pid>\d+)\])?: )?<(?P<number>\d{5,6})> "
        r"(?:<(?P<thread>\d+)> )?(?:<(?P<level>[A-Z]{4,5})> )?"
        r"(?:(?:\|[^|]*\| *)+|\|?(?:AP[: ])?[^<|]*\|? ?<(?P<device>[^>]+)> ?)?(?P<said>.*)$"
    ),
    "switch": r"^(?:\d{5} )?(?:(?P<daemon>[a-zA-Z][\w\-]*): +)?ST\d+-[A-Z]+: (?P<said>.*)$",
    "numbered switch": r"^(?P<code>\d{5}) (?P<daemon>[a-zA-Z][\w\-.]*): +(?P<said>.*)$",
    "switch alone": (
        r"^(?P<daemon>auth|ports|ssh|ssl|mgr|snmp|dhcp-snoop|FFI|system|chassis|port-access|802\.1x|radius|tacacs|web"
        r"|stp|loop-protect|arp-protect|lldp|vlan|telnet|console|update|crypto|ip): +(?P<said>.*)$"
    ),
    "words": (
        r"^(?P<said>(?:User '[^']*' (?:logged|is trying)|USER: ?\S+|Invalid user name/password|port [\w/\-]+ is "
        r"|SME |SSH session |Security access violation ).*)$"
    ),
}

source = Source(
    name="aruba.os",
    title={"ja": "HPE Aruba(無線・スイッチ)", "en": "HPE Aruba wireless and switches"},
    zone_hint="lan",
    shape=patterns(_TABLE),
    recognise=(
        r"\bEvent\|\d+\|LOG_[A-Z]+\||<\d{6}> (?:<\d+> )?<(?:NOTI|ERRS|WARN|INFO|DBUG|CRIT)> "
        r"|: +ST\d-(?:CMDR|MMBR|STBY): "
    ),
    constants={"event.kind": "event", "observer.vendor": "Aruba"},
    leftovers="aruba",
    rename={"code": "event.code", "level": "log.level", "pid": "process.pid", "said": "message"},
    ignore=("text", "pattern", "number", "device", "daemon", "sender"),
)


@source.derive
def line(raw: Raw) -> dict[str, pl.Expr]:
    """What the text says."""
    said, device = raw["said"], raw["device"]
    ends = said.str.extract_groups(rf"(?i)\bto {_IP}:(\d+)").struct
    station = said.str.extract_groups(rf"AP {_IP}-{_MAC}").struct
    failed = said.str.contains(
        r"(?i)\bfail(?:ed|ure)\b|not found|violation|rejected|denied|_REJ\b|\binvalid\b"
    )
    worked = said.str.contains(r"(?i)logged in|auth success|succeeded|successful") & ~failed
    signed = said.str.extract_groups(
        rf"(?i)\bfrom {_IP}(?: port (\d+)(?:,? Connecting to {_IP} port (\d+))?)?"
    ).struct
    host = pl.col("header.host")
    host = (
        pl.when(host.str.contains(r"^\d{4}$")).then(raw["sender"]).otherwise(host)
    )  # the year follows the time
    signing = said.str.contains(r"(?i)logged (?:in|out)|auth|login|user ")
    return {
        "@timestamp": e.time_or(pl.col("header.timestamp")),
        "host.name": host,
        "observer.hostname": host,
        "process.name": e.first(raw["daemon"], pl.col("header.app")),
        "aruba.message_id": raw["number"],
        "source.ip": e.first(
            signed.field("1"),
            said.str.extract(rf"\bUSER: ?\S+@{_IP}"),
            pl.when(~said.str.contains(r"\buserip=0\.0\.0\.0")).then(
                said.str.extract(rf"\b(?:IP|userip)={_IP}")
            ),
            said.str.extract(rf"(?i)\baddress {_IP}"),
            device.str.extract(_IP),
        ),
        "source.port": signed.field("2"),
        "source.mac": e.first(
            device.str.extract(_MAC),
            said.str.extract(rf"(?i)\bneighbor {_MAC}"),
            said.str.extract(rf"\b(?:MAC|usermac)={_MAC}"),
            said.str.extract(rf"(?:@ [\d:.]+|\bsta|violation by):? {_MAC}"),
            said.str.extract(rf"(?i)\b(?:node|client|station|BSSID|from) {_MAC}"),
            said.str.extract(rf"^ *\{{{_MAC}"),
            said.str.extract(rf"^AP\({_MAC}"),
        ),
        "process.command_line": said.str.extract(r"\bCOMMAND: ?<(.*?) ?> -- "),
        "group.name": said.str.extract(r"\brole=(\S+)"),
        "destination.mac": station.field("2"),
        "destination.ip": e.first(ends.field("1"), signed.field("3")),
        "destination.port": e.first(ends.field("2"), signed.field("4")),
        "user.name": e.first(
            said.str.extract(r"\busername=(\S+)"),
            said.str.extract(r"\bUser '([^']+)'"),
            said.str.extract(r"\bUser (\S+?),? (?:was|[Ll]ogged|failed)"),
            said.str.extract(r"\bUSER: ?([^\s@]+)"),
            said.str.extract(r"\bfor user (\S+)"),
        ),
        "observer.ingress.interface.name": said.str.extract(
            r"(?i)\b(?:updated on|interface|port) (\d+/\d+(?:/\d+)?)\b"
        ),
        "event.category": pl.when(signing).then(e.texts("authentication")).otherwise(e.texts("network")),
        "event.type": pl.when(signing & failed)
        .then(e.texts("denied"))
        .when(signing & worked)
        .then(e.texts("start"))
        .otherwise(e.texts("info")),
        "event.outcome": pl.when(worked)
        .then(pl.lit("success"))
        .when(failed & signing)
        .then(pl.lit("failure")),
    }
