"""Sophos Firewall (SFOS) and UTM: firewall, IPS, web, authentication, packet filter, key=value.

Source: Sophos Firewall "Log ID and field" guide (device format and standard syslog format), Sophos UTM "Log file
formats" (`id`, `sys`, `sub`, `srcip`). The device format has date and time apart, with the offset in `timezone`,
as a number or a word.
"""

import polars as pl

from collectors import expressions as e
from collectors import times
from collectors.shapes import key_value
from collectors.source import Raw, Source
from collectors.zone_words import OFFSETS

source = Source(
    name="sophos.firewall",
    title={"ja": "Sophos Firewall・UTM", "en": "Sophos Firewall and UTM"},
    zone_hint="perimeter",
    shape=key_value(needs=["device_serial_id", "device_id", "sub", "log_component"]),
    always=r'\bdevice(?:_\w+)?=|\blog_(?:component|id|type|subtype)=|\bsys="',
    recognise=r'\bdevice_serial_id="|\bdevice="SFW"|\blog_component="|\bid="\d{4}" severity="\w+" sys="',
    constants={"event.kind": "event", "observer.vendor": "Sophos", "observer.type": "firewall"},
    leftovers="sophos",
    rename={
        "device_serial_id": "observer.serial_number",
        "device_id": "observer.serial_number",
        "device_model": "observer.product",
        "device_name": "observer.name",
        "log_id": "event.code",
        "id": "event.code",
        "src_ip": "source.ip",
        "sourceip": "source.ip",
        "destinationip": "destination.ip",
        "client_physical_address": "source.mac",
        "client_host_name": "source.domain",
        "virus": "threat.indicator.name",
        "threatname": "threat.indicator.name",
        "file_size": "file.size",
        "filesize": "file.size",
        "file_path": "file.path",
        "sha1sum": "file.hash.sha1",
        "signature_id": "rule.id",
        "srcip": "source.ip",
        "src_port": "source.port",
        "srcport": "source.port",
        "src_mac": "source.mac",
        "srcmac": "source.mac",
        "dst_ip": "destination.ip",
        "dstip": "destination.ip",
        "dst_port": "destination.port",
        "dstport": "destination.port",
        "dst_mac": "destination.mac",
        "dstmac": "destination.mac",
        "bytes_sent": "source.bytes",
        "sent_bytes": "source.bytes",
        "bytes_received": "destination.bytes",
        "recv_bytes": "destination.bytes",
        "packets_sent": "source.packets",
        "sent_pkts": "source.packets",
        "packets_received": "destination.packets",
        "recv_pkts": "destination.packets",
        "src_trans_ip": "source.nat.ip",
        "tran_src_ip": "source.nat.ip",
        "src_trans_port": "source.nat.port",
        "tran_src_port": "source.nat.port",
        "dst_trans_ip": "destination.nat.ip",
        "tran_dst_ip": "destination.nat.ip",
        "dst_trans_port": "destination.nat.port",
        "tran_dst_port": "destination.nat.port",
        "in_interface": "observer.ingress.interface.name",
        "initf": "observer.ingress.interface.name",
        "out_interface": "observer.egress.interface.name",
        "outitf": "observer.egress.interface.name",
        "fw_rule_name": "rule.name",
        "fw_rule_id": "rule.id",
        "fwrule": "rule.id",
        "status_code": "http.response.status_code",
        "httpstatus": "http.response.status_code",
        "httpresponsecode": "http.response.status_code",
        "http_status": "http.response.status_code",
        "statuscode": "http.response.status_code",
        "method": "http.request.method",
        "httpmethod": "http.request.method",
        "useragent": "user_agent.original",
        "ua": "user_agent.original",
        "contenttype": "http.response.mime_type",
        "content_type": "http.response.mime_type",
        "referer": "http.request.referrer",
        "user_agent": "user_agent.original",
        "signature_msg": "threat.indicator.name",
        "message": "message",
    },
    ignore=(
        "timestamp",
        "date",
        "time",
        "timezone",
        "protocol",
        "proto",
        "user",
        "user_name",
        "src_trans_ip",
        *("from_email_address", "sender", "to_email_address", "recipient", "email_subject", "subject"),
        *("filename", "file_name", "domain", "domainname", "dstdomain"),
    ),
)
_CATEGORIES = {
    "Anti-Virus": ("malware", "network"),
    "ATP": ("malware", "network"),
    "Sandbox": ("malware", "file"),
    "IDP": ("intrusion_detection", "network"),
    "Content Filtering": ("web", "network"),
    "Anti-Spam": ("email", "network"),
    "WAF": ("web", "intrusion_detection"),
}
_DENIED = ["deny", "denied", "drop", "dropped", "block", "blocked", "reject"]


