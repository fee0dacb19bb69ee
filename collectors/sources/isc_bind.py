"""ISC BIND 9: query, answer, security, response-policy, resolver, update and zone-transfer logs.

The texts and their sources are in `collectors.isc.texts`. Of a line about another server (a transfer, a
resolver's trouble) that server is the source: it is who spoke, or failed to.
"""

import polars as pl

from collectors import expressions as e
from collectors import times
from collectors.isc.texts import APPS, FAILED, TABLE
from collectors.narrow import DOCUMENT, Text, Verbatim
from collectors.shapes import patterns
from collectors.source import Raw, Source

_ACTIONS = {
    "policy": "policy-rewrite",
    "failure": "query-failed",
    "rate-limit": "rate-limited",
    "transfer-out": "zone-transfer",
    "transfer-in": "zone-transfer",
    "update": "zone-update",
    "notify": "notify",
    "client": "client",
    "resolution": "resolver",
    "validation": "validation",
    "policy-zone": "policy-zone",
    "zone": "zone",
    "server": "server",
    "channel": "server",
    "other": "server",
}
_CLOCKS = (times.ISO, "%d-%b-%Y %H:%M:%S%.3f")

source = Source(
    name="isc.bind",
    title={"ja": "BIND(DNS サーバ)", "en": "ISC BIND name server"},
    shape=patterns(TABLE, APPS),
    recognise=(
        r"\bclient (?:@0x[0-9a-f]+ )?[0-9A-Fa-f.:]+#\d+(?: \([^)]*\))?: "
        r"|\bnamed(?:\[\d+\])?: |\bresolving '[^']*': [0-9A-Fa-f.:]+#\d+"
    ),
    verbatim=Verbatim(
        columns={"dns.question.name": Text(), "dns.question.type": Text()},
        always=(DOCUMENT,),
        escapes=False,
        signs=" -~",
        own="a-z0-9_-",
    ),
    leftovers="isc.bind",
    constants={
        "event.kind": "event",
        "observer.vendor": "ISC",
        "observer.product": "BIND",
        "network.protocol": "dns",
    },
    rename={
        "src": "source.ip",
        "port": "source.port",
        "server": "destination.ip",
        "level": "log.level",
        "rule": "rule.name",
        "type": "dns.question.type",
        "type2": "dns.question.type",
        "class": "dns.question.class",
        "class2": "dns.question.class",
        "code": "dns.response_code",
        "code2": "dns.response_code",
        "view2": "isc.bind.view",
        "text": "message",
    },
    ignore=("clock", "name", "shown", "what", "reason", "after", "pattern"),
)


@source.derive
def common(raw: Raw) -> dict[str, pl.Expr]:
    """Time, host and process."""
    clocks = [times.parsed(raw["clock"], _CLOCKS, times.zone())] if "clock" in raw else []
    return {
        "@timestamp": e.time_or(*clocks, pl.col("header.timestamp")),
        "host.name": pl.col("header.host"),
        "process.name": e.first(pl.col("header.app"), pl.lit("named")),
        "process.pid": pl.col("header.pid"),
    }


@source.derive
def questions(raw: Raw) -> dict[str, pl.Expr]:
    """What was asked and how."""
    asked, flags = raw["pattern"] == "question", raw["flags"]
    return {
        "dns.question.name": e.first(raw["name"], e.present(raw["shown"])),
        "dns.type": pl.when(asked & (raw["what"] == "query"))
        .then(pl.lit("query"))
        .when(asked)
        .then(pl.lit("answer")),
        "network.transport": pl.when(flags.str.contains("T", literal=True))
        .then(pl.lit("tcp"))
        .when(flags.is_not_null() & (raw["what"] == "query"))
        .then(pl.lit("udp")),
    }


@source.derive
def meaning(raw: Raw) -> dict[str, pl.Expr]:
    """event.*: a question is network/protocol; a refusal, a rewrite and a rate limit deny it."""
    name, policy = raw["pattern"], raw["policy"]
    denied = (
        raw["result"].is_in(["denied", "refused"]) | (name == "rate-limit") | policy.ne_missing("PASSTHRU")
    )
    denied = denied & name.is_in(["refusal", "rate-limit", "policy"])
    allowed = (policy == "PASSTHRU") | (raw["result"] == "approved")
    code = e.first(raw["code"], raw["code2"])
    failed = code.is_in(["NOERROR", "NXDOMAIN"]).not_() | (
        (name != "question") & raw["text"].str.contains(FAILED)
    )
    return {
        "event.action": pl.when(name == "question")
        .then(raw["what"])
        .when(name == "refusal")
        .then(pl.concat_str(pl.lit("request-"), raw["result"]))
        .otherwise(e.mapped(name, _ACTIONS)),
        "event.category": e.texts("network"),
        "event.type": pl.when(denied)
        .then(e.texts("protocol", "denied"))
        .when(allowed)
        .then(e.texts("protocol", "allowed"))
        .otherwise(e.texts("protocol", "info")),
        "event.outcome": pl.when(failed.fill_null(False) & (name != "policy"))
        .then(pl.lit("failure"))
        .otherwise(pl.lit("success")),
        "event.reason": e.present(raw["reason"]),
    }
