"""Infoblox NIOS DDI: DNS queries and responses, and DHCP.

Source: Infoblox NIOS Administrator Guide, "Capturing DNS Queries and Responses" and "Viewing DHCP Logs". Its DNS is
BIND (texts: `collectors.isc.texts`), its DHCP ISC's (`collectors.isc.dhcp`); responses are written its own way.
"""

import re

import polars as pl

from collectors import expressions as e
from collectors import times
from collectors.isc import dhcp
from collectors.isc.texts import TABLE
from collectors.shapes import patterns
from collectors.source import Raw, Source

_IP = r"[0-9A-Fa-f]*[.:][0-9A-Fa-f.:]*"
_CLOCK = r"(?:(?P<clock>\d\d-[A-Z][a-z]{2}-\d{4} \d\d:\d\d:\d\d\.\d{3}) )?"
_MEMBER = (
    rf"^(?:(?:{_IP} )?(?:named|dhcpd|httpd)(?:\[\d*\])?: )?"  # a grid member's address before its program
)
_NAMING = ("named", "threat-protect-log")
_APPLIANCE = (
    *(
        "httpd",
        "serial_console",
        "-serial_console",
        "sshd",
        "python",
        "monitor",
        "logger",
        "kernel",
        "ntpd",
        "controld",
    ),
    *(
        "clusterd",
        "db_jnld",
        "snmptrapd",
        "snmpd",
        "watchdog",
        "rc6",
        "debug_mount",
        "scheduled_backups",
        "syslog-ng",
    ),
)
"""Programs of the appliance itself, whose lines tell of its state."""
_OWN = {
    "response": (
        rf"^{_CLOCK}client (?:@0x[0-9a-f]+ )?(?P<src>{_IP})#(?P<port>\d+)(?: \([^)]*\))?: (?:view (?P<view>\S+): )?"
        r"(?P<transport>UDP|TCP|TLS|HTTPS): (?P<what>query|response): (?P<name>\S+) (?P<class>\w+) (?P<type>\w+) "
        r"response: (?P<code>[A-Z]+) (?P<flags>[+-]\S*)(?: (?P<data>.*))?$"
    ),
    "threat": (
        rf"^(?P<reason>[A-Z][A-Z ]*?) resolving '(?P<name>[^'/]+)/(?P<type>\w+)/(?P<class>\w+)': (?P<dst>{_IP})#(?P<dport>\d+)$"
    ),
    "rewritten": (
        r"(?:CEF:)? ?0\|Infoblox\|NIOS\|[^|]*\|(?P<rule>[^|]*)\|(?P<verdict>[^|]*)\|\d+\|app=DNS dst=(?P<dst>\S+) src=(?P<src>\S+)"
        r' spt=(?P<port>\d+) view=(?P<view>\S+) qtype=(?P<type>\S+) msg="(?P<told>rpz \S+ \S+ rewrite (?P<name>\S+) [^"]*)"'
    ),
    "attack": (
        r"(?:CEF:)? ?0\|Infoblox\|NIOS Threat\|[^|]*\|(?P<rule_id>[^|]*)\|(?P<rule>[^|]*)\|\d+\|src=(?P<src>\S+) spt=(?P<port>\d+) "
        r'dst=(?P<dst>\S+) dpt=(?P<dport>\d+) act="(?P<verdict>[^"]*)"(?: cat="(?P<kind>[^"]*)")?(?:.*? fqdn=(?P<name>\S+))?'
    ),
    "audit": (
        r"^(?P<moment>\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3}Z) \[(?P<user>[^\]]+)\]: (?P<deed>\w+)"
        r"(?: (?P<object>[^\s]+))?(?: .*?)?(?:\bip\\?=(?P<near>[0-9A-Fa-f.:]+).*)?$"
    ),
    "protection": r"^\[\d+\] <(?P<level>\w+)> -- (?P<said>.*)$",
    **dhcp.TABLE,
}

source = Source(
    name="infoblox.ddi",
    title={"ja": "Infoblox DDI(DNS・DHCP)", "en": "Infoblox DDI (DNS, DHCP)"},
    shape=patterns(
        {name: re.sub(r"^\^", lambda _: _MEMBER, text) for name, text in {**_OWN, **TABLE}.items()},
        (*_NAMING, "dhcpd", *_APPLIANCE),
    ),
    recognise=(
        r"\bclient \S+#\d+(?: \([^)]*\))?: (?:view \S+: )?(?:UDP|TCP): (?:query|response): \S+ \w+ \w+ response: "
        r"|CEF:0\|Infoblox\||^\S* ?\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3}Z \[[^\]]+\]: (?:Login|Logout|Created|Modified|Deleted|First_Login)"
        r"|\bDHCP[A-Z]+ .* TransID |\br-l-e:|\bthreat-protect-log(?:\[\d+\])?: |\bDHCP(?:ACK|OFFER) on \S+ to \S+ .*\blease-duration \d"
        r"|\b(?:httpd|serial_console|sshd\[\d+\]): \d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3}Z \[[^\]]+\]: "
    ),
    leftovers="infoblox",
    constants={"event.kind": "event", "observer.vendor": "Infoblox", "observer.product": "NIOS"},
    rename={
        "port": "source.port",
        "dport": "destination.port",
        "type2": "dns.question.type",
        "class": "dns.question.class",
        "class2": "dns.question.class",
        "view2": "infoblox.view",
        "text": "message",
        "level": "log.level",
    },
    ignore=(
        *("clock", "name", "type", "shown", "what", "code", "code2", "after", "pattern", "src", "transport"),
        *("action", "lease", "mac", "client", "via", "rest", "reason", "server", "sent", "turned"),
        *("moment", "user", "deed", "near", "rule", "told", "said", "dst", "rule_id", "kind"),
    ),
)
_ANSWER = rf"\bIN (?:A|AAAA) {_IP}"
_AUDITED = {
    "created": "creation",
    "deleted": "deletion",
    "modified": "change",
    "login_allowed": "start",
    "login_denied": "start",
    "first_login": "start",
    "logout": "end",
}


