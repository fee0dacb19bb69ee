"""AWS Elastic Load Balancing: access logs of Application, Network (TLS) and Classic Load Balancers, and ALB connection logs.

Read: AWS, "Connection logs for your Application Load Balancer" (15 fields) and "Access logs for your Network Load
Balancer" (22 fields) as of 2026; "Access logs for your Application Load Balancer" as far as `classification_reason`, and
"Access logs for your Classic Load Balancer", as of awsdocs on GitHub; Elastic's test lines but for classic ones. Not checked
against AWS's document: ALB's `conn_trace_id` and the four fields behind it (names and order are from other parsers).
`-` says that there is none, `-1` a time that could not be measured. ALB's time is when the answer went out; the request
came at `request_creation_time`. A URI may hold blanks (`SpaceInUri`). A TLS handshake that did not complete has no
cipher; a client's alert 0 is its ordinary good-bye (close_notify, RFC 8446).
"""

import polars as pl

from collectors import expressions as e
from collectors import times, web
from collectors.shapes import own_clock, patterns
from collectors.source import Raw, Source

_CLOCK = r"(?P<clock>\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z?)"
_IP = r"[0-9A-Fa-f.:]+"
_CLIENT = rf"(?P<src>{_IP}):(?P<sport>\d+)"
_TARGET = r"(?P<target>\[?[0-9A-Za-z.:\-]+?\]?)(?::(?P<tport>\d+))?"
_ANSWER = (
    r"(?P<wait>-?[\d.]+) (?P<work>-?[\d.]+) (?P<answer>-?[\d.]+) (?P<status>\d{3}|-) (?P<target_status>\d{1,3}|-) "
    r'(?P<taken>\d+|-)1? (?P<sent>\d+|-)1? "(?P<method>\S+) (?P<url>(?:[^"\\]|\\.)*?) ?(?:-|[A-Z]+/(?P<version>[\d.]+))? ?"'
)
_AGENT = r'(?: "(?P<agent>(?:[^"\\]|\\.)*)" (?P<cipher>\S+) (?P<tls>\S+))?'
_BEHIND = (
    ("target_group", r"\S+"), ("trace", r'"[^"]*"'), ("domain", r'"[^"]*"'), ("certificate", r'"[^"]*"'),
    ("priority", r"-?\d+|-"), ("created", r"\S+"), ("actions", r'"[^"]*"'), ("redirect", r'"(?:[^"\\]|\\.)*"'),
    ("reason", r'"[^"]*"'), ("targets", r'"[^"]*"'), ("statuses", r'"[^"]*"'), ("classification", r'"[^"]*"'),
    ("classified_for", r'"[^"]*"'), ("connection", r"\S+"), ("transformed_host", r'"[^"]*"|\S+'),
    ("transformed_uri", r'"[^"]*"|\S+'), ("transformed", r'"[^"]*"|\S+'), ("node", r"\S+"),
)  # fmt: skip
_REST = "".join(rf"(?: (?P<{name}>{form})" for name, form in _BEHIND) + ")?" * len(_BEHIND)
_TABLE = {
    "application": rf"^(?P<type>https?|h2|grpcs|wss?) {_CLOCK} (?P<balancer>app/\S+) {_CLIENT} {_TARGET} {_ANSWER}{_AGENT}{_REST}",
    "network": (
        rf"^(?P<type>tls) \d\.\d {_CLOCK} (?P<balancer>net/\S+) (?P<listener>\S+) {_CLIENT} {_TARGET} (?P<took>-?\d+) "
        r"(?P<handshake>\d+|-) (?P<taken>\d+|-) (?P<sent>\d+|-) (?P<tls_alert>\S+) (?P<certificate>\S+) (?P<serial>\S+) (?P<cipher>\S+) "
        r"(?P<tls>\S+) (?P<key_exchange>\S+) (?P<domain>\S+)"
        r"(?: (?P<alpn_client>\S+) (?P<alpn_target>\S+) (?P<alpn_asked>\S+))?(?: (?P<created>\S+))?"
    ),
    "classic": rf"^{_CLOCK} (?P<balancer>[A-Za-z0-9\-]+) {_CLIENT} {_TARGET} {_ANSWER}{_AGENT}",
    "connection": (
        rf"^{_CLOCK} (?P<src>{_IP}) (?P<sport>\d+) (?P<port>\d+) (?P<tls>TLSv[\d.]+|-) (?P<cipher>\S+) (?P<handshake>[\d.]+|-) "
        r'(?:"(?P<subject>[^"]*)"|-) (?P<validity>\S+) (?P<serial>\S+) "?(?P<verified>[^\s"]+)"?(?: (?P<connection>\S+))?'
        r"(?: (?P<key_exchange>\S+) (?P<balancer>\S+) (?P<node>\S+))?"
    ),
}

