"""nginx: access logs (combined, with the host before and more behind; JSON with nginx's variable names) and error logs.

Source: nginx, ngx_http_log_module (`combined`, `escape=json`) and core `error_log`. JSON logs carry the names that the
administrator chose: those of nginx's own variables are understood.
"""

import polars as pl

from collectors import expressions as e
from collectors import times, web
from collectors.shapes import either, json_fields, patterns
from collectors.source import Raw, Source

_IP = r"[0-9A-Fa-f]*[.:][0-9A-Fa-f.:]*"
_ACCESS = (
    rf"^(?:(?P<host>[A-Za-z0-9_.\-]+(?::\d+)?) )?(?P<remote_addr>{_IP}) (?P<ident>\S+) (?P<remote_user>\S+) \[(?P<clock>[^\]]+)\] "
    r'"(?P<request>(?:[^"\\]|\\.)*)" (?P<status>\d{3}) (?P<body_bytes_sent>\d+|-)'
    r'(?: "(?P<http_referer>(?:[^"\\]|\\.)*)" "(?P<http_user_agent>(?:[^"\\]|\\.)*)")?(?: "(?P<forwarded>[^"]*)")?(?P<more>.*)$'
)
_ERROR = (
    r"^(?P<clock>\d{4}/\d\d/\d\d \d\d:\d\d:\d\d) \[(?P<level>debug|info|notice|warn|error|crit|alert|emerg)\] "
    r"(?P<pid>\d+)#(?P<tid>\d+): (?:\*(?P<connection>\d+) )?(?P<said>.*)$"
)

source = Source(
    name="nginx.web",
    title={"ja": "nginx", "en": "nginx"},
    zone_hint="dmz",
    shape=either(r"^\s*\{", json_fields(), patterns({"access": _ACCESS, "error": _ERROR})),
    always=r'^\s*[^{\s]|"(?:remote_\w+|body_bytes_sent|request_(?:uri|method|time|length)|'
    r"http_(?:user_agent|referr?er|host|x_forwarded_for)|upstream_\w+|time_local|time_iso8601|"
    r'bytes_sent|query_string|server_(?:name|protocol))"\s*:|"request"\s*:\s*"[A-Z]+ ',
    recognise=(
        r"^\s*\d{4}/\d\d/\d\d \d\d:\d\d:\d\d \[(?:debug|info|notice|warn|error|crit|alert|emerg)\] \d+#\d+: "
        r'|^\s*\{.*"body_bytes_sent"\s*:|^\s*\S+ \S+ \S+ \S+ \[[^\]]+\] "[^"]*" \d{3} \d+ "[^"]*" "[^"]*" "[^"]*"'
    ),
    leftovers="nginx",
    constants={"event.kind": "event", "service.type": "nginx"},
    rename={"level": "log.level", "pid": "process.pid", "tid": "process.thread.id", "host_name": "host.name"},
    ignore=(
        *(
            "clock",
            "request",
            "request_method",
            "request_uri",
            "uri",
            "query_string",
            "args",
            "status",
            "response_status",
        ),
        *(
            "remote_addr",
            "remote_user",
            "ident",
            "http_referer",
            "http_referrer",
            "http_user_agent",
            "host",
            "pattern",
            "text",
        ),
        *(
            "timestamp",
            "time_iso8601",
            "time_local",
            "time",
            "body_bytes_sent",
            "http_scheme",
            "scheme",
            "https",
            "said",
            "http_host",
        ),
    ),
)


@source.derive
def line(raw: Raw) -> dict[str, pl.Expr]:
    """One access or one error."""
    asking = e.first(raw["request"], raw["said"].str.extract(r', request: "((?:[^"\\\\]|\\\\.)*)"'))
    parts = asking.str.extract_groups(r"^([A-Z_\-]+) (\S+)(?: HTTP/([\d.]+))?$").struct
    bare = e.first(e.present(raw["request_uri"]), e.present(raw["uri"]))
    query = e.first(e.present(raw["query_string"]), e.present(raw["args"]))
    whole = (
        pl.when(bare.str.contains("?", literal=True) | query.is_null())
        .then(bare)
        .otherwise(pl.concat_str(bare, query, separator="?"))
    )
    target = e.first(parts.field("2"), whole)
    asked = web.request(
        e.first(parts.field("1"), raw["request_method"]),
        target,
        e.first(raw["status"], raw["response_status"]),
    )
    host = e.first(e.present(raw["host"]), e.present(raw["http_host"])).str.replace(r":\d+$", "")
    scheme = e.first(raw["http_scheme"], raw["scheme"])
    said, error = raw["said"], raw["level"].is_not_null()
    return {
        **asked,
        "@timestamp": _clock(raw),
        "source.ip": e.first(e.ip(raw["remote_addr"]), said.str.extract(rf"client: ({_IP}),")),
        "user.name": e.present(raw["remote_user"]),
        "http.version": parts.field("3"),
        "http.request.referrer": e.first(
            e.present(raw["http_referer"]),
            e.present(raw["http_referrer"]),
            raw["said"].str.extract(r', referrer: "([^"]*)"'),
        ),
        "user_agent.original": e.present(raw["http_user_agent"]),
        "http.response.body.bytes": raw["body_bytes_sent"],
        "destination.domain": e.first(e.not_ip(host), said.str.extract(r'host: "([^":]+)')),
        "destination.ip": e.ip(host),
        "network.protocol": scheme,
        "url.domain": e.first(asked["url.domain"], said.str.extract(r"peer: ([^:,\s]+)")),
        "message": said,
        "event.category": e.texts("web"),
        "event.type": pl.when(error).then(e.texts("error")).otherwise(asked["event.type"]),
        "event.outcome": asked["event.outcome"],
    }


def _clock(raw: Raw) -> pl.Expr:
    zoned = raw["clock"].str.to_datetime(
        "%d/%b/%Y:%H:%M:%S %z", time_unit="us", time_zone="UTC", strict=False
    )
    local = raw["time_local"].str.to_datetime(
        "%d/%b/%Y:%H:%M:%S %z", time_unit="us", time_zone="UTC", strict=False
    )
    naive = e.local(raw["clock"].str.to_datetime("%Y/%m/%d %H:%M:%S", time_unit="us", strict=False))
    iso = [times.parsed(raw[name], [times.ISO], "UTC") for name in ("time_iso8601", "timestamp", "time")]
    return e.time_or(zoned, local, naive, *iso)
