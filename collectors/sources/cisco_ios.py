"""Cisco IOS, IOS XE and NX-OS: the system messages `%FACILITY-SEVERITY-MNEMONIC: text` of switches and routers.

Source: Cisco, "System Message Logging" (sequence number, `*` and `.` for a clock not set, time zone word, milliseconds)
and the System Message Guides; NX-OS writes the year first. A zone word counts where it names one offset; a time without
one is read as the process reads such times. Who, from where and what is taken from the words of the messages.
"""

from typing import Any

import polars as pl

from collectors import expressions as e
from collectors import times
from collectors.shapes import lines
from collectors.source import Raw, Source
from collectors.zone_words import OFFSETS

_MONTH = "Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec"
_ZONE = r"([A-Za-z]{2,5})(?:([+-]\d{1,2})(?::?(\d\d))?)?"
_CLOCK = rf"(?:(\d{{4}}) )?({_MONTH}) +(\d{{1,2}}) (?:(\d{{4}}) )?(\d\d:\d\d:\d\d)(\.\d{{1,9}})?(?: {_ZONE})?"
_CODE = r"%([A-Z0-9_]+(?:-[A-Za-z0-9_]+)*?)-([0-7])-([A-Z0-9_]+)(?: ?: ?| )"
# IOS XR names the process between its time and the code.
_PROCESS = r"([A-Za-z][\w\-]*)\[(\d+)\] ?: "
_IP = r"(\d{1,3}(?:\.\d{1,3}){3}|[0-9A-Fa-f]{0,4}:[0-9A-Fa-f:]+)"
_COLONED = r"\bfrom \w+ ([0-9A-Fa-f]{2}(?::[0-9A-Fa-f]{2}){5})\b"
_MAC = r"\b([0-9A-Fa-f]{4}\.[0-9A-Fa-f]{4}\.[0-9A-Fa-f]{4})\b"
# `list 101 denied tcp 192.0.2.1(4443) (Gi0/0 0011.2233.4455) -> 10.0.0.9(22), 1 packet`; ICMP has `(8/0)`, a standard
# list neither protocol nor far end.
_ACL = (
    rf"\b(?:access-)?list (?P<list>\S+) (?:\(\d+\) )?(?P<result>denied|permitted|deny|permit) (?:(?P<proto>\w+) )?"
    rf"(?:(?P<mac>[0-9A-Fa-f]{{2}}(?:-[0-9A-Fa-f]{{2}}){{5}}) )?(?P<src>{_IP[1:-1]})(?: ?\((?P<port>\d+)\))?"
    rf"(?: \(?(?P<on>[A-Za-z][\w/.]*)(?: [^)]*)?\)?)?(?: ?->\s+(?P<far>{_IP[1:-1]})(?: ?\((?P<farport>\d+)\))?)?"
)
# Zone-based firewall: `Dropping tcp pkt from Gi1 192.0.2.1:4443 => 10.0.0.9:22(…)`, `Dropping tcp session a:1 b:2`.
_DROP = (
    rf"Dropping (?P<proto>\w+) (?:pkt|session) (?:from (?P<on>\S+) )?(?P<src>{_IP[1:-1]}):(?P<port>\d+) (?:=> )?"
    rf"(?P<far>{_IP[1:-1]}):(?P<farport>\d+)"
)
_PEERS = rf"(?:\bfrom|\[) ?{_IP}[:(](\d+)\)? (?:to|->) {_IP}[:(](\d+)"
# `initiator (10.0.0.4:332) sent 48 bytes -- responder (10.0.9.6:53) sent 40 bytes`: the firewall's record of a session.
_SESSION = rf"\b(\w+) session: initiator \({_IP}:(\d+)\) sent (\d+) bytes -- responder \({_IP}:(\d+)\) sent (\d+) bytes"
# NX-OS access lists: `Src IP: 10.0.0.4, Dst IP: 10.0.0.9, Src Port: 5000, Dst Port: 22, …, ACE Action: Deny`.
_ACE = (
    rf"\bSrc IP: {_IP}, Dst IP: {_IP}, Src Port: (\d+), Dst Port: (\d+), Src Intf: ([^,]*), Protocol: \"?(\w+)\"?"
    r"[^,]*, ACL Name: ([^,]+), ACE Action: (\w+)"
)
# `update:10.0.0.5@ssh.26046:t.yamada:show clock (SUCCESS)`: NX-OS accounting.
_ACCOUNTED = (
    rf"(?:start|stop|update):(?:{_IP}@)?([\w/]+)(?:\.\d+)?:([^:\s]+):(.*?)(?: \((SUCCESS|FAILURE)\))?\s*$"
)
_SUDO = r":\s+(\S+) : TTY=\S+ ; PWD=\S+ ; USER=\S+ ; COMMAND=(.*?)(?: - sudo)?\s*$"
_FOR = (
    r"(?i)\b(?:failed|failure|login success\w*|Accepted \S+) for (?:user )?([A-Za-z][^\s:,]*) ?(?:from|-|$)"
)
_SIGNED = r"(?i)\bauthentication fail(?:ed|ure)|\blogin (?:failed|success)|\bAccepted \S+ for "
# Messages that tell a typed command, and where in them it begins.
_TYPED = r"ACCOUNTING_MESSAGE|CFGLOG|CMD_EXEC|ACCTLOCAL"
_TYPES = r"(\blogged command:|\bexecuted the command:|\bCommand: |(?:start|stop|update):\S+?:[^:\s]+:).*$"
_LEVELS = ("emergency", "alert", "critical", "error", "warning", "notice", "informational", "debug")