source = Source(
    name="aws.elb",
    title={"ja": "AWS ELB(ALB・NLB・CLB)アクセスログ", "en": "AWS load balancers (ALB, NLB, classic)"},
    zone_hint="cloud",
    shape=own_clock(rf"^{_CLOCK} (?:[A-Za-z0-9\-]+ {_IP}:\d|{_IP} \d+ \d+ )", patterns(_TABLE)),
    recognise=(
        rf"^(?:(?:https?|h2|grpcs|wss?) \S+Z app/\S+/\S+ |tls \d\.\d \S+ net/\S+/\S+ |"
        rf"\d{{4}}-\d\d-\d\dT[\d:.]+Z \S+ {_IP}:\d+ \S+ -?[\d.]+ -?[\d.]+ "
        r"-?[\d.]+ (?:\d{3}|-) |\d{4}-\d\d-\d\dT[\d:.]+Z \S+ \d+ \d+ (?:TLSv|- - - ))"
    ),
    leftovers="aws.elb",
    constants={"event.kind": "event", "cloud.provider": "aws", "cloud.service.name": "elb"},
    rename={"sport": "source.port", "version": "http.version"},
    ignore=(
        "text", "clock", "src", "target", "tport", "method", "url", "agent", "status", "created", "taken", "sent", "subject", "pattern",
    ),
)  # fmt: skip


@source.derive
def asked(raw: Raw) -> dict[str, pl.Expr]:
    """The request and its answer; a connection without one is a connection."""
    one = web.request(raw["method"], raw["url"], raw["status"])
    requested = (raw["pattern"] == "application") | ((raw["pattern"] == "classic") & (raw["status"] != "-"))
    refused = (
        ~raw["tls_alert"].is_in(["-", "0"])
        | raw["verified"].str.starts_with("Failed")
        | ((raw["pattern"] == "network") & (raw["cipher"] == "-"))
        | ((raw["pattern"] == "classic") & (raw["target"] == "-"))
    )
    domain = e.present(raw["domain"].str.strip_chars('"'))
    return {
        **{name: value for name, value in one.items() if not name.startswith("event.")},
        "url.domain": e.first(one["url.domain"], domain),
        "event.action": raw["pattern"],
        "event.category": pl.when(requested).then(one["event.category"]).otherwise(e.texts("network")),
        "event.type": pl.when(requested).then(one["event.type"]).otherwise(e.texts("connection")),
        "event.outcome": pl.when(requested)
        .then(one["event.outcome"])
        .when(refused)
        .then(pl.lit("failure"))
        .otherwise(pl.lit("success")),
        "event.reason": e.first(
            e.present(raw["reason"].str.strip_chars('"')), raw["verified"].str.extract(r"^Failed:(\w+)$")
        ),
        "user_agent.original": e.present(raw["agent"]),
    }


@source.derive
def ends(raw: Raw) -> dict[str, pl.Expr]:
    """When, from where to where, how much, and under which cipher."""
    reached = raw["target"].str.strip_chars("[]")
    clock, created = (times.parsed(raw[name], [times.ISO], "UTC") for name in ("clock", "created"))
    secured = raw["tls"].str.extract_groups(r"^(?i:TLS)v?(\d\.\d)$|^(?i:tls)v(\d)(\d)$").struct
    version = e.first(
        secured.field("1"), pl.concat_str(secured.field("2"), secured.field("3"), separator=".")
    )
    where = raw["target_group"].str.extract_groups(r"^arn:[^:]*:elasticloadbalancing:([^:]*):(\d*):").struct
    return {
        "@timestamp": e.time_or(clock, created),
        "event.start": created,
        "source.ip": e.ip(raw["src"]),
        "client.ip": e.ip(raw["src"]),
        "destination.ip": e.ip(reached),
        "destination.domain": e.present(e.not_ip(reached)),
        "destination.port": e.first(raw["tport"], raw["port"]),
        "source.bytes": e.whole(raw["taken"]),
        "destination.bytes": e.whole(raw["sent"]),
        "tls.version": version,
        "tls.cipher": e.present(raw["cipher"]),
        "tls.client.subject": e.present(raw["subject"]),
        "tls.client.server_name": e.present(raw["domain"].str.strip_chars('"')),
        "network.transport": pl.lit("tcp"),
        "network.protocol": raw["type"].replace({"h2": "http", "grpcs": "grpc", "wss": "websocket", "ws": "websocket"}),
        "cloud.region": e.present(where.field("1")),
        "cloud.account.id": e.present(where.field("2")),
        "observer.name": raw["balancer"],
    }  # fmt: skip
