"""Cisco Umbrella: DNS, proxy (secure web gateway), cloud firewall, IP and admin audit logs as exported to a bucket.

Source: Cisco Umbrella, "DNS Log Formats", "Web Log Formats" and "Cloud Firewall Log Formats", "IP Log Formats",
"Admin Audit Log Formats", version 1 to 13; later versions only add columns behind.
Times are UTC. The query type is written as `1 (A)`, a person of the directory as `Name (address@domain)`. The host of a
web log is Cisco's proxy that saw the request, ECS's host on which the event happened.
"""

from collections.abc import Callable

import polars as pl

from collectors import expressions as e
from collectors import times
from collectors.shapes import rows
from collectors.source import Raw, Source

source = Source(
    name="cisco.umbrella",
    title={
        "ja": "Cisco Umbrella(DNS・プロキシ・ファイアウォール)",
        "en": "Cisco Umbrella (DNS, proxy, firewall)",
    },
    zone_hint="internet",
    shape=rows(7, header=True),
    always=r'^[^{,]*(?:,\s*)?"?\d{4}-\d\d-\d\d \d\d:\d\d:\d\d"?\s*,|^[^{]*"(?:Allowed|Blocked|Proxied)",',
    recognise=(
        r'(?:^|[\s:])"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d","[^"]*","[^"]*","[^"]*","[^"]*",'
        r'(?:"(?:Allowed|Blocked|Proxied)","|"[^"]*","(?:ALLOWED|BLOCKED)",)'
        r'|"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d","[^"]*","[\d.]+","\d+","[\d.]+","\d+","[^"]*","'
        r'|^"\d+","\d{4}-\d\d-\d\d \d\d:\d\d:\d\d","[^"@]+@[^"]+","[^"]*","'
        r'|"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d",\s*"\[[^"]*\]",\s*"[^"]*",\s*"CDFW Tunnel Device",'
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


_FIREWALL = {
    "c1": "origin_ids",
    "c2": "identities",
    "c3": "identity_type",
    "c11": "data_center",
    "c14": "fqdns",
    "c15": "destination_lists",
    "c22": "fw_event_id",
    "c24": "app_id",
}


_CLOCK = ["%Y-%m-%d %H:%M:%S"]
_PORT = r"^\d{1,5}$"


@source.derive
def kinds(raw: Raw) -> dict[str, pl.Expr]:
    """An audit row has a number before its time, a row of the IP log a port behind each of two addresses."""
    audit = times.parsed(raw["c1"], _CLOCK, "UTC").is_not_null()
    ends = raw["c3"].str.contains(_PORT) & raw["c5"].str.contains(_PORT) & e.ip(raw["c4"]).is_not_null()
    usual, by_address, deed = _traffic(raw), _by_address(raw), _deed(raw)
    columns = {}
    for name in {**usual, **by_address, **deed}:
        rest = usual.get(name, e.nothing())
        columns[name] = (
            pl.when(audit.fill_null(False))
            .then(deed.get(name, pl.lit(None)))
            .when(ends.fill_null(False))
            .then(by_address.get(name, pl.lit(None)))
            .otherwise(rest)
        )
    return columns


def _by_address(raw: Raw) -> dict[str, pl.Expr]:
    """Traffic that went to an address without asking for a name, and was stopped."""
    return {
        "@timestamp": times.parsed(raw["c0"], _CLOCK, "UTC"),
        "user.name": e.present(raw["c1"]),
        "source.ip": e.ip(raw["c2"]),
        "source.port": raw["c3"],
        "destination.ip": e.ip(raw["c4"]),
        "destination.port": raw["c5"],
        "cisco.umbrella.categories": e.present(raw["c6"]),
        "cisco.umbrella.identity_type": e.present(raw["c7"]),
        "event.category": e.texts("network"),
        "event.type": e.texts("connection", "info"),
        "observer.type": pl.lit("firewall"),
    }


def _deed(raw: Raw) -> dict[str, pl.Expr]:
    """What an administrator changed: id, time, address, name, what, the act, from where, before, after."""
    act = raw["c5"].str.to_lowercase()
    kinds = {"create": "creation", "delete": "deletion"}
    return {
        "@timestamp": times.parsed(raw["c1"], _CLOCK, "UTC"),
        "user.email": e.present(raw["c2"]),
        "user.name": e.first(e.present(raw["c2"]), e.present(raw["c3"])),
        "user.full_name": e.present(raw["c3"]),
        "event.action": act,
        "event.category": e.texts("configuration"),
        "event.type": e.mapped(act, kinds).fill_null("change").str.split(","),
        "source.ip": e.ip(raw["c6"]),
        "cisco.umbrella.changed": e.present(raw["c4"]),
        "cisco.umbrella.before": e.present(raw["c7"]),
        "cisco.umbrella.after": e.present(raw["c8"]),
    }


def _traffic(raw: Raw) -> dict[str, pl.Expr]:
    """DNS has its action in the sixth column, a firewall line its direction in the fifth; a proxy line its verdict in
    the seventh."""
    dns = raw["c5"].is_in(["Allowed", "Blocked", "Proxied"]).fill_null(False)
    wall = ~dns & raw["c4"].str.to_uppercase().is_in(["INBOUND", "OUTBOUND"]).fill_null(False)
    proxy = ~dns & ~wall

    def of(of_dns: pl.Expr, of_wall: pl.Expr, of_proxy: pl.Expr) -> pl.Expr:
        return pl.when(dns).then(of_dns).when(wall).then(of_wall).otherwise(of_proxy)

    verdict = of(raw["c5"], raw["c13"], raw["c6"]).str.to_lowercase()
    action = verdict.replace({"allow": "allowed", "block": "blocked"})
    told = [
        pl.when(action == "blocked").then(e.texts(kind, "denied")).otherwise(e.texts(kind, "allowed"))
        for kind in _TYPES
    ]
    found = {**_dns(raw, dns, proxy), **_proxy(raw, proxy), **_leftovers(raw, of)}
    found |= {name: pl.when(wall).then(value) for name, value in _wall(raw).items()}
    nothing = e.nothing()
    return {
        **found,
        "@timestamp": e.time_or(times.parsed(raw["c0"], _CLOCK, "UTC")),
        "user.name": pl.when(~wall).then(e.present(raw["c1"])),
        "user.email": pl.when(~wall).then(raw["c1"].str.extract(r"\(([^()\s@]+@[^()\s@]+)\)\s*$")),
        "rule.id": e.present(of(raw["c13"], raw["c12"], raw["c30"])),
        "organization.id": e.present(of(raw["c15"], raw["c33"], raw["c48"])),
        "source.ip": e.first(
            e.ip(of(raw["c3"], raw["c7"], raw["c2"])), e.ip(of(raw["c4"], nothing, raw["c3"]))
        ),
        "source.nat.ip": e.ip(of(raw["c4"], nothing, raw["c3"])),
        "destination.ip": e.ip(of(nothing, raw["c9"], raw["c4"])),
        "event.action": action,
        "event.category": of(e.texts("network"), e.texts("network"), e.texts("web", "network")),
        "event.type": of(*told),
        "network.protocol": pl.when(dns).then(pl.lit("dns")),
        "observer.type": of(pl.lit("dns"), pl.lit("firewall"), pl.lit("proxy")),
    }


_TYPES = ("protocol", "connection", "access")


def _wall(raw: Raw) -> dict[str, pl.Expr]:
    return {
        "source.port": raw["c8"],
        "destination.port": raw["c10"],
        "network.iana_number": raw["c5"],
        "network.transport": e.first(e.transport(raw["c5"]), raw["c5"].str.to_lowercase()),
        "network.direction": raw["c4"].str.to_lowercase(),
        "source.packets": raw["c18"],
        "destination.packets": raw["c19"],
        "source.bytes": e.first(e.present(raw["c20"]), raw["c6"]),
        "destination.bytes": raw["c21"],
        "destination.geo.country_iso_code": e.present(raw["c23"]).str.to_uppercase(),
    }


def _dns(raw: Raw, dns: pl.Expr, proxy: pl.Expr) -> dict[str, pl.Expr]:
    code = raw["c7"]
    return {
        "dns.question.name": pl.when(dns).then(raw["c8"].str.strip_suffix(".")),
        "dns.question.type": pl.when(dns).then(raw["c6"].str.extract(r"\(([^)]+)\)")),
        "dns.response_code": pl.when(dns).then(code),
        "event.outcome": pl.when(dns & (code == "NOERROR"))
        .then(pl.lit("success"))
        .when(dns)
        .then(pl.lit("failure"))
        .when(proxy & (e.whole(raw["c10"]) >= 400))
        .then(pl.lit("failure"))
        .when(proxy)
        .then(pl.lit("success")),
    }


def _proxy(raw: Raw, proxy: pl.Expr) -> dict[str, pl.Expr]:
    address = e.url_columns(pl.when(proxy).then(e.present(raw["c7"])))
    table = {
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


def _leftovers(raw: Raw, of: Callable[[pl.Expr, pl.Expr, pl.Expr], pl.Expr]) -> dict[str, pl.Expr]:
    kept = {}
    for name in sorted({*_DNS.values(), *_FIREWALL.values(), *_PROXY.values()}):
        columns = [
            next((c for c, n in table.items() if n == name), "") for table in (_DNS, _FIREWALL, _PROXY)
        ]
        of_dns, of_wall, of_proxy = (raw[column] for column in columns)
        kept[f"cisco.umbrella.{name}"] = e.present(of(of_dns, of_wall, of_proxy))
    return kept
