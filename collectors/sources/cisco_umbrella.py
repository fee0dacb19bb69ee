"""Cisco Umbrella: DNS and proxy (secure web gateway) logs as exported to a bucket.

Source: Cisco Umbrella, "DNS Log Formats" and "Web Log Formats", version 1 to 13; later versions only add columns behind.
Times are UTC. The query type is written as `1 (A)`, a person of the directory as `Name (address@domain)`. The host of a
web log is Cisco's proxy that saw the request, ECS's host on which the event happened.
"""

import polars as pl

from collectors import expressions as e
from collectors import times
from collectors.shapes import rows
from collectors.source import Raw, Source

source = Source(
    name="cisco.umbrella",
    title={"ja": "Cisco Umbrella(DNS・プロキシ)", "en": "Cisco Umbrella (DNS, proxy)"},
    zone_hint="internet",
    shape=rows(9, header=True),
    recognise=(
        r'(?:^|[\s:])"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d","[^"]*","[^"]*","[^"]*","[^"]*",'
        r'(?:"(?:Allowed|Blocked|Proxied)","|"[^"]*","(?:ALLOWED|BLOCKED)",)'
    ),
    constants={"event.kind": "event", "observer.vendor": "Cisco", "observer.product": "Umbrella"},
    leftovers="cisco.umbrella",
)
_DNS = {
    "c2": "identities",
    "c9": "categories",
    "c10": "identity_type",
    "c11": "identity_types",
    "c12": "blocked_categories",
    "c14": "destination_countries",
}
_PROXY = {
    "c5": "content_type",
    "c15": "categories",
    "c16": "av_detections",
    "c17": "puas",
    "c18": "amp_disposition",
    "c19": "amp_malware",
    "c21": "identity_type",
    "c22": "blocked_categories",
    "c23": "identities",
    "c24": "identity_types",
    "c26": "dlp_status",
    "c27": "certificate_errors",
    "c29": "ruleset_id",
    "c32": "isolate_action",
    "c33": "file_action",
    "c34": "warn_status",
    "c41": "data_center",
}
_DONE = [f"c{n}" for n in range(250)]
source.ignore = _DONE


@source.derive
def either(raw: Raw) -> dict[str, pl.Expr]:
    """DNS has its action in the sixth column, a proxy line its verdict in the seventh."""
    dns = raw["c5"].is_in(["Allowed", "Blocked", "Proxied"])
    verdict = pl.when(dns).then(raw["c5"]).otherwise(raw["c6"]).str.to_uppercase()
    blocked = verdict == "BLOCKED"
    found = {**_dns(raw, dns), **_proxy(raw, ~dns), **_leftovers(raw, dns)}
    return {
        **found,
        "@timestamp": e.time_or(times.parsed(raw["c0"], ["%Y-%m-%d %H:%M:%S"], "UTC")),
        "user.name": e.present(raw["c1"]),
        "user.email": raw["c1"].str.extract(r"\(([^()\s@]+@[^()\s@]+)\)\s*$"),
        "rule.id": e.present(pl.when(dns).then(raw["c13"]).otherwise(raw["c30"])),
        "organization.id": e.present(pl.when(dns).then(raw["c15"]).otherwise(raw["c48"])),
        "source.ip": e.ip(pl.when(dns).then(raw["c3"]).otherwise(raw["c2"])),
        "source.nat.ip": e.ip(pl.when(dns).then(raw["c4"]).otherwise(raw["c3"])),
        "event.action": verdict.str.to_lowercase(),
        "event.category": pl.when(dns).then(e.texts("network")).otherwise(e.texts("web", "network")),
        "event.type": pl.when(blocked)
        .then(pl.when(dns).then(e.texts("protocol", "denied")).otherwise(e.texts("access", "denied")))
        .otherwise(pl.when(dns).then(e.texts("protocol", "allowed")).otherwise(e.texts("access", "allowed"))),
        "network.protocol": pl.when(dns).then(pl.lit("dns")),
        "observer.type": pl.when(dns).then(pl.lit("dns")).otherwise(pl.lit("proxy")),
    }


def _dns(raw: Raw, dns: pl.Expr) -> dict[str, pl.Expr]:
    code = raw["c7"]
    return {
        "dns.question.name": pl.when(dns).then(raw["c8"].str.strip_suffix(".")),
        "dns.question.type": pl.when(dns).then(raw["c6"].str.extract(r"\(([^)]+)\)")),
        "dns.response_code": pl.when(dns).then(code),
        "event.outcome": pl.when(dns & (code == "NOERROR"))
        .then(pl.lit("success"))
        .when(dns)
        .then(pl.lit("failure"))
        .when(e.whole(raw["c10"]) >= 400)
        .then(pl.lit("failure"))
        .otherwise(pl.lit("success")),
    }


def _proxy(raw: Raw, proxy: pl.Expr) -> dict[str, pl.Expr]:
    address = e.url_columns(pl.when(proxy).then(e.present(raw["c7"])))
    table = {
        "destination.ip": e.ip(raw["c4"]),
        "http.request.referrer": e.present(raw["c8"]),
        "user_agent.original": e.present(raw["c9"]),
        "http.response.status_code": raw["c10"],
        "http.request.bytes": raw["c11"],
        "http.response.bytes": raw["c12"],
        "http.response.body.bytes": raw["c13"],
        "file.hash.sha256": e.present(raw["c14"]),
        "http.request.method": e.present(raw["c25"]),
        "file.name": e.present(raw["c28"]),
        "host.name": e.present(raw["c40"]),
        "observer.hostname": e.present(raw["c40"]),
        "tls.client.server_name": e.present(raw["c43"]),
        "http.response.mime_type": e.present(raw["c5"]),
    }
    found = {name: pl.when(proxy).then(value) for name, value in table.items()}
    return {**address, **found, "destination.domain": address["url.domain"]}


def _leftovers(raw: Raw, dns: pl.Expr) -> dict[str, pl.Expr]:
    names = sorted({*_DNS.values(), *_PROXY.values()})
    kept = {}
    for name in names:
        columns = [next((c for c, n in table.items() if n == name), "") for table in (_DNS, _PROXY)]
        kept[f"cisco.umbrella.{name}"] = e.present(
            pl.when(dns).then(raw[columns[0]]).otherwise(raw[columns[1]])
        )
    return kept


source.refine(e.related)