source = Source(
    name="cisco.ios",
    title={"ja": "Cisco IOS・IOS XE・NX-OS", "en": "Cisco IOS, IOS XE, NX-OS"},
    zone_hint="lan",
    shape=lines(_CODE),
    recognise=r"(?:^|[:.]\s?|\s)%[A-Z][A-Z0-9_]*(?:-[A-Za-z0-9_]+)*-[0-7]-[A-Z][A-Z0-9_]+(?: ?: | [\[A-Za-z])",
    constants={"event.kind": "event", "observer.vendor": "Cisco", "observer.type": "switch"},
    ignore=("text",),
)


@source.derive
def header(raw: Raw) -> dict[str, pl.Expr]:
    """Time, device and the message's code; the time may have been taken off by the header that every line has."""
    line = pl.col("text")
    code = line.str.extract_groups(_CODE).struct
    level = code.field("2")
    return {
        "event.provider": code.field("1"),
        "event.code": code.field("3"),
        "event.severity": level,
        "log.level": level.replace_strict(
            {str(n): word for n, word in enumerate(_LEVELS)}, default=None, return_dtype=pl.String
        ),
        "message": line.str.extract(rf"{_CODE}(.*)$", 4),
        "@timestamp": e.time_or(_shown(line), _in_zone(pl.col("header.timestamp"), line)),
        "host.name": _device(line),
        "observer.hostname": _device(line),
    }


def _shown(line: pl.Expr) -> pl.Expr:
    """The time right before the code. A year that is not written is the latest that is not two days ahead."""
    found = line.str.extract_groups(rf"{_CLOCK} ?: (?:{_PROCESS})?{_CODE}").struct
    written, received = e.first(found.field("1"), found.field("4")), pl.col("received")
    this = received.dt.year()
    times_ = [_dated(found, e.first(written, year.cast(pl.String))) for year in (this, this - 1)]
    return (
        pl.when(written.is_not_null() | (times_[0] <= received + pl.duration(days=2)))
        .then(times_[0])
        .otherwise(times_[1])
    )


def _dated(found: Any, year: pl.Expr) -> pl.Expr:
    clock = pl.concat_str(found.field("5"), found.field("6").fill_null(""))
    text = pl.concat_str(year, found.field("2"), found.field("3"), clock, separator=" ")
    naive = text.str.to_datetime("%Y %b %d %H:%M:%S%.f", time_unit="us", strict=False)
    offset = _offset(*(found.field(group) for group in ("7", "8", "9")))
    zoned = naive.dt.replace_time_zone("UTC") - pl.duration(minutes=offset)
    return pl.when(offset.is_not_null()).then(zoned).otherwise(e.local(naive))


