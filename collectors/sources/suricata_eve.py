"""Suricata EVE JSON: alerts, flows, DNS, HTTP, TLS, SSH, files, anomalies, statistics.

Source: Suricata User Guide, "Eve JSON Format" (dns version 1 to 3). As Filebeat or Logstash pass it on, the record may
carry their own keys beside it, and the time as `@timestamp`. The sensor's own address is not in the record.
"""

import polars as pl

from collectors import expressions as e
from collectors import times
from collectors.shapes import either, json_fields, patterns, renamed
from collectors.source import Raw, Source

_END = r"(?P<{0}>[0-9A-Fa-f.:]*[0-9A-Fa-f])(?::(?P<{0}_port>\d{{1,5}}))"
_FAST = {  # one line an alert, fast.log or syslog
    "fast": (
        r"^(?:(?P<clock>\d\d/\d\d/\d{4}-\d\d:\d\d:\d\d\.\d+) +)?(?:\[(?P<verdict>\w+)\] )?(?:\[\*\*\] )?"
        r"\[(?P<gid>\d+):(?P<sid>\d+):(?P<rev>\d+)\] (?P<signature>.*?) (?:\[\*\*\] )?"
        r"(?:\[Classification: (?P<class>[^\]]*)\] )?(?:\[Priority: (?P<priority>\d+)\] )?\{(?P<transport>[^}]+)\} "
        rf"{_END.format('src')} -> {_END.format('dst')}"
    )
}
_FAST_NAMES = {
    "gid": "alert.gid",
    "sid": "alert.signature_id",
    "rev": "alert.rev",
    "signature": "alert.signature",
    "class": "alert.category",
    "priority": "alert.severity",
    "transport": "proto",
    "src": "src_ip",
    "dst": "dest_ip",
    "dst_port": "dest_port",
}

source = Source(
    name="suricata.eve",
    title={"ja": "Suricata(侵入検知)", "en": "Suricata intrusion detection"},
    zone_hint="perimeter",
    shape=either(  # no brace before the numbers: in a value of JSON they are what somebody else wrote
        r"^[^{]*\[\d+:\d+:\d+\] .* \{[A-Za-z0-9\-]+\} \S+ -> ",
        renamed(patterns(_FAST), _FAST_NAMES),
        json_fields(),
    ),
    always=r'^\s*[^{\s]|"(?:flow_id|dest_ip|stats|engine|arp)"\s*:|"event_type"\s*:\s*"[a-z0-9_]+"',
    recognise=(
        r"^(?:\d\d/\d\d/\d{4}-[\d:.]+ +)?(?:\[\w+\] )?\[\*\*\] \[\d+:\d+:\d+\] .* \{[A-Z0-9\-]+\} \S+ -> "
        r'|^\s*\{.*"event_type"\s*:\s*"(?:alert|anomaly|dns|http|tls|ssh|flow|netflow'
        r"|fileinfo|stats|smb|krb5|dhcp|smtp|rdp|quic|drop|ftp|ftp_data|nfs|tftp|ikev2|ike|snmp|sip|rfb|mqtt|h"
        r'ttp2|dcerpc|modbus|pgsql|bittorrent_dht|frame)"'
    ),
    unlike=r'"firewall_name"\s*:',
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
        "ether.src_mac": "source.mac",
        "ether.dest_mac": "destination.mac",
        "email.subject": "email.subject",
        "krb5.cname": "user.name",
        "krb5.realm": "user.domain",
        "fileinfo.md5": "file.hash.md5",
        "fileinfo.sha1": "file.hash.sha1",
        "fileinfo.sha256": "file.hash.sha256",
        "smtp.helo": "suricata.eve.smtp.helo",
        "flow.pkts_toclient": "destination.packets",
        "flow.bytes_toclient": "destination.bytes",
        "tls.fingerprint": "tls.server.hash.sha1",
        "tls.serial": "tls.server.x509.serial_number",
        "host": "observer.hostname",
    },
    ignore=(
        "text",
        "pattern",
        "clock",
        "verdict",
        "timestamp",
        "@timestamp",
        "proto",
        "event_type",
        "flow.pkts_toserver",
        "flow.start",
        "flow.end",
    ),
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
    asked = e.first(
        raw["dns.queries"], raw["dns.query"]
    )  # version 3, and inside an alert: a list of questions
    secure = raw["tls.sni"]
    return {
        "@timestamp": e.time_or(
            *(times.parsed(raw[name], [times.ISO], "UTC") for name in ("timestamp", "@timestamp")),
            e.local(raw["clock"].str.to_datetime("%m/%d/%Y-%H:%M:%S%.f", time_unit="us", strict=False)),
            *([pl.col("header.timestamp")] if "header.timestamp" in raw else []),
        ),
        "network.transport": raw["proto"]
        .str.to_lowercase()
        .replace({"ipv6-icmp": "ipv6-icmp", "icmpv6": "ipv6-icmp"}),
        "network.protocol": e.first(e.present(raw["app_proto"]), raw["proto"])
        .str.to_lowercase()
        .replace({"failed": None}),
        "source.bytes": body,
        "event.start": times.parsed(e.first(raw["flow.start"], raw["netflow.start"]), [times.ISO], "UTC"),
        "event.end": times.parsed(e.first(raw["flow.end"], raw["netflow.end"]), [times.ISO], "UTC"),
        "source.packets": e.first(raw["flow.pkts_toserver"], raw["netflow.pkts"]),
        "url.original": path,
        "url.path": url["url.path"],
        "url.query": url["url.query"],
        "dns.question.name": e.first(raw["dns.rrname"], asked.str.extract(r'"rrname":"([^"]+)"')),
        "dns.question.type": e.first(raw["dns.rrtype"], asked.str.extract(r'"rrtype":"([^"]+)"')),
        "destination.domain": e.first(secure, e.not_ip(raw["http.hostname"])),
        "source.mac": e.first(raw["ether.src_mac"], raw["dhcp.client_mac"]),
        "email.from.address": _addresses(e.first(raw["smtp.mail_from"], raw["email.from"])),
        "email.to.address": _addresses(e.first(raw["smtp.rcpt_to"], raw["email.to"])),
        "dns.resolved_ip": _resolved(raw),
        "dns.type": answer.replace({"request": "query", "response": "answer"}),
        "file.name": e.first(raw["fileinfo.filename"], raw["smb.filename"]).str.extract(r"([^/\\]+)$"),
        "file.path": e.first(raw["fileinfo.filename"], raw["smb.filename"]),
        "user.name": e.first(
            raw["krb5.cname"],
            raw["smb.ntlmssp.user"],
            raw["snmp.usm"],
            raw["rdp.cookie"],
            raw["mqtt.connect.username"],
            raw["pgsql.request.startup_parameters.user"],
        ),
        "user.domain": e.first(raw["krb5.realm"], raw["smb.ntlmssp.domain"]),
    }


