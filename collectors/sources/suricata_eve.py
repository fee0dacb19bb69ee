"""Suricata EVE JSON: alerts, flows, DNS, HTTP, TLS, SSH, files, anomalies, statistics.

Source: Suricata User Guide, "Eve JSON Format" (dns version 1 to 3). As Filebeat or Logstash pass it on, the record may
carry their own keys beside it, and the time as `@timestamp`. The sensor's own address is not in the record.
"""

import polars as pl

from collectors import expressions as e
from collectors import times
from collectors.shapes import json_fields
from collectors.source import Raw, Source

source = Source(
    name="suricata.eve",
    title={"ja": "Suricata(侵入検知)", "en": "Suricata intrusion detection"},
    zone_hint="perimeter",
    shape=json_fields(),
    recognise=r'^\s*\{.*"event_type"\s*:\s*"(?:alert|anomaly|dns|http|tls|ssh|flow|netflow|fileinfo|stats|smb|krb5|dhcp|smtp|rdp|quic|drop)"',
    leftovers="suricata.eve",
    constants={"observer.vendor": "OISF", "observer.product": "Suricata", "observer.type": "ids"},
    rename={
        "src_ip": "source.ip",
        "src_port": "source.port",
        "dest_ip": "destination.ip",
        "dest_port": "destination.port",
        "in_iface": "observer.ingress.interface.name",
        "community_id": "network.community_id",
        "app_proto": "network.application",
        "alert.signature": "rule.name",
        "alert.signature_id": "rule.id",
        "alert.category": "rule.category",
        "alert.rev": "rule.version",
        "dns.rrtype": "dns.question.type",
        "dns.rcode": "dns.response_code",
        "dns.id": "dns.id",
        "http.hostname": "url.domain",
        "http.http_method": "http.request.method",
        "http.status": "http.response.status_code",
        "http.http_user_agent": "user_agent.original",
        "http.http_refer": "http.request.referrer",
        "http.http_content_type": "http.response.mime_type",
        "tls.sni": "tls.client.server_name",
        "tls.subject": "tls.server.subject",
        "tls.issuerdn": "tls.server.issuer",
        "tls.ja3.hash": "tls.client.ja3",
        "tls.ja3s.hash": "tls.server.ja3s",
        "fileinfo.filename": "file.path",
        "fileinfo.size": "file.size",
        "fileinfo.md5": "file.hash.md5",
        "fileinfo.sha1": "file.hash.sha1",
        "fileinfo.sha256": "file.hash.sha256",
        "smtp.helo": "suricata.eve.smtp.helo",
        "flow.pkts_toserver": "source.packets",
        "flow.pkts_toclient": "destination.packets",
        "flow.bytes_toclient": "destination.bytes",
        "host": "observer.hostname",
    },
    ignore=("timestamp", "@timestamp", "proto", "event_type"),
)
_CATEGORIES = {
    "alert": ("network", "intrusion_detection"),
    "drop": ("network", "intrusion_detection"),
    "fileinfo": ("network", "file"),
    "http": ("network", "web"),
    "ssh": ("network", "session"),
    "stats": ("host",),
}
_TYPES = {
    "alert": ("info",),
    "stats": ("info",),
    "anomaly": ("protocol", "error"),
    "flow": ("connection", "end"),
}


@source.derive
def traffic(raw: Raw) -> dict[str, pl.Expr]:
    """Both ends and what went between them."""
    kind, path = raw["event_type"], raw["http.url"]
    url = e.url_columns(path)
    body = e.first(raw["flow.bytes_toserver"], raw["netflow.bytes"])
    answer = pl.when(kind == "dns").then(raw["dns.type"])
    return {
        "@timestamp": e.time_or(
            *(times.parsed(raw[name], [times.ISO], "UTC") for name in ("timestamp", "@timestamp"))
        ),
        "network.transport": raw["proto"]
        .str.to_lowercase()
        .replace({"ipv6-icmp": "ipv6-icmp", "icmpv6": "ipv6-icmp"}),
        "network.protocol": e.first(e.present(raw["app_proto"]), raw["proto"])
        .str.to_lowercase()
        .replace({"failed": None}),
        "source.bytes": body,
        "url.original": path,
        "url.path": url["url.path"],
        "url.query": url["url.query"],
        "dns.question.name": e.first(raw["dns.rrname"], raw["dns.queries.0.rrname"]),
        "dns.type": answer.replace({"request": "query", "response": "answer"}),
        "file.name": raw["fileinfo.filename"].str.extract(r"([^/\\\\]+)$"),
    }


@source.derive
def meaning(raw: Raw) -> dict[str, pl.Expr]:
    """event.*: an alert is one, everything else an event; `blocked` denies."""
    kind, action = raw["event_type"], raw["alert.action"]
    blocked = (action == "blocked") | (kind == "drop")
    return {
        "event.kind": pl.when(kind == "alert")
        .then(pl.lit("alert"))
        .when(kind == "stats")
        .then(pl.lit("metric"))
        .otherwise(pl.lit("event")),
        "event.action": e.first(action, kind),
        "suricata.eve.event_type": kind,
        "event.category": e.first(e.listed(kind, _CATEGORIES), e.texts("network")),
        "event.type": pl.when(blocked)
        .then(e.texts("denied"))
        .otherwise(e.first(e.listed(kind, _TYPES), e.texts("protocol", "info"))),
        "event.severity": raw["alert.severity"],
        "event.outcome": pl.when(blocked).then(pl.lit("success")),
    }


source.refine(e.related)