def _offset(word: pl.Expr, hours: pl.Expr, minutes: pl.Expr) -> pl.Expr:
    """Minutes ahead of UTC of a zone word; what stands behind UTC or GMT is added (`UTC-5`, `GMT+5:30`)."""
    known = word.str.to_uppercase()
    behind = e.whole(hours).fill_null(0) * 60
    past = e.whole(minutes).fill_null(0)
    distance = behind + pl.when(hours.str.starts_with("-")).then(-past).otherwise(past)
    return known.replace_strict(OFFSETS, default=None, return_dtype=pl.Int64) + pl.when(
        known.is_in(["UTC", "GMT"])
    ).then(distance).otherwise(0)


def _in_zone(stamp: pl.Expr, line: pl.Expr) -> pl.Expr:
    """The header's time, which was read as the process's own, in the zone that stands behind it."""
    behind = line.str.extract_groups(rf"^{_ZONE}: %").struct
    host = pl.col("header.host").str.extract_groups(rf"^{_ZONE}$").struct
    offset = e.first(*(_offset(*(zone.field(group) for group in ("1", "2", "3"))) for zone in (behind, host)))
    here = stamp.dt.convert_time_zone(times.zone()).dt.replace_time_zone(None).dt.replace_time_zone("UTC")
    return pl.when(offset.is_not_null()).then(here - pl.duration(minutes=offset)).otherwise(stamp)


def _device(line: pl.Expr) -> pl.Expr:
    """The device: before its own time, or the header's host unless that is a zone word or a number in its place."""
    clock = rf"[*.]?(?:(?:{_MONTH}) +\d|\d{{4}} (?:{_MONTH}) |\d+[ywdh]\d|\d\d:\d\d:\d\d: )"
    shown = line.str.extract(rf"^[^%]*?(?:^|[\s:>])([A-Za-z][\w.\-]*|\d+(?:\.\d+){{3}}) ?: (?:\d+: )?{clock}")
    host = pl.col("header.host")
    return e.first(
        shown,
        pl.when(
            ~host.is_in(list(OFFSETS)) & ~host.str.contains(r"^(?:(?:UTC|GMT)[+-])?\d+(?::?\d\d)?$")
        ).then(host),
    )


def _told() -> pl.Expr:
    """The line without a command that somebody typed: who or what stands in it was no party to the message."""
    line = pl.col("text")
    typed = line.str.extract(_CODE, 3).str.contains(_TYPED).fill_null(False)
    return pl.when(typed).then(line.str.replace(rf"(?s){_TYPES}", "$1")).otherwise(line)


