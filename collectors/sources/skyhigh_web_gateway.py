r"""Skyhigh (formerly McAfee) Secure Web Gateway: the appliance's access log and the cloud service's.

Source: Skyhigh Security, "Web Gateway: log handler" (`name="value"`), "Log fields for SSE web" (`name=value`, where values
hold blanks without quotes and end where the next ` name=` begins).
"""

import polars as pl

from collectors import expressions as e
from collectors import times
from collectors.shapes import lines
from collectors.source import Raw, Source

_OURS = r'\bhttp_request_first_line="|\brequested_host=.*\brequest_timestamp(?:_epoch)?='
_KEPT = (
    "url_categories",
    "category",
    "url_reputation_string",
    "reputation",
    "media_type",
    "application_type",
    "block_reason",
    "ruleset_name",
    "result",
)

source = Source(
    name="skyhigh.web_gateway",
    title={"ja": "Skyhigh(旧 McAfee)Web Gateway", "en": "Skyhigh (McAfee) Web Gateway"},
    zone_hint="internet",
    shape=lines(_OURS),
    recognise=_OURS,
    constants={
        "event.kind": "event",
        "event.category": ["web"],
        "network.direction": "egress",
        "observer.vendor": "Skyhigh Security",
        "observer.type": "proxy",
    },
    ignore=("text",),
)


def _value(name: str) -> pl.Expr:
    text = pl.col("text")
    quoted = text.str.extract(rf'(?:^|\s){name}="([^"]*)"')
    return e.present(
        e.first(quoted, text.str.extract(rf"(?:^|\s){name}=([^\"\s].*?)(?:\s+[a-z][a-z0-9_]*=|\s*$)"))
    )


@source.derive
def request(raw: Raw) -> dict[str, pl.Expr]:
    """Who asked for what, through which address, and what the rules made of it."""
    text, line = raw["text"], _value("http_request_first_line")
    host, path, scheme = _value("requested_host"), _value("requested_path"), _value("uri_scheme")
    whole = e.first(line.str.extract(r"^\w+ (\S+)"), pl.concat_str(scheme, pl.lit("://"), host, path))
    address, status = e.url_columns(whole), e.whole(_value("http_status_code"))
    client = e.ip(_value("client_ip"))
    blocked = _value("result").str.contains("(?i)block|denied") | (_value("block_reason").is_not_null())
    plain = path.str.replace(r"[?#].*$", "")
    return {
        **address,
        "url.original": e.first(path, address["url.original"]),
        "url.domain": e.first(host, address["url.domain"]),
        "@timestamp": e.time_or(
            times.parsed(_value("date"), [times.ISO], "UTC"),
            times.parsed(_value("request_timestamp_epoch"), ["epoch"], "UTC"),
            pl.col("header.timestamp"),
        ),
        "source.ip": e.first(client, e.ip(_value("source_ip"))),
        "source.nat.ip": pl.when(client.is_not_null()).then(e.ip(_value("source_ip"))),
        "source.bytes": e.whole(e.first(_value("source_bytes"), _value("client_to_server_bytes"))),
        "destination.ip": e.ip(_value("destination_ip")),
        "destination.port": e.whole(_value("destination_port")),
        "destination.domain": e.first(_value("destination_host"), host),
        "destination.bytes": e.whole(e.first(_value("destination_bytes"), _value("server_to_client_bytes"))),
        "host.name": e.first(_value("client_system_name"), _value("client_host_name")),
        "observer.hostname": e.first(_value("hostname"), pl.col("header.host")),
        "user.name": _value("username").str.extract(r"([^\\]+)$"),
        "user.domain": _value("username").str.extract(r"^([^\\]+)\\"),
        "process.name": _value("process_name"),
        "http.request.method": e.first(_value("http_action"), line.str.extract(r"^(\w+) ")),
        "http.response.status_code": status,
        "http.request.referrer": e.first(_value("http_referer"), _value("referer")),
        "user_agent.original": e.first(_value("user_agent"), _value("user_agent_comment")),
        "rule.name": e.first(_value("rule_name"), _value("last_rule")),
        "event.code": _value("block_id"),
        "file.name": e.first(_value("filename"), _value("file_name"), plain.str.extract(r"([^/]+)$")),
        "threat.software.name": e.first(_value("virus_names"), _value("virus")),
        "event.type": pl.when(blocked).then(e.texts("access", "denied")).otherwise(e.texts("access")),
        "event.outcome": pl.when(status < 400)
        .then(pl.lit("success"))
        .when(status >= 400)
        .then(pl.lit("failure")),
        "message": text,
        **{f"skyhigh.web_gateway.{name}": _value(name) for name in _KEPT},
    }
