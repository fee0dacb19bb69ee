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
        r"^(?:(?P<daemon>[A-Za-z]\w*)(?:\[(?P<pid>\d+)\])?: )?<(?P<number>\d{5,6})> (?:<(?P<thread>\d+)> )?"
        r"(?:<(?P<level>[A-Z]{4,5})> )?(?:\|?(?:AP[: ])?[^<|]*\|? ?<(?P<device>[^>]+)> ?)?(?P<said>.*)$"
    ),
    "switch": r"^(?:\d{5} )?(?:(?P<daemon>[a-zA-Z][\w\-]*): +)?ST\d+-[A-Z]+: (?P<said>.*)$",
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
    ignore=("text", "pattern", "number", "device", "daemon"),
)


@source.derive
def line(raw: Raw) -> dict[str, pl.Expr]:
    """What the text says."""
    said, device = raw["said"], raw["device"]
    ends = said.str.extract_groups(rf"(?i)\bto {_IP}:(\d+)").struct
    station = said.str.extract_groups(rf"AP {_IP}-{_MAC}").struct
    failed = said.str.contains(r"(?i)\bfailed\b|not found|violation|rejected|denied|_REJ\b")
    worked = said.str.contains(r"(?i)logged in|auth success|succeeded")
    signing = said.str.contains(r"(?i)logged (?:in|out)|auth|login|user ")
    return {
        "@timestamp": e.time_or(pl.col("header.timestamp")),
        "host.name": pl.col("header.host"),
        "observer.hostname": pl.col("header.host"),
        "process.name": e.first(raw["daemon"], pl.col("header.app")),
        "aruba.message_id": raw["number"],
        "source.ip": e.first(
            said.str.extract(rf"(?i)\bfrom {_IP}"),
            said.str.extract(rf"(?i)\baddress {_IP}"),
            device.str.extract(_IP),
        ),
        "source.mac": e.first(device.str.extract(_MAC), said.str.extract(rf"(?i)\bneighbor {_MAC}")),
        "destination.mac": station.field("2"),
        "destination.ip": ends.field("1"),
        "destination.port": ends.field("2"),
        "user.name": e.first(
            said.str.extract(r"\bUser '([^']+)'"), said.str.extract(r"\bUser (\S+) (?:was|logged|failed)")
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


source.refine(e.related)