@source.derive
def who(raw: Raw) -> dict[str, pl.Expr]:
    """Person, address, port, machine, as the messages word them."""
    line = _told()
    by = line.str.extract(r"\bby (\S+) on (?:vty|console|con|tty)")
    reset = line.str.extract(r"\bUser (\S+) failed attempts reset by")
    from_ = line.str.extract_groups(rf"\bfrom {_IP}(?::(\d+))?").struct
    listed, dropped = (line.str.extract_groups(form).struct for form in (_ACL, _DROP))
    peers, session = (line.str.extract_groups(form).struct for form in (_PEERS, _SESSION))
    ace = line.str.extract_groups(_ACE).struct
    protocol = e.first(listed.field("proto"), dropped.field("proto"), ace.field("6"))
    protocol = pl.when(~protocol.str.contains(r"^(?:\d+|ipv6|ip)$")).then(protocol)
    reached = pl.when(protocol.str.to_lowercase().is_in(["tcp", "udp"])).then(listed.field("farport"))
    return {
        "rule.name": e.first(listed.field("list"), ace.field("7")),
        "network.transport": e.first(e.transport(protocol), protocol).str.to_lowercase(),
        "destination.ip": e.first(
            listed.field("far"),
            dropped.field("far"),
            peers.field("3"),
            session.field("5"),
            ace.field("2"),
            line.str.extract(rf"destaddr={_IP}"),
            line.str.extract(rf"\b(?:RADIUS|TACACS\+?) server {_IP}[: ]"),
            line.str.extract(rf"\bLogging to host {_IP} "),
        ),
        "destination.port": e.first(
            reached, dropped.field("farport"), peers.field("4"), session.field("6"), ace.field("4")
        ),
        "source.bytes": session.field("4"),
        "destination.bytes": session.field("7"),
        "user.name": e.first(
            line.str.extract(_ACCOUNTED, 3),
            line.str.extract(_SUDO, 1),
            line.str.extract(_FOR),
            line.str.extract(r"\bauthentication failure;.* user=(\S+)"),
            line.str.extract(r"\bConfigured from \S+ by (\S+) on "),
            line.str.extract(r"\[user: ?([^\] ][^\]]*)\]"),
            line.str.extract(r"\bUsername: (\S+)"),
            line.str.extract(r"\bas (\S+) on (?:vty|console|con|tty)"),
            pl.when(reset.is_null()).then(by),
            line.str.extract(r"\b[Uu]ser:? ?'([^']+)'"),
            line.str.extract(r"\bUser (\S+) has exited"),
            line.str.extract(r"\busername: (\S+)"),
            line.str.extract(r"\bUser: ?([^\s,]+),? +(?:executed|logged|logged command)"),
            line.str.extract(r"\), user (\S+)$"),
            line.str.extract(r"\bNETCONF user (\S+)"),
        ),
        "user.target.name": reset,
        "source.user.name": pl.when(reset.is_not_null()).then(by),
        "source.ip": e.first(
            line.str.extract(rf"\[Source: ?{_IP}\]"),
            line.str.extract(rf"(?:vty|tty|console|con|session) ?\d* ?\(\s?{_IP}\)"),
            from_.field("1"),
            line.str.extract(rf"Duplicate address {_IP} "),
            line.str.extract(rf"duplicate of local, {_IP}"),
            line.str.extract(rf"srcaddr={_IP}"),
            line.str.extract(rf"SNMP req from host {_IP}"),
            listed.field("src"),
            dropped.field("src"),
            peers.field("1"),
            session.field("2"),
            line.str.extract(_ACCOUNTED, 1),
            line.str.extract(rf"\bConfigured from \S+ by \S+ on {_IP}@"),
            line.str.extract(rf"\bfrom '{_IP}'"),
            ace.field("1"),
            line.str.extract(rf"\bfrom=(?:::ffff:)?{_IP}"),
            line.str.extract(rf"\b(?:with|for) peer (?:at )?{_IP}"),
            line.str.extract(rf"\bneighbor {_IP} "),
            line.str.extract(rf"\(\[[0-9A-Fa-f.]{{14}}/{_IP}/"),
        ),
        "source.port": e.first(
            listed.field("port"),
            dropped.field("port"),
            peers.field("2"),
            session.field("3"),
            ace.field("3"),
            line.str.extract(r"\[localport: ?(\d+)\]"),
            from_.field("2"),
        ),
    }


@source.derive
def things(raw: Raw) -> dict[str, pl.Expr]:
    """Machine addresses, commands, interfaces, web addresses."""
    line, told = pl.col("text"), _told()
    command = line.str.extract(r"executed the command:(.*)$")
    logged = line.str.extract(r"logged command: ?(.*)$")
    return {
        "source.mac": _mac(
            e.first(
                told.str.extract(rf"MAC sa: {_MAC}"),
                told.str.extract(_MAC),
                told.str.extract_groups(_ACL).struct.field("mac"),
                told.str.extract(_COLONED),
            )
        ),
        "host.mac": _mac(told.str.extract(rf"packet received from {_MAC}")).str.split(","),
        "process.command_line": e.first(
            line.str.extract(r"Command: (.*?)\s*$"),
            command,
            logged,
            e.present(line.str.extract(_ACCOUNTED, 4)),
            line.str.extract(_SUDO, 2),
        ),
        "process.pid": e.first(
            line.str.extract(rf"{_PROCESS}%", 2), line.str.extract(r" - [\w.\-]+\[(\d+)\]\s*$")
        ),
        "process.name": e.first(
            line.str.extract(rf"{_PROCESS}%", 1),
            line.str.extract(r" - ([\w.\-]+)\[\d+\]\s*$"),
            line.str.extract(r"by process (.+?) from "),
            line.str.extract(r"R\d+/\d+: (\w+):"),
            command.str.extract(r"^(\S+)"),
        ),
        "process.executable": command.str.extract(r"^(\S+)"),
        "network.protocol": e.first(
            line.str.extract(r"\bfor (netconf over ssh)"),
            line.str.extract(r":(?:Start|Stop) ([a-z][\w\-]*) session: initiator"),
        ),
        "observer.ingress.interface.name": e.first(
            told.str.extract_groups(_ACL).struct.field("on"),
            told.str.extract_groups(_DROP).struct.field("on"),
            told.str.extract_groups(_ACE).struct.field("5"),
            told.str.extract(
                r"\b(?:[Ii]nterface|port|detected on|ARPs \(\w+\) on) ((?:[A-Z][A-Za-z\-]*|port-channel)\d(?:[\w/.]*\w)?)"
            ),
        ),
        **e.url_columns(line.str.extract(r"\b([a-z]+://[^\s'\")]+)")),
    }


