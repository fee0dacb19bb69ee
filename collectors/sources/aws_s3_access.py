"""AWS S3 server access logs: one request for an object or bucket a line.

Read: Amazon S3 User Guide, "Amazon S3 server access log format" as of awsdocs on GitHub (all fields up to the access
point), its example lines as of 2026 (`Yes us-east-1` at the end, TLS written `TLSV1.2`), and Elastic's test lines. `-`
says that there is none. The requester is the canonical user id, or the ARN of an IAM user or role; a key is URL-encoded
and left so. Copying writes two records: the one that reads (`REST.COPY.OBJECT_GET`) has no HTTP version. Not read: the
description of `aclRequired` and of the Region that the request came from; logs in CloudWatch Logs' JSON are not understood.
"""

import polars as pl

from collectors import expressions as e
from collectors import times, web
from collectors.shapes import patterns
from collectors.source import Raw, Source

_QUOTED = r'"(?:[^"\\]|\\.)*"'
_LATER = (
    "version_id",
    "host_id",
    "signature",
    "cipher",
    "authentication",
    "host",
    "tls",
    "arn",
    "acl",
    "source_region",
)
_LINE = (
    r"^(?P<owner>[0-9a-f]{32,64}|[0-9a-z\-]+|-) (?P<bucket>[A-Za-z0-9._\-]{3,255}|-) "
    r"\[(?P<clock>\d\d/[A-Z][a-z]{2}/\d{4}:\d\d:\d\d:\d\d [+\-]\d{4})\] "
    r"(?P<src>\S+) (?P<requester>\S+) (?P<request_id>\S+) (?P<operation>[A-Z][A-Za-z0-9.]*\.[A-Za-z0-9._\-]+) (?P<key>\S+) "
    rf'(?:"(?P<method>[A-Z]+) (?P<url>\S+)(?: HTTP/(?P<version>[\d.]+))?"|"?-"?|{_QUOTED}) '
    r"(?P<status>\d{3}|-) (?P<code>\S+) (?P<sent>\d+|-) (?P<size>\d+|-) "
    rf"(?P<took>\d+|-) (?P<turn>\d+|-) (?P<referrer>{_QUOTED}|-) (?P<agent>{_QUOTED}|-)"
    + "".join(rf"(?: (?P<{name}>\S+)" for name in _LATER)
    + ")?" * len(_LATER)
)
_TYPES = {"GET": "access", "HEAD": "access", "PUT": "creation", "POST": "change", "DELETE": "deletion"}  # fmt: skip

source = Source(
    name="aws.s3_access",
    title={"ja": "AWS S3 サーバーアクセスログ", "en": "AWS S3 server access log"},
    zone_hint="cloud",
    shape=patterns({"request": _LINE}),
    recognise=(
        r"^[0-9a-z\-]+ [A-Za-z0-9._\-]{3,255} \[\d\d/[A-Z][a-z]{2}/\d{4}:[\d:]+ [+\-]\d{4}\] \S+ \S+ \S+ "
        r"(?:REST|SOAP|BATCH|WEBSITE|S3)\."
    ),
    leftovers="aws.s3access",
    constants={"event.kind": "event", "cloud.provider": "aws", "cloud.service.name": "s3"},
    rename={"version": "http.version", "operation": "event.action", "request_id": "http.request.id", "size": "file.size"},
    ignore=("text", "clock", "src", "requester", "key", "method", "url", "status", "code", "sent", "referrer", "agent", "host", "pattern"),
)  # fmt: skip


@source.derive
def request(raw: Raw) -> dict[str, pl.Expr]:
    """Who asked for what, and what came of it."""
    asked = web.request(raw["method"], raw["url"], raw["status"])
    verb = raw["operation"].str.extract(r"\.([A-Z]+)\.").replace({"COPY": "PUT"})
    reads, code = raw["operation"].str.ends_with("_GET"), e.whole(raw["status"])
    requester = e.present(raw["requester"])
    arn = requester.str.extract_groups(r"^arn:[^:]*:[^:]*:[^:]*:(\d*):(.*)$").struct
    return {
        **asked,
        "@timestamp": e.time_or(times.parsed(raw["clock"], ["%d/%b/%Y:%H:%M:%S %z"], "UTC")),
        "event.category": e.texts("file", "web"),
        "event.type": pl.when(code.is_in([401, 403]))
        .then(e.texts("access", "denied"))
        .when(reads)
        .then(e.texts("access"))
        .otherwise(e.first(e.listed(verb, {k: (v,) for k, v in _TYPES.items()}), e.texts("info"))),
        "event.reason": e.present(raw["code"]),
        "source.ip": e.ip(raw["src"]),
        "client.ip": e.ip(raw["src"]),
        "user.id": requester,
        "user.name": arn.field("2").str.extract(r"([^/]+)$"),
        "cloud.account.id": e.present(arn.field("1")),
        "file.path": e.present(raw["key"]),
        "http.response.bytes": e.whole(raw["sent"]),
        "http.request.referrer": e.present(raw["referrer"].str.strip_chars('"')),
        "user_agent.original": e.present(raw["agent"].str.strip_chars('"')),
        "destination.domain": e.present(raw["host"]),
        "url.domain": e.present(raw["host"]),
        "tls.version": raw["tls"].str.extract(r"^(?i:TLSv)([\d.]+)$"),
        "tls.cipher": e.present(raw["cipher"]),
    }
