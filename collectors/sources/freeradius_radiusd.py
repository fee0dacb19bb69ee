"""FreeRADIUS: `radius.log` with sign-ins (`log { auth = yes }`) and refused requests, in a file or over syslog.

Facts: FreeRADIUS, `radiusd.conf` section `log`, `mods-available/linelog`, and the messages of `src/main/auth.c`, `listen.c`,
`process.c`, `log.c` and `src/lib/radius.c` (3.x): a file's lines begin with the clock and a level. The
network access server that asks is the `client`: it is where the person signs in (`host.name`), the RADIUS server
observes. `cli` is the calling station, mostly a MAC address; `host/name` is a computer that signs in.
With `auth_badpass` the text holds the password behind the name: it goes into no field but `message`.
"""

import polars as pl

from collectors import expressions as e
from collectors.shapes import patterns
from collectors.source import Raw, Source

_FRONT = (
    r"^(?:(?P<clock>[A-Z][a-z]{2} [A-Z][a-z]{2} +\d{1,2} \d\d:\d\d:\d\d \d{4}) : )?"
    r"(?:(?P<level>Auth|Error|ERROR|Info|Warning|WARNING|Proxy|Debug|Acct): )?(?:(?P<number>\(\d+\)) +)?"
)
_FROM = r"\(from (?:client )?(?P<client>[^()]+?)(?: port (?P<port>\d*))?(?: cli (?P<cli>[^\s)]*))?(?: via (?P<tunnel>[^)]+?))?\)"
_TABLE = {
    "sign-in": (
        _FRONT + r"(?P<action>Login OK|Login incorrect|Invalid user|Multiple logins|Rejected in [\w\-]+)"
        rf"(?: \((?P<reason>.*?)\))?(?: \[MPP attempt\])?: \[(?P<who>.*)\] {_FROM}(?: *(?P<rest>\S.*))?$"
    ),
    "ignored": (
        _FRONT + r"(?P<action>Ignoring request) to (?P<kind>\w+) address (?P<listen>\S+) port (?P<dport>\d+)"
        r"(?: bound to server (?P<server>\S+))?(?: as server \S+)? from unknown client (?P<src>[0-9A-Fa-f.:]+) port (?P<port>\d+)"
        r"(?: proto (?P<proto>\w+))?"
    ),
    "duplicate": (
        _FRONT + r"(?:\(\d+\) )?(?P<action>Ignoring duplicate packet|Discarding duplicate request) from client (?P<client>.+?) "
        r"port (?P<port>\d+) - ID: (?P<id>\d+)(?: due to (?P<reason>.*))?$"
    ),
    "unproven": (
        _FRONT + r"(?:Dropping packet without response because of error: )?(?P<action>Received packet) from (?P<src>[0-9A-Fa-f.:]+) "
        r"with (?P<reason>.*)$"
    ),
    "packet": (
        _FRONT + r"(?P<action>(?:Received|Sent) [A-Z]\w+-\w+) Id (?P<id>\d+) from (?P<src>[0-9A-Fa-f.:]+):(?P<port>\d+) "
        r"to (?P<dst>[0-9A-Fa-f.:]+):(?P<dport>\d+)"
    ),
    "module": _FRONT
    + r"(?P<module>(?:r?lm_|rlm_)?(?:eap|mschap|ldap|sql|pap|chap|tls|krb5|winbind|perl|rest)[\w]*)(?: \([^)]*\))?: (?P<reason>.*)$",
    "own": _FRONT.replace(" : )?", " : )", 1) + r"(?P<reason>.*)$",
}  # fmt: skip

