"""ISC BIND 9: query, answer, security, response-policy, resolver and zone-transfer logs.

Source: BIND 9 Administrator Reference Manual, "logging" (categories and the query log's flags: + recursion
asked, S signed, E EDNS, T TCP, D DNSSEC, C checking disabled, V and K cookie).
"""

import polars as pl
from polars.expr.struct import ExprStructNameSpace as _Fields

from collectors import expressions as e
from collectors.shapes import lines
from collectors.source import Raw, Source

_LEVELS = "critical|error|warning|notice|info|debug(?: \\d+)?"
_CHANNEL = (
    rf"^\s*(?:(?P<clock>\d\d-[A-Z][a-z]{{2}}-\d{{4}} \d\d:\d\d:\d\d\.\d{{3}}) )"
    rf"?(?:(?P<channel>[a-z][a-z-]+): )?(?:(?P<level>{_LEVELS}): )?"
)
_CLIENT = (
    r"client (?:@0x[0-9a-f]+ )?(?P<client>[0-9A-Fa-f.:]+(?:%\w+)?)#(?P<port>\d+)(?:/key "
    r"(?P<key>\S+))?(?: \((?P<shown>[^)]*)\))?: (?:view (?P<view>\S+): )?"
)
_ASKED = (
    r"(?P<what>query|answer|response): (?P<name>\S+) (?P<class>IN|CH|HS|ANY|CLASS\d+|NONE) "
    r"(?P<type>\S+) (?P<flags>[+-]\S*)(?: \((?P<server>[0-9A-Fa-f.:]+)\))?(?: -> "
    r"(?P<code>[A-Z]+)(?: (?P<counts>\d.*))?)?"
)
_REFUSED = (
    r"(?:(?P<what>query(?: \(cache\))?|zone transfer|update|recursion)[^']*'(?P<zone>[^']*)' )"
    r"?(?P<result>denied|approved|refused)"
)
_POLICY = (
    r"rpz (?P<trigger>\S+) (?P<policy>\S+) rewrite (?P<name>[^\s/]+)(?:/(?P<type>\w+)"
    r"/(?P<class>\w+))?(?:/(?P<type2>\w+)/(?P<class2>\w+))? via (?P<rule>\S+)"
)
_RESOLVE = (
    r"resolving '(?P<name>[^'/]*)(?:/(?P<type>[^'/]+))?(?:/(?P<class>[^'/]+))?'(?: \(in "
    r"'[^']*'\?\))?: (?P<server>[0-9A-Fa-f.:]+)#(?P<port>\d+)"
)
_VALIDATE = r"validating @?(?:0x[0-9a-f]+: )?(?P<name>[^\s/]+)/(?P<type>[A-Z0-9]+): (?P<reason>.*)"
_TRANSFER = (
    r"transfer of '(?P<zone>[^'/]+)(?:/(?P<class>\w+))?(?:/\w+)?' from "
    r"(?P<server>[0-9A-Fa-f.:]+)#(?P<port>\d+): (?P<reason>.*)"
)
_ZONE = r"^zone (?P<zone>[^\s/]+)(?:/(?P<class>\w+))?(?:/\w+)?: (?P<reason>.*)"
_OURS = (
    r"client (?:@0x[0-9a-f]+ )?[0-9A-Fa-f.:%]+\S*#\d+|^\s*(?:[\w-]+: )*(?:validating |lame "
    r"server resolving|[\w ]+ resolving '|rpz: |zone \S+: |transfer of ')"
)

source = Source(
    name="isc.bind",
    title={"ja": "BIND(DNS サーバ)", "en": "ISC BIND name server"},
    shape=lines(_OURS),
    recognise=(
        r"\bclient (?:@0x[0-9a-f]+ )?[0-9A-Fa-f.:]+#\d+ \(.*\): (?:query|answer|response|rpz)"
        r"|\bnamed(?:\[\d+\])?: "
    ),
    constants={"observer.vendor": "ISC", "observer.product": "BIND", "network.protocol": "dns"},
    ignore=("text",),
)


