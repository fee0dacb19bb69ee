"""Tenable Identity Exposure (formerly Alsid, Tenable.ad): deviances, changes and attacks, as syslog with quoted values.

Facts: Tenable, "Syslog and Email Alert Details": type "0" is a deviance, "1" a change of the directory (trail flow), "2" an
attack; behind the fixed values stand `"name"="value"` pairs that depend on the indicator.
"""

import polars as pl

from collectors import expressions as e
from collectors.shapes import patterns
from collectors.source import Raw, Source

_VALUE = r'"([^"]*)"'
_HEAD = r'^\s*"(?P<type>{})" "(?P<alert>[^"]*)" "(?P<forest>[^"]*)" "(?P<domain>[^"]*)"\s+'
_TABLE = {
    "deviance": (
        _HEAD.format(0) + r'"(?P<indicator>C-[^"]*)"\s+"(?P<severity>[^"]*)"\s+"(?P<object>[^"]*)"\s+"(?P<deviance>\d*)"\s+'
        r'"(?P<profile>\d*)"\s+"(?P<reason>R-[^"]*)"\s+"(?P<event>\d*)"(?P<more>(?s:.*))$'
    ),
    "attack": (
        _HEAD.format(2) + r'"(?P<indicator>[^"]*)"\s+"(?P<severity>[^"]*)"\s+"(?P<shost>[^"]*)"\s+"(?P<src>[^"]*)"\s+'
        r'"(?P<dhost>[^"]*)"\s+"(?P<dst>[^"]*)"(?P<more>(?s:.*))$'
    ),
    "change": _HEAD.format(1) + r'"(?P<object>[^"]*)"\s+"(?P<event>\d*)"\s+"(?P<reason>[^"]*)"(?P<more>(?s:.*))$',
}  # fmt: skip

source = Source(
    name="tenable.identity_exposure",
    title={"ja": "Tenable Identity Exposure(旧 Alsid)", "en": "Tenable Identity Exposure (Alsid)"},
    zone_hint="internal",
    shape=patterns(_TABLE, ("AlsidForAD", "TenableAD")),
    recognise=r'(?:^|\]: |> ?)"[012]" "\d+" "[^"]+" "[^"]+"\s+"',
    leftovers="tenable.identity",
    constants={"observer.vendor": "Tenable", "observer.product": "Identity Exposure"},
    rename={"indicator": "rule.name", "reason": "event.reason", "severity": "log.level", "event": "event.id"},
    ignore=("text", "type", "alert", "shost", "src", "dhost", "dst", "pattern"),
)
_WHO = ("UserCn", "TrusteeCn", "AccountCn", "user", "UserName", "Cn", "SamAccountName")


def _said(raw: Raw, name: str) -> pl.Expr:
    return e.present(raw["more"].str.extract(rf'"(?i:{name})"=+"+([^"]*)"'))


@source.derive
def finding(raw: Raw) -> dict[str, pl.Expr]:
    """What was found about whom; a deviance is a state, an attack has two ends."""
    kind, subject = raw["pattern"], raw["object"]
    named = e.first(*(_said(raw, name) for name in _WHO))
    share = subject.str.starts_with("\\\\")
    return {
        "@timestamp": e.time_or(pl.col("header.timestamp")),
        "event.kind": pl.when(kind == "change").then(pl.lit("event")).otherwise(pl.lit("alert")),
        "event.action": kind,
        "event.code": raw["alert"],
        "event.outcome": pl.when(kind == "change").then(pl.lit("success")),
        "event.category": pl.when(kind == "attack").then(e.texts("intrusion_detection"))
        .when(kind == "change").then(e.texts("iam")).otherwise(e.texts("configuration")),
        "event.type": pl.when(kind == "change").then(e.texts("change")).otherwise(e.texts("info")),
        "user.name": named.str.replace(r" \(.*\)$", ""),
        "user.domain": pl.when(named.is_not_null()).then(e.first(_said(raw, "UserDomain"), raw["domain"])),
        "user.id": _said(raw, "(?:User|Trustee)?Sid"),
        "file.path": pl.when(share).then(subject),
        "file.name": pl.when(share).then(subject.str.extract(r"([^\\]+)$")),
        "source.ip": e.ip(raw["src"]),
        "source.domain": e.present(raw["shost"]),
        "destination.ip": e.ip(raw["dst"]),
        "destination.domain": e.present(raw["dhost"]),
        "observer.hostname": pl.col("header.host"),
    }  # fmt: skip
