"""VMware ESXi: sign-ins, SSH, shell commands, VMkernel observations, and what the host's daemons say.

The texts and their sources are in `collectors.vmware.esxi`. `logged in as` names the program that the person used
(its user agent), not another account. Of `<TCP 'a'>, <TCP 'b'>` the first is named the source.
"""

import polars as pl

from collectors import expressions as e
from collectors.shapes import patterns
from collectors.source import Raw, Source
from collectors.vmware.esxi import MEANINGS, TABLE
from collectors.vmware.front import APPS, Fronted

source = Source(
    name="vmware.esxi",
    title={"ja": "VMware ESXi", "en": "VMware ESXi"},
    zone_hint="internal",
    shape=Fronted(patterns(TABLE, APPS)),
    recognise=(
        r"(?:\b(?:hostd|vpxa|rhttpproxy|fdm|Hostd|Vpxa|Rhttpproxy|Fdm)(?:\[\w+\])?:? +)\[Originator@\d+ "
        r"|^(?:<\d+>)?\S* ?\S* ?(?:vobd: +)?\[\w+Correlator\] \d+us: |^\s*\[Originator@\d+ sub=|\bcpu\d+:\d+(?: opID=\w+)?\)"
        r"|\b(?:dfwpktlogs|FIREWALL-PKTLOG)\b.* INET6? (?:match|TERM) |^\s*USER \S+ pid \d+ cmd |\b(?:shell|ESXShell)\[\d+\]: \[\w+\]: "
    ),
    leftovers="vmware.esxi",
    constants={"event.kind": "event", "observer.vendor": "VMware", "observer.product": "ESXi"},
    rename={
        "whole": "message",
        "agent": "user_agent.original",
        "port": "source.port",
        "dport": "destination.port",
        "host": "destination.domain",
        "id": "event.code",
        "rule": "rule.id",
        "sent": "source.packets",
        "got": "destination.packets",
        "sentbytes": "source.bytes",
        "gotbytes": "destination.bytes",
        "serial": "observer.serial_number",
    },
    ignore=(
        *(
            "pattern",
            "text",  # `whole` without what is fields already
            "daemon",
            "daemonpid",
            "program",
            "pid",
            "user",
            "user2",
            "as",
            "asdomain",
            "src",
            "dst",
        ),
        *(
            "runs",
            "runs2",
            "command",
            "command2",
            "path",
            "path2",
            "path3",
            "reason",
            "reason2",
            "url",
            "what",
        ),
        *("verdict", "way", "proto"),
    ),
)


@source.derive
def meaning(raw: Raw) -> dict[str, pl.Expr]:
    """event.* by the text that fitted."""
    name, what = raw["pattern"], raw["what"]

    def of(part: int, rest: str) -> pl.Expr:
        return e.mapped(name, {key: value[part] for key, value in MEANINGS.items()}).fill_null(rest)

    shell = raw["id"].str.extract(r"session\.(opened|closed)$")
    turned = pl.when(name.is_in(["session", "terminal"]) | shell.is_not_null()).then(e.first(what, shell))
    packet = name == "packet"
    fate = e.mapped(raw["verdict"], {"PASS": "allowed", "DROP": "denied", "REJECT": "denied"})
    seen = pl.when(what == "TERM").then(pl.lit("end")).otherwise(fate)
    begins = (name == "disconnected") & (raw["reason"] == "Connection") & (what == "from")
    return {
        "@timestamp": e.time_or(pl.col("header.timestamp")),
        "event.category": pl.when(shell.is_not_null())
        .then(e.texts("session"))
        .when(begins)
        .then(e.texts("network"))
        .when(packet)
        .then(e.texts("network"))
        .otherwise(of(0, "host").str.split(",")),
        "event.type": pl.when(turned == "opened")
        .then(e.texts("start"))
        .when(turned == "closed")
        .then(e.texts("end"))
        .when(begins)
        .then(e.texts("connection"))
        .when(packet)
        .then(pl.concat_list(pl.lit("connection"), seen.fill_null("info")))
        .otherwise(of(1, "info").str.split(",")),
        "event.outcome": pl.when(~begins).then(e.present(of(2, ""))),
        "event.action": e.first(
            raw["id"],
            pl.when(begins).then(pl.lit("connected")),
            fate,
            pl.when(packet & (what == "TERM")).then(pl.lit("terminated")),
            pl.when(name.is_in(["account", "setting", "machine"])).then(
                pl.concat_str(name, e.first(what, raw["what2"]).str.replace(" ", "-"), separator="-")
            ),
            pl.when(~name.is_in(["said", "other", "sshd"])).then(name),
        ),
        "log.level": e.first(raw["level"], raw["severity"].str.to_lowercase()),
        "event.reason": e.present(e.first(raw["reason"], raw["reason2"])),
    }


@source.derive
def parties(raw: Raw) -> dict[str, pl.Expr]:
    """Who, from where, with which program and file."""
    user = e.present(e.first(raw["user"], raw["user2"], raw["as"]))
    src, dst = e.present(raw["src"]), e.present(raw["dst"])
    name = pl.when(raw["pattern"].is_in(["observation"])).then(pl.lit("vobd"))
    path = e.first(raw["path"], raw["path2"], raw["path3"])
    command = e.first(raw["command"], raw["command2"])
    named = raw["proto"].str.extract(r"^([A-Za-z].*)$").str.to_lowercase()  # else it is IANA's number
    daemon = e.first(raw["program"], raw["daemon"], pl.col("header.app"), name)
    return {
        "user.name": user,
        "user.domain": e.present(raw["asdomain"]),
        "source.user.name": e.present(raw["user"]),
        "network.transport": e.first(e.transport(raw["proto"]), named.str.replace("^icmp6$|^icmpv6$", "ipv6-icmp")),
        "network.iana_number": raw["proto"].str.extract(r"^(\d+)$"),
        "network.direction": e.mapped(raw["way"], {"IN": "ingress", "OUT": "egress"}),
        "source.ip": e.ip(src),
        "source.domain": e.not_ip(src),
        "destination.ip": e.ip(dst),
        "process.name": daemon,
        "process.pid": e.first(*map(e.whole, (raw["runs"], raw["pid"], raw["daemonpid"], pl.col("header.pid")))),
        "process.command_line": command,
        "file.path": path,
        "file.name": path.str.extract(r"([^/]+)/*$"),
        **_address(raw["url"], command),
        "host.name": pl.col("header.host"),
        "user.target.name": raw["target"],
        "vmware.esxi.failed": pl.when(raw["pattern"].is_in(["stream", "failed"])).then(raw["what"]),
    }  # fmt: skip


def _address(path: pl.Expr, command: pl.Expr) -> dict[str, pl.Expr]:
    called = command.str.extract(r"\s(https?://[^\s'\"]+)")
    return e.url_columns(e.first(path, called))