@source.derive
def common(raw: Raw) -> dict[str, pl.Expr]:
    """Time, level, and what the line tells of."""
    text = raw["text"]
    head = text.str.extract_groups(_CHANNEL).struct
    clock = head.field("clock").str.to_datetime("%d-%b-%Y %H:%M:%S%.3f", time_unit="ns", strict=False)
    return {
        "@timestamp": e.time_or(pl.col("header.timestamp"), e.local(clock)),
        "host.name": pl.col("header.host"),
        "process.name": e.first(pl.col("header.app"), pl.lit("named")),
        "process.pid": pl.col("header.pid"),
        "log.level": head.field("level"),
        "isc.bind.category": head.field("channel"),
        "message": text.str.strip_chars(),
    }


@source.derive
def questions(raw: Raw) -> dict[str, pl.Expr]:
    """Who asked what: queries, answers, refusals, policy rewrites, and the resolver's own troubles."""
    text = raw["text"]
    client, asked = text.str.extract_groups(_CLIENT).struct, text.str.extract_groups(_CLIENT + _ASKED).struct
    policy, refused = (
        text.str.extract_groups(_POLICY).struct,
        text.str.extract_groups(_CLIENT + _REFUSED).struct,
    )
    sought, checked = text.str.extract_groups(_RESOLVE).struct, text.str.extract_groups(_VALIDATE).struct
    moved, zone = (
        text.str.extract_groups(_TRANSFER).struct,
        text.str.replace(_CHANNEL, "").str.extract_groups(_ZONE).struct,
    )
    name = pl.coalesce(
        asked.field("name"),
        policy.field("name"),
        sought.field("name"),
        checked.field("name"),
        refused.field("zone").str.extract(r"^([^/]+)"),
        e.present(client.field("shown")),
    )
    flags = asked.field("flags")
    return {
        "source.ip": pl.coalesce(client.field("client"), sought.field("server"), moved.field("server")),
        "source.port": pl.coalesce(client.field("port"), sought.field("port"), moved.field("port")),
        "destination.ip": asked.field("server"),
        "dns.question.name": name,
        "dns.question.type": pl.coalesce(*(part.field("type") for part in (asked, policy, sought, checked))),
        "dns.question.class": pl.coalesce(*(part.field("class") for part in (asked, policy, sought))),
        "dns.response_code": asked.field("code"),
        "dns.type": pl.when(asked.field("what") == "query")
        .then(pl.lit("query"))
        .when(asked.field("what").is_not_null())
        .then(pl.lit("answer")),
        "isc.bind.flags": flags,
        "isc.bind.view": client.field("view"),
        "isc.bind.zone": pl.coalesce(moved.field("zone"), zone.field("zone")),
        "rule.name": policy.field("rule"),
        "network.transport": pl.when(flags.str.contains("T", literal=True))
        .then(pl.lit("tcp"))
        .when(flags.is_not_null() & (asked.field("what") == "query"))
        .then(pl.lit("udp")),
        "event.reason": pl.coalesce(checked.field("reason"), moved.field("reason"), zone.field("reason")),
        **_meaning(asked, policy, refused, moved, zone, text),
    }


def _meaning(
    asked: _Fields, policy: _Fields, refused: _Fields, moved: _Fields, zone: _Fields, text: pl.Expr
) -> dict[str, pl.Expr]:
    """event.*: a question is network/protocol; a refusal is denied; a transfer is configuration of a zone."""
    failed = text.str.contains(
        r"(?i)\bfail|refused|unreachable|lame server|no valid signature|timed out|denied"
    )
    kind = (
        pl.when(asked.field("what").is_not_null())
        .then(asked.field("what"))
        .when(policy.field("policy").is_not_null())
        .then(pl.lit("policy-rewrite"))
        .when(refused.field("result").is_not_null())
        .then(pl.concat_str(pl.lit("request-"), refused.field("result")))
        .when(moved.field("zone").is_not_null())
        .then(pl.lit("zone-transfer"))
        .when(zone.field("zone").is_not_null())
        .then(pl.lit("zone"))
        .otherwise(pl.lit("resolver"))
    )
    code = asked.field("code")
    denied = (refused.field("result") != "approved") & refused.field("result").is_not_null()
    return {
        "event.kind": pl.lit("event"),
        "event.action": kind,
        "event.category": e.texts("network"),
        "event.type": pl.when(denied)
        .then(e.texts("protocol", "denied"))
        .otherwise(e.texts("protocol", "info")),
        "event.outcome": pl.when(code.is_not_null() & code.is_in(["NOERROR", "NXDOMAIN"]).not_() | failed)
        .then(pl.lit("failure"))
        .otherwise(pl.lit("success")),
    }


source.refine(e.related)