def _audited(deed: pl.Expr) -> pl.Expr:
    """event.type of an administrator's act."""
    kind = e.mapped(deed.str.to_lowercase(), _AUDITED)
    return pl.concat_list(e.first(kind, pl.lit("info")))


_DHCP = list(dhcp.TABLE)


@source.derive
def dns(raw: Raw) -> dict[str, pl.Expr]:
    """A question or its answer; over the clock of the query log, else the header's."""
    clock = times.parsed(raw["clock"], ["%d-%b-%Y %H:%M:%S%.3f"], "UTC")
    audit, deed = raw["pattern"] == "audit", raw["deed"]
    refused = deed.str.contains(r"(?i)denied|fail")
    leased, ours = dhcp.columns(raw), raw["pattern"].is_in(_DHCP)
    code = e.first(raw["code"], raw["code2"])
    asked = raw["name"].is_not_null()
    attack = (raw["pattern"] == "attack").fill_null(False)
    named = (raw["pattern"] != "other") | pl.col("header.app").is_in(_NAMING)
    barred = attack & (raw["verdict"] == "DROP") | (raw["result"] == "denied").fill_null(False)
    over = pl.when(raw["flags"].str.contains("T", literal=True)).then(pl.lit("tcp"))
    either = {
        "source.ip": e.first(raw["src"], raw["near"]),
        "event.action": pl.when(audit)
        .then(deed.str.to_lowercase())
        .when(asked)
        .then(e.first(pl.when(attack).then(raw["verdict"].str.to_lowercase()), raw["what"], pl.lit("query"))),
        "event.category": pl.when(audit & deed.str.contains("(?i)^(?:First_)?Log"))
        .then(e.texts("authentication"))
        .when(audit)
        .then(e.texts("configuration"))
        .when(attack)
        .then(e.texts("intrusion_detection", "network"))
        .when(~named)
        .then(e.texts("host"))
        .otherwise(e.texts("network")),
        "event.type": pl.when(audit)
        .then(_audited(deed))
        .when(~named)
        .then(e.texts("info"))
        .when(barred)
        .then(e.texts("protocol", "denied"))
        .otherwise(e.texts("protocol", "info")),
        "network.protocol": pl.when(~audit & named).then(pl.lit("dns")),
        "network.transport": e.first(raw["transport"].str.to_lowercase(), over),
        "event.reason": e.present(raw["reason"]),
    }
    told = {name: pl.when(ours).then(leased[name]).otherwise(value) for name, value in either.items()}
    return {
        **leased,
        **told,
        "destination.ip": e.first(raw["dst"], pl.when(asked).then(raw["server"])),
        "user.name": raw["user"].str.replace_all(r"\040", " ", literal=True),
        "rule.name": raw["rule"],
        "rule.id": raw["rule_id"],
        "rule.category": raw["kind"],
        "event.kind": pl.when(attack).then(pl.lit("alert")).otherwise(pl.lit("event")),
        "network.transport": pl.when(~ours).then(either["network.transport"]),
        "@timestamp": e.time_or(
            clock, times.parsed(raw["moment"], ["%Y-%m-%d %H:%M:%S%.3fZ"], "UTC"), pl.col("header.timestamp")
        ),
        "dns.question.name": raw["name"].str.strip_suffix("."),
        "dns.question.type": raw["type"],
        "dns.response_code": code,
        "dns.resolved_ip": raw["data"]
        .str.extract_all(_ANSWER)
        .list.eval(pl.element().str.extract(r"(\S+)$")),
        "dns.type": pl.when(asked & code.is_not_null())
        .then(pl.lit("answer"))
        .when(asked)
        .then(pl.lit("query")),
        "event.outcome": pl.when(code.is_in(["NOERROR", "NXDOMAIN"]).not_() | (raw["pattern"] == "threat"))
        .then(pl.lit("failure"))
        .when(audit & refused)
        .then(pl.lit("failure"))
        .when((raw["result"] == "denied") & ~attack)
        .then(pl.lit("failure"))
        .when(asked | audit)
        .then(pl.lit("success")),
        "host.name": pl.when(ours).then(e.present(raw["client"])).otherwise(pl.col("header.host")),
        "observer.hostname": pl.col("header.host"),
    }