def _resolved(raw: Raw) -> pl.Expr:
    """The addresses among the answers of versions 2 and 3, or of the one answer of version 1. Only records of addresses: whoever
    has a zone writes what he likes into a text (TXT)."""
    ip = r"(\d{1,3}(?:\.\d{1,3}){3}|[0-9A-Fa-f]*:[0-9A-Fa-f:]+)"
    listed = raw["dns.answers"].str.extract_all(
        rf'"rrtype": ?"(?:A|AAAA)"(?:, ?"\w+": ?\d+)*, ?"rdata": ?"{ip}"'
    )
    several = listed.list.eval(e.ip(pl.element().str.extract(rf'"{ip}"$'))).list.drop_nulls()
    address = raw["dns.rrtype"].is_in(["A", "AAAA"])
    one = pl.concat_list(pl.when(address).then(e.ip(raw["dns.rdata"])))
    return pl.when(several.list.len() > 0).then(several).when(one.list.first().is_not_null()).then(one)


def _addresses(text: pl.Expr) -> pl.Expr:
    """The addresses in a text or a list of texts, `Name <a@b>` or bare."""
    found = text.str.extract_all(r"[A-Za-z0-9._%+'=/-]+@[A-Za-z0-9.-]+")
    return pl.when(found.list.len() > 0).then(found)


@source.derive
def meaning(raw: Raw) -> dict[str, pl.Expr]:
    """event.*: an alert is one, everything else an event; `blocked` denies."""
    fast = raw["pattern"] == "fast"
    kind = e.first(raw["event_type"], pl.when(fast).then(pl.lit("alert")))
    dropped = raw["verdict"].str.to_lowercase() == "drop"
    action = e.first(
        raw["alert.action"],
        pl.when(fast & dropped.fill_null(False)).then(pl.lit("blocked")).when(fast).then(pl.lit("allowed")),
    )
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
        "event.outcome": pl.when(blocked)
        .then(pl.lit("success"))
        .when(raw["krb5.error_code"].is_not_null())
        .then(pl.lit("failure")),
    }


@source.refine
def ours(frame: pl.DataFrame) -> pl.DataFrame:
    """What Suricata wrote: every record of EVE names its kind; JSON of anything else is none of ours."""
    return frame.filter(pl.col("suricata.eve.event_type").is_not_null())
