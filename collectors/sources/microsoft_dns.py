"""Windows DNS server debug log (`dns.log`): each packet that was received or sent.

Source: Microsoft, "DNS logging and diagnostics" and the message key at the head of the file: thread, PACKET, internal
packet identifier, UDP or TCP, Snd or Rcv, remote address, Xid, Query or Response, opcode, flags in hexadecimal and
characters, response code, question type, question name with the length before each label. Dates and times are in the
server's own language: year first, or month first, or day first with points.
"""

import polars as pl

from collectors import expressions as e
from collectors import times
from collectors.shapes import own_clock, patterns
from collectors.source import Raw, Source

_TIME = r"^(?P<clock>\d{1,4}[/.\-]\d{1,2}[/.\-]\d{1,4} \d{1,2}:\d\d:\d\d(?: [AP]M)?) "
_PACKET = (
    r"(?P<thread>[0-9A-Fa-f]{3,8}) PACKET +(?P<packet>[0-9A-Fa-f]{8,16}) (?P<proto>UDP|TCP) (?P<way>Snd|Rcv) "
    r"(?P<remote>[0-9A-Fa-f.:]+) +(?P<xid>[0-9A-Fa-f]{4}) (?P<response>R)? *(?P<opcode>[QNU?]) \[(?P<flags>[0-9A-Fa-f]{4}) *"
    r"(?P<letters>[ATDR ]*) +(?P<code>\S+?)\] (?P<type>\S+) +(?P<name>\S*)\s*$"
)
_TABLE = {"packet": _TIME + _PACKET, "event": _TIME + (r"(?P<thread>[0-9A-Fa-f]{3,8}) (?P<context>EVENT|DSPOLL|TASK|DNSSEC|Note:?|UPDATE"
r"|RECURSE|ZONEXFR|REMOTE|LOOKUP) +(?P<reason>.*)$")}  # fmt: skip
_CLOCKS = (
    "%Y/%m/%d %H:%M:%S",
    "%m/%d/%Y %I:%M:%S %p",
    "%Y-%m-%d %H:%M:%S",
    "%d.%m.%Y %H:%M:%S",
    "%m/%d/%Y %H:%M:%S",
    "%d/%m/%Y %H:%M:%S",
)

source = Source(
    name="microsoft.dns",
    title={"ja": "Windows DNS サーバー(デバッグログ)", "en": "Windows DNS server debug log"},
    zone_hint="internal",
    shape=own_clock(_TIME, patterns(_TABLE)),
    recognise=r" [0-9A-Fa-f]{3,8} PACKET +[0-9A-Fa-f]{8,16} (?:UDP|TCP) (?:Snd|Rcv) ",
    leftovers="microsoft.dns",
    constants={
        "event.kind": "event",
        "event.category": ["network"],
        "network.protocol": "dns",
        "observer.vendor": "Microsoft",
    },
    rename={
        "xid": "dns.id",
        "code": "dns.response_code",
        "type": "dns.question.type",
        "text": "message",
        "reason": "event.reason",
    },
    ignore=("clock", "proto", "way", "remote", "response", "opcode", "letters", "name", "pattern"),
)
_OPCODES = {"Q": "QUERY", "N": "NOTIFY", "U": "UPDATE"}


@source.derive
def packet(raw: Raw) -> dict[str, pl.Expr]:
    """Who asked whom for what, and what came of it."""
    received, answer = raw["way"] == "Rcv", raw["response"].is_not_null()
    labels = raw["name"].str.replace_all(r"\(\d+\)", ".").str.strip_chars(".")
    letters = raw["letters"].str.replace_all(" ", "", literal=True)
    return {
        "@timestamp": e.time_or(times.parsed(raw["clock"], _CLOCKS, times.zone())),
        "host.name": pl.col("header.host"),
        "source.ip": pl.when(received).then(raw["remote"]),
        "destination.ip": pl.when(raw["way"] == "Snd").then(raw["remote"]),
        "network.transport": raw["proto"].str.to_lowercase(),
        "network.direction": pl.when(received)
        .then(pl.lit("inbound"))
        .when(raw["way"].is_not_null())
        .then(pl.lit("outbound")),
        "dns.type": pl.when(answer)
        .then(pl.lit("answer"))
        .when(raw["pattern"] == "packet")
        .then(pl.lit("query")),
        "dns.op_code": e.mapped(raw["opcode"], _OPCODES),
        "dns.question.name": e.present(labels),
        "dns.question.class": pl.when(raw["pattern"] == "packet").then(pl.lit("IN")),
        "dns.header_flags": letters.str.split("")
        .list.eval(pl.element().replace({"A": "AA", "T": "TC", "D": "RD", "R": "RA"}))
        .list.filter(pl.element() != ""),
        "event.action": pl.when(answer)
        .then(pl.lit("answer"))
        .when(raw["pattern"] == "packet")
        .then(pl.lit("query"))
        .otherwise(raw["context"].str.to_lowercase()),
        "event.type": e.texts("protocol", "info"),
        "event.outcome": pl.when(answer & raw["code"].is_in(["NOERROR", "NXDOMAIN"]))
        .then(pl.lit("success"))
        .when(answer)
        .then(pl.lit("failure")),
    }
