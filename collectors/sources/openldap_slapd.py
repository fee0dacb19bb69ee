"""OpenLDAP's slapd: connections and operations at log level `stats`.

Facts: slapd.conf(5) `loglevel`, OpenLDAP Administrator's Guide, "Logging"; result codes: RFC 4511. A refused
bind is told by the RESULT with tag 97 of the same `conn` and `op`; its address by the ACCEPT of the same `conn`.
`user.name` is the first part of the distinguished name, `user.domain` the values of what is above it.
"""

import polars as pl

from collectors import expressions as e
from collectors.shapes import patterns
from collectors.source import Raw, Source

_CONN = r"^(?:[0-9a-f]{8}(?:\.[0-9a-f]{8} 0x[0-9a-f]+)? )?conn=(?P<conn>-?\d+) "
_DN = r'"(?P<dn>(?:[^"\\]|\\.)*)"'
_TABLE = {
    "accept": (
        _CONN + r"fd=(?P<fd>\d+) (?P<action>ACCEPT) from (?:IP=\[?(?P<src>[0-9A-Fa-f.:]+?)\]?:(?P<port>\d+)|PATH=(?P<path>\S+)) "
        r"\((?:IP=\[?(?P<dst>[0-9A-Fa-f.:]+?)\]?:(?P<dport>\d+)|PATH=\S+)\)"
    ),
    "closed": _CONN + r"fd=(?P<fd>\d+) (?P<action>closed)(?: \((?P<reason>.*)\))?",
    "tls": _CONN + r"fd=(?P<fd>\d+) (?P<action>TLS established) .*?(?:tls_proto=(?P<tls>\S+))?(?: tls_cipher=(?P<cipher>\S+))?$",
    "result": (
        _CONN + r"op=(?P<op>\d+) (?P<action>(?:SEARCH )?RESULT)(?: tag=(?P<tag>\d+))?(?: oid=(?P<oid>\S*))? "
        r"err=(?P<err>\d+)(?: qtime=\S+)?(?: etime=(?P<etime>\S+))?(?: nentries=(?P<entries>\d+))? text=(?P<reason>.*)$"
    ),
    "search": (
        _CONN + r'op=(?P<op>\d+) (?P<action>SRCH) base="(?P<base>(?:[^"\\]|\\.)*)" scope=(?P<scope>\S+)'
        r'(?: deref=(?P<deref>\d+))? filter="(?P<filter>.*)"'
    ),
    "named": _CONN + rf"op=(?P<op>\d+) (?P<action>BIND|MOD|ADD|DEL|MODRDN|CMP) dn={_DN}"
    r"(?: method=(?P<method>\d+))?(?: mech=(?P<mech>\S+))?",
    "passwords": _CONN + r'op=(?P<op>\d+) (?P<action>PASSMOD)(?: id="(?P<dn>(?:[^"\\]|\\.)*)")?',
    "operation": _CONN + r"op=(?P<op>\d+) (?P<action>[A-Z]+)(?: (?P<rest>.*))?$",
}  # fmt: skip
_BIND_RESULT = "97"

source = Source(
    name="openldap.slapd",
    title={"ja": "OpenLDAP（slapd）", "en": "OpenLDAP (slapd)"},
    shape=patterns(_TABLE, ("slapd",)),
    recognise=(
        r"\bconn=-?\d+ (?:fd=\d+ (?:ACCEPT from|closed|TLS est)"
        r"|op=\d+ (?:BIND|SRCH|RESULT|SEARCH RESULT|MOD|ADD|DEL|UNBIND|EXT|CMP|PASSMOD)\b)"
    ),
    leftovers="openldap",
    constants={"event.kind": "event", "network.protocol": "ldap", "network.transport": "tcp"},
    rename={
        "text": "message",
        "src": "source.ip",
        "port": "source.port",
        "dst": "destination.ip",
        "dport": "destination.port",
        "cipher": "tls.cipher",
        "tls": "tls.version",
    },
    ignore=("reason", "pattern", "action"),
)
_CHANGES = {
    "MOD": ["change"],
    "MODRDN": ["change"],
    "ADD": ["creation"],
    "DEL": ["deletion"],
    "PASSMOD": ["change"],
}
_TYPES = {
    **_CHANGES,
    "ACCEPT": ["connection", "start"],
    "closed": ["connection", "end"],
    "BIND": ["start"],
    "UNBIND": ["end"],
    "SRCH": ["access"],
    "CMP": ["access"],
}


@source.derive
def meaning(raw: Raw) -> dict[str, pl.Expr]:
    """event.* by operation; the result of a bind is a sign-in that worked (0) or did not (49: wrong password)."""
    action, code = raw["action"], raw["err"]
    signs_in = action.is_in(["BIND", "UNBIND"]) | (raw["tag"] == _BIND_RESULT)
    return {
        "@timestamp": e.time_or(pl.col("header.timestamp")),
        "event.action": action.str.to_lowercase().str.replace_all(" ", "-"),
        "event.category": pl.when(signs_in)
        .then(e.texts("authentication"))
        .when(action == "PASSMOD")
        .then(e.texts("iam"))
        .when(action.is_in(list(_CHANGES)))
        .then(e.texts("configuration"))
        .otherwise(e.texts("network")),
        "event.type": pl.coalesce(
            pl.when(raw["tag"] == _BIND_RESULT).then(e.texts("start")),
            e.listed(action, _TYPES),
            e.texts("info"),
        ),
        "event.code": code,
        "event.outcome": pl.when(
            code.is_in(["0", "5", "6", "10", "14"])
        )  # compare's answers, referral, SASL goes on
        .then(pl.lit("success"))
        .when(code.is_not_null())
        .then(pl.lit("failure")),
        "event.reason": e.present(raw["reason"]),
    }


@source.derive
def parties(raw: Raw) -> dict[str, pl.Expr]:
    """The entry that signs in or is changed, and the server."""
    dn = raw["dn"]
    name = dn.str.extract(r"^[A-Za-z0-9.\-]+\s*=\s*((?:[^,\\]|\\.)+)").str.replace_all(r"\\(.)", "$1")
    above = dn.str.extract(r"^[^,]*,(.*)$").str.extract_all(r"(?:^|,)\s*[A-Za-z0-9.\-]+\s*=[^,]*")
    values = above.list.eval(pl.element().str.extract(r"=\s*(.*?)\s*$")).list.join(".")
    return {
        "user.name": name,
        "user.target.name": pl.when(raw["action"].is_in(list(_CHANGES))).then(name),
        "user.domain": pl.when(values != "").then(values),
        "host.name": pl.col("header.host"),
        "process.name": e.first(pl.col("header.app"), pl.lit("slapd")),
        "process.pid": pl.col("header.pid"),
    }
