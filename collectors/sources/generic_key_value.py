"""Any key=value log, by the names that products commonly give to the same things.

What no name of the table fits is kept under `key_value.<name>`. A product that matters deserves its own
source or declared mapping: this one guesses names, never meanings (no event.category, no outcome but a
plain word for one).
"""

import polars as pl

from collectors import expressions as e
from collectors import times
from collectors.shapes import key_value
from collectors.source import Raw, Source

_NAMES: dict[str, tuple[str, ...]] = {
    "source.ip": (
        "src",
        "srcip",
        "src_ip",
        "source_ip",
        "sourceip",
        "client_ip",
        "clientip",
        "remote_ip",
        "ip",
    ),
    "source.port": ("spt", "srcport", "src_port", "sport", "source_port"),
    "source.mac": ("srcmac", "src_mac", "smac"),
    "destination.ip": ("dst", "dstip", "dst_ip", "dest_ip", "destination_ip", "destip", "server_ip"),
    "destination.port": ("dpt", "dstport", "dst_port", "dport", "dest_port", "destination_port"),
    "destination.mac": ("dstmac", "dst_mac", "dmac"),
    "source.bytes": ("sent", "sentbyte", "sent_bytes", "bytes_sent", "bytes_out"),
    "destination.bytes": ("rcvd", "rcvdbyte", "recv_bytes", "received_bytes", "bytes_in"),
    "user.name": ("user", "usr", "username", "user_name", "account", "login", "suser"),
    "user.domain": ("domain", "user_domain"),
    "host.name": ("host", "hostname", "device_name", "devname", "dvchost"),
    "event.action": ("action", "act", "event", "operation"),
    "event.code": ("event_id", "eventid", "msg_id", "logid", "code"),
    "event.reason": ("reason", "cause"),
    "log.level": ("level", "severity", "pri"),
    "rule.name": ("rule", "policy", "rule_name", "policyname"),
    "network.transport": ("proto", "protocol", "transport"),
    "url.original": ("url", "request", "uri"),
    "http.request.method": ("method", "http_method"),
    "http.response.status_code": ("status_code", "http_status"),
    "user_agent.original": ("agent", "user_agent", "useragent"),
    "file.name": ("file", "filename", "fname"),
    "process.pid": ("pid", "process_id"),
    "process.name": ("process", "proc", "process_name"),
    "message": ("msg", "message_"),
}
_ADDRESSES = ("source.ip", "destination.ip")
_TIMES = ("time", "timestamp", "datetime", "eventtime", "date_time", "ts", "@timestamp")
_FORMATS = (times.ISO, "epoch", "epoch_ms", times.JAPANESE, "%Y/%m/%d %H:%M:%S", "%d/%b/%Y:%H:%M:%S %z")
_OUTCOMES = {
    "success": "success",
    "successful": "success",
    "succeeded": "success",
    "ok": "success",
    "failure": "failure",
    "failed": "failure",
    "fail": "failure",
    "error": "failure",
    "denied": "failure",
}

_PAIR = r'[A-Za-z_][\w.\-]*=(?:"[^"]*"|[^\s"]*)'

source = Source(
    name="generic.key_value",
    title={"ja": "key=value 形式(汎用)", "en": "key=value (any product)"},
    shape=key_value(),
    recognise=rf"(?:^|[\s,;]){_PAIR}(?:[\s,;]{_PAIR}){{3}}",
    leftovers="key_value",
    constants={"event.kind": "event"},
    ignore=(*(name for names in _NAMES.values() for name in names), *_TIMES, "date", "outcome", "result"),
)


@source.derive
def known(raw: Raw) -> dict[str, pl.Expr]:
    """The fields whose names say what they are."""
    found = {field: e.present(e.first(*(raw[name] for name in names))) for field, names in _NAMES.items()}
    said = e.present(e.first(raw["outcome"], raw["result"], raw["status"])).str.to_lowercase()
    transport = found["network.transport"].str.to_lowercase()
    return {
        **found,
        **{name: e.ip(found[name]) for name in _ADDRESSES},
        "network.transport": e.first(e.transport(transport), transport),
        "event.outcome": e.mapped(said, _OUTCOMES),
        "host.name": e.first(found["host.name"], raw["header.host"]),
    }


@source.derive
def timestamp(raw: Raw) -> dict[str, pl.Expr]:
    """The line's own time, else its syslog header's."""
    joined = pl.concat_str(raw["date"], raw["time"], separator=" ")
    written = times.parsed(
        e.first(joined, *(raw[name] for name in _TIMES), raw["date"]), _FORMATS, times.zone()
    )
    return {"@timestamp": e.time_or(written, pl.col("header.timestamp"))}