def _mac(dotted: pl.Expr) -> pl.Expr:
    """`0200.0000.0001`, or with colons, as ECS writes it."""
    bare = dotted.str.replace_all(r"[.:\-]", "").str.to_uppercase()
    return bare.str.replace_all(r"(..)", "$1-").str.strip_suffix("-")


@source.derive
def meaning(raw: Raw) -> dict[str, pl.Expr]:
    """event.* by facility and mnemonic."""
    line = pl.col("text")
    code = line.str.extract(_CODE, 3)
    facility = line.str.extract(_CODE, 1)
    signing = (
        (code.str.contains(r"LOGIN|LOGOUT|AUTH|SESSION|QUIET_MODE|PRIV_") & (code != "BADAUTH"))
        | (
            facility.str.contains(r"^(?:SECURITY-SSHD|DOT1X|MAB|AUTHMGR)$")
            & code.str.contains("SUCCESS|FAIL")
        )
        | line.str.contains(_SIGNED)
    )
    changed = code.str.contains(
        r"^CONFIG_|SYSLOG_CONFIG_I|ACCOUNTING_MESSAGE|USERNAME_CONFIGURATION|CMD_EXEC|ACCTLOCAL|CFGLOG|^DB_COMMIT$"
    )
    denied = line.str.contains(rf"\blist \S+ (?:\(\d+\) )?(?:denied|deny) |ACE Action: Deny|{_DROP}")
    permitted = line.str.contains(r"\blist \S+ (?:\(\d+\) )?(?:permitted|permit) |ACE Action: Permit")
    link = code.str.contains(r"^IF_DOWN|LINK_FAILURE$")  # a cable taken out: nothing was refused
    failed = ~link & code.str.contains(r"FAIL|DENY|DENIED|VIOLATION|REJECT") & ~code.str.starts_with(
        "THRESHOLD"
    ) | (~link & line.str.contains(r"(?i)\bfail(?:ed|ure)\b"))
    worked = code.str.contains(r"SUCCESS|PASSED|LOGOUT") | line.str.contains(r"\bSucceeded\b|\(SUCCESS\)\s*$")
    return {
        "event.action": code.str.to_lowercase(),
        "event.category": pl.when(signing)
        .then(e.texts("authentication", "session"))
        .when(changed)
        .then(e.texts("configuration"))
        .otherwise(e.texts("network")),
        "event.type": pl.when(code.str.contains("LOGOUT|CLOSE"))
        .then(e.texts("end"))
        .when(denied)
        .then(e.texts("connection", "denied"))
        .when(permitted)
        .then(e.texts("connection", "allowed"))
        .when(failed)
        .then(e.texts("denied"))
        .when(changed)
        .then(e.texts("change"))
        .when(signing)
        .then(e.texts("start"))
        .otherwise(e.texts("info")),
        "event.outcome": pl.when(failed & (signing | code.str.contains("FAIL")))
        .then(pl.lit("failure"))
        .when(worked)
        .then(pl.lit("success")),
    }