source = Source(
    name="freeradius.radiusd",
    title={"ja": "FreeRADIUS（無線・VPN の認証）", "en": "FreeRADIUS (wireless and VPN sign-ins)"},
    zone_hint="internal",
    shape=patterns(_TABLE, ("radiusd", "freeradius")),
    recognise=(
        r"\bLogin (?:OK|incorrect)(?: \(.*\))?: \[.*\] \(from client \S+ port \d+"
        r"|^[A-Z][a-z]{2} [A-Z][a-z]{2} +\d{1,2} \d\d:\d\d:\d\d \d{4} : (?:Auth|Error|ERROR|Info|Warning|WARNING|Proxy|Debug|Acct): "
        r"|\bInvalid user(?: \(.*\))?: \[.*\] \(from client |\bIgnoring request to \w+ address \S+ port \d+ "
    ),
    leftovers="freeradius",
    constants={"event.kind": "event"},
    rename={
        "text": "message",
        "port": "source.port",
        "dport": "destination.port",
        "src": "source.ip",
        "dst": "destination.ip",
        "proto": "network.transport",
    },
    ignore=("clock", "cli", "client", "who", "reason", "pattern"),
)
_MAC = "^" + r"[:.\-]?".join([r"([0-9A-Fa-f]{2})"] * 6) + "(?::.*)?$"  # the radio's name may stand behind it
_PACKETS = ["duplicate", "unproven", "packet"]


@source.derive
def meaning(raw: Raw) -> dict[str, pl.Expr]:
    """event.*: signed in, refused, or not asked at all."""
    action = raw["action"]
    text = raw["clock"].str.replace_all(r" +", " ").str.replace(r"^[A-Z][a-z]{2} ", "")
    clock = text.str.to_datetime("%b %d %H:%M:%S %Y", time_unit="us", strict=False)
    return {
        "@timestamp": e.time_or(*e.own_clock(clock)),
        "event.category": pl.when(raw["pattern"].is_in(_PACKETS))
        .then(e.texts("network"))
        .when(raw["pattern"] == "own")
        .then(e.texts("host"))
        .otherwise(e.texts("authentication")),
        "event.type": pl.when(raw["pattern"].is_in(["duplicate", "unproven"]))
        .then(e.texts("denied"))
        .when(raw["pattern"] == "packet")
        .then(e.texts("protocol"))
        .when(raw["pattern"] == "sign-in")
        .then(e.texts("start"))
        .otherwise(e.texts("info")),
        "event.action": action.str.to_lowercase().str.replace_all(" ", "-"),
        "event.outcome": pl.when(action == "Login OK")
        .then(pl.lit("success"))
        .when(action.is_not_null() & (raw["pattern"] != "packet"))
        .then(pl.lit("failure")),
        # In front of the module's own words stands its name.
        "event.reason": e.present(raw["reason"].str.replace(r"^[a-z_0-9]+: ", "")),
    }


@source.derive
def parties(raw: Raw) -> dict[str, pl.Expr]:
    """Who signed in, with which device, at which access server."""
    # Behind a slash stands a password, or how it was given: `<via Auth-Type = eap>`.
    computer = raw["who"].str.extract(r"^host/([^/\s]+)")
    who = pl.when(computer.is_null()).then(raw["who"].str.extract(r"^([^/]*)"))
    parts = who.str.extract_groups(r"^(?:([^\\]+)\\+)?([^@]+)(?:@(.+))?$").struct
    mac = raw["cli"].str.extract_groups(_MAC).struct
    octets = pl.concat_str([mac.field(str(n)) for n in range(1, 7)], separator="-").str.to_uppercase()
    return {
        "user.name": parts.field("2"),
        "user.domain": e.first(parts.field("1"), parts.field("3")),
        "user.email": pl.when(parts.field("3").is_not_null()).then(who),
        "source.domain": computer,
        "source.mac": octets,
        "source.ip": e.first(raw["src"], e.ip(raw["cli"])),
        "host.name": e.first(raw["client"], raw["server"], pl.col("header.host")),
        "observer.hostname": pl.col("header.host"),
        "network.protocol": pl.when(raw["tunnel"].str.contains("TLS"))
        .then(pl.lit("tls"))
        .otherwise(pl.lit("radius")),
        "process.pid": pl.col("header.pid"),
    }