@source.derive
def line(raw: Raw) -> dict[str, pl.Expr]:
    """When, who, over what, and how it ended."""
    stamp = times.parsed(raw["timestamp"], [times.ISO], times.zone())
    zone = raw["timezone"].str.extract(r"^([+-]\d\d:?\d\d)$")
    behind = raw["timezone"].replace_strict(OFFSETS, default=None, return_dtype=pl.Int64)
    apart = pl.concat_str(raw["date"], raw["time"], separator=" ")
    zoned = pl.concat_str(apart, zone).str.to_datetime(
        "%Y-%m-%d %H:%M:%S%z", time_unit="us", time_zone="UTC", strict=False
    )
    shown = apart.str.to_datetime("%Y-%m-%d %H:%M:%S", time_unit="us", strict=False)
    worded = shown.dt.replace_time_zone("UTC") - pl.duration(minutes=behind)
    naive = e.local(shown)
    fate = e.first(raw["log_subtype"], raw["status"], raw["action"]).str.to_lowercase()
    denied = fate.is_in(_DENIED)
    signing = (raw["sub"] == "auth") | raw["log_component"].str.contains(r"(?i)authentication|admin|vpn")
    said = e.first(raw["name"], raw["message"])
    failed = said.str.contains(r"(?i)fail|denied|invalid") | (raw["status"].str.to_lowercase() == "failed")
    number, word = raw["proto"], raw["protocol"]
    url = e.url_columns(e.present(raw["url"]))
    domain = e.not_ip(e.present(e.first(raw["domain"], raw["domainname"], raw["dstdomain"])))
    return {
        "@timestamp": e.time_or(stamp, zoned, worded, naive, pl.col("header.timestamp")),
        "network.transport": e.first(e.transport(number), word.str.to_lowercase()),
        "source.nat.ip": e.ip(e.first(raw["src_trans_ip"], raw["tran_src_ip"])),
        "user.name": e.first(e.present(raw["user_name"]), e.present(raw["user"])),
        **url,
        "url.domain": e.first(url["url.domain"], domain),
        "email.from.address": e.present(e.first(raw["from_email_address"], raw["sender"])).str.split(","),
        "email.to.address": e.present(e.first(raw["to_email_address"], raw["recipient"])).str.split(","),
        "email.subject": e.present(e.first(raw["email_subject"], raw["subject"])),
        "file.name": e.present(e.first(raw["filename"], raw["file_name"])).str.extract(r"([^/\\]+)$"),
        "event.action": fate,
        "event.reason": e.present(raw["reason"]),
        "event.category": pl.when(signing)
        .then(e.texts("authentication"))
        .otherwise(e.first(e.listed(raw["log_type"], _CATEGORIES), e.texts("network"))),
        "event.type": pl.when(denied | (signing & failed))
        .then(e.texts("connection", "denied"))
        .when(fate.is_in(["allowed", "allow", "accept"]))
        .then(e.texts("connection", "allowed"))
        .otherwise(e.texts("info")),
        "event.outcome": pl.when(signing & failed)
        .then(pl.lit("failure"))
        .when(signing)
        .then(pl.lit("success")),
    }
