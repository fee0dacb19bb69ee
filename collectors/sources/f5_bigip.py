"""F5 BIG-IP: LTM, APM, ASM / Advanced WAF, AFM: CEF, daemons' messages with codes, iRule logs, web interface.

Source: F5, "ArcSight CEF formats" of ASM and AFM, "Logging application security events" (key-value pairs),
"External Monitoring of BIG-IP Systems: log messages" (`code:level:` before the text; APM puts `/profile:partition:session:` in front),
httpd's `ssl_acc`/`ssl_req`.
"""

import polars as pl

from collectors import expressions as e
from collectors.shapes import cef, either, key_value, patterns
from collectors.source import Raw, Source

_IP = r"(?:\d{1,3}(?:\.\d{1,3}){3}|[0-9A-Fa-f]*:[0-9A-Fa-f:]+)"
_DAEMON = (
    r"^(?:slot\d+/\S+ )?(?:(?:(?:notice|err|warning|info|debug|alert|crit|emerg) )?(?P<daemon>[a-z][\w\-]*)"
    r"(?:\(\w+\))?(?:\[(?P<pid>\d+)\])?: )?"
)
_PAIRS = r"\b(?:ip_client|violation_rating)=\"?[^\",]*\"?,.*\bsupport_id=|\bsupport_id=\"\d+\",.*\b(?:ip_client|violation_rating)="
"""The application firewall's key-value storage format, in whatever order its fields were chosen."""
_SITE = r"(?i)(?:\\r\\n|\\n|\r?\n)Host: *([\w.\-]+)"
"""The header `Host` of a request's text, at the beginning of a line: elsewhere the requester writes what he likes."""
_TABLE = {
    "rule": rf"{_DAEMON}Rule (?P<rule>\S+) <(?P<phase>[^>]+)>: (?P<said>.*)$",
    "acc": (
        rf"{_DAEMON}\[ssl_acc\] (?P<client>{_IP}) \S+ (?P<user>\S+) \[(?P<clock>[^\]]+)\] "
        r'"?(?P<target>/[^\s"]*)[^"]*?"? (?P<status>\d{3}) (?P<bytes>\d+|-)'
    ),
    "req": (
        rf"{_DAEMON}\[ssl_req\]\[(?P<clock>[^\]]+)\] (?P<client>{_IP}) (?P<tls>\S+) (?P<cipher>\S+) "
        r'"(?P<target>[^"]*)" (?P<bytes>\d+|-)'
    ),
    "session": (
        rf"{_DAEMON}(?:(?P<code>[0-9a-f]{{8}}):(?P<level>\d): )?(?P<profile>/\S+?):(?P<partition>[^:\s]+):(?P<session>[0-9a-f]+): "
        r"(?P<said>.*)$"
    ),
    "sshd": (
        r"^(?:(?:notice|err|warning|info) )?(?P<daemon>sshd)(?:\(\w+\))?(?:\[(?P<pid>\d+)\])?: "
        r"(?P<said>(?:Accepted|Failed) \S+ for .*)$"
    ),
    "coded": rf"{_DAEMON}(?P<code>[0-9a-f]{{8}}):(?P<level>\d): (?P<said>(?s:.*))$",
    "daemon": (
        r"^(?:slot\d+/\S+ )?(?P<severity>notice|err|error|warning|info|debug|alert|crit|emerg) (?P<daemon>[A-Za-z][\w\-./]*)"
        r"(?:\(\w+\))?(?:\[(?P<pid>\d+)\])?: (?P<said>(?s:.*))$"
    ),
}

source = Source(
    name="f5.bigip",
    title={"ja": "F5 BIG-IP", "en": "F5 BIG-IP"},
    zone_hint="dmz",
    shape=either(
        r"CEF:\d\|F5\|",
        cef(),
        either(_PAIRS, key_value(comma=True, needs=["support_id", "ip_client"]), patterns(_TABLE)),
    ),
    recognise=(
        rf"CEF:\d\|F5\||{_PAIRS}"
        r"|\b(?:apmd|tmm\d*|mcpd|logger|bd|perl|sshd|httpd)(?:\[\d+\])?: (?:[0-9a-f]{8}:\d: |Rule /|\[ssl_(?:acc|req)\])"
        r"|^[0-9a-f]{8}:\d: /"
    ),
    constants={"event.kind": "event", "observer.vendor": "F5", "observer.product": "BIG-IP"},
    leftovers="f5.bigip",
    rename={
        "spt": "source.port",
        "dpt": "destination.port",
        "requestClientApplication": "user_agent.original",
        "http_code": "http.response.status_code",
        "dvchost": "host.name",
        "severity": "log.level",
        "bytes": "http.response.bytes",
        "cipher": "tls.cipher",
        "src_port": "source.port",
        "dest_port": "destination.port",
        "unit_hostname": "host.name",
        "policy_name": "rule.ruleset",
    },
    ignore=(
        *(
            "said",
            "text",
            "client",
            "user",
            "pid",
            "clock",
            "target",
            "status",
            "src",
            "dst",
            "rt",
            "act",
            "request",
            "host",
        ),
        *(
            "pattern",
            "profile",
            "rule",
            "level",
            "code",
            "daemon",
            "c6a2",
            "c6a3",
            "suser",
            "cs3",
            "cs4",
            "proto",
            "requestMethod",
            "app",
            "method",
            "request_status",
            "req_status",
        ),
        *("cef.vendor", "cef.severity", "cef.name", "cef.class", "f5_asm"),
        *(
            "ip_client",
            "dest_ip",
            "date_time",
            "uri",
            "query_string",
            "response_code",
            "resp_code",
            "req",
            "protocol",
            "username",
        ),
    ),
)


def _named(raw: Raw, label: str) -> pl.Expr:
    """The value of a CEF custom field by its label."""
    names = [f"cs{n}" for n in range(1, 7)] + [f"cn{n}" for n in range(1, 5)] + ["c6a2", "c6a3"]
    return e.first(*(pl.when(raw[f"{name}Label"] == label).then(e.present(raw[name])) for name in names))


def _given(raw: Raw, name: str) -> pl.Expr:
    """A value of the key-value pairs format, which writes `N/A` for none."""
    return e.present(raw[name].replace({"N/A": None}))


def _word(raw: Raw, name: str) -> pl.Expr:
    """`name: value` of the application firewall's text log."""
    return raw["said"].str.extract(rf"(?:^|, ){name}: ([^,]+)")


@source.derive
def ends(raw: Raw) -> dict[str, pl.Expr]:
    """When, from where, to where."""
    said = raw["said"]
    near = said.str.extract_groups(rf"(?:from |^|packet: \w+ )({_IP}):(\d+)\b").struct
    pair = said.str.extract_groups(rf"({_IP}):(\d+) -> ({_IP}):(\d+)").struct
    answer = said.str.extract_groups(rf"^({_IP}):(\d+): .* response .*?from ({_IP}):(\d+)").struct
    asm = raw["date_time"].str.to_datetime("%Y-%m-%d %H:%M:%S", time_unit="us", strict=False)
    rt = raw["rt"].str.to_datetime("%b %d %Y %H:%M:%S", time_unit="us", time_zone="UTC", strict=False)
    web = raw["clock"].str.to_datetime("%d/%b/%Y:%H:%M:%S %z", time_unit="us", time_zone="UTC", strict=False)
    return {
        "@timestamp": e.time_or(rt, web, e.local(asm), pl.col("header.timestamp")),
        "source.ip": e.first(
            e.ip(raw["src"]),
            e.ip(raw["ip_client"]),
            raw["client"],
            answer.field("3"),
            pair.field("1"),
            e.ip(_word(raw, "source ip")),
            e.ip(_named(raw, "source_address")),
            pl.when(raw["pattern"] != "rule").then(near.field("1")),
            said.str.extract(rf"(?i)\bclient IP:? ({_IP})"),
            said.str.extract(rf"\bhost=({_IP})"),
            said.str.extract(rf"^\[error\] \[client ({_IP})\]"),
            said.str.extract(rf" from ({_IP}) port \d+"),
        ),
        "source.port": e.first(
            raw["spt"], raw["src_port"], answer.field("4"), pair.field("2"), _word(raw, "source port")
        ),
        "source.nat.ip": said.str.extract(rf"^Assigned PPP Dynamic IPv[46]: ({_IP})"),
        "source.bytes": said.str.extract(r"\bbytes in: (\d+)"),
        "destination.bytes": said.str.extract(r"\bbytes out: (\d+)"),
        "source.domain": pl.when(raw["pattern"] == "session").then(pl.col("header.host")),
        "destination.ip": e.first(
            e.ip(raw["dst"]),
            e.ip(raw["dest_ip"]),
            answer.field("1"),
            pair.field("3"),
            e.ip(_word(raw, "destination ip")),
            said.str.extract(rf"\bat VIP ({_IP})"),
        ),
        "destination.port": e.first(
            raw["dpt"], raw["dest_port"], answer.field("2"), pair.field("4"), _word(raw, "destination port")
        ),
        "observer.hostname": e.first(raw["dvchost"], _given(raw, "unit_hostname"), pl.col("header.host")),
    }


@source.derive
def request(raw: Raw) -> dict[str, pl.Expr]:
    """What was asked for, of whom, by whom."""
    said = raw["said"]
    shown = said.str.extract(r"\bURL: (\S+)")
    asked = said.str.extract_groups(r"\brequest: <?([A-Z]+) (\S+) HTTP").struct
    text = e.first(raw["cs3"], raw["request"], raw["req"])
    pairs = raw["support_id"].is_not_null()  # whose `request` is the request's text; CEF's is an address
    site = pl.when(pairs).then(raw["request"]).str.extract(_SITE)
    uri = e.first(e.present(_word(raw, "uri")), _given(raw, "uri"), asked.field("2"))
    host = e.first(
        e.present(raw["host"]),
        raw["dvchost"],
        pl.when(raw["pattern"] == "session").then(pl.col("header.host")),
    )
    whole = e.present(pl.when(~pairs).then(raw["request"]))
    target = e.first(whole, raw["target"], shown, uri)
    line = e.first(text, said).str.extract(r"\b(?:GET|POST|PUT|DELETE|HEAD) (\S+) HTTP")
    address = e.url_columns(target)
    return {
        **address,
        "url.path": e.first(address["url.path"], shown, line),
        "url.original": e.first(target, line, uri),
        "url.query": e.first(address["url.query"], _given(raw, "query_string")),
        "url.domain": e.first(address["url.domain"], site, shown.str.extract(r"^([^/\s]+)/"), host),
        "http.request.method": e.first(
            e.present(raw["requestMethod"]), _given(raw, "method"), asked.field("1")
        ),
        "http.request.referrer": e.first(
            e.present(raw["requestContext"]), text.str.extract(r"(?s)Referer: (.*?)(?:\\r|\r|\\n|\n|$)")
        ),
        "http.response.status_code": e.first(
            raw["http_code"],
            e.first(_given(raw, "response_code"), _given(raw, "resp_code")).replace({"0": None}),
            raw["status"],
            _named(raw, "response_code"),
            said.str.extract(r"\bHTTP: (\d{3}) response"),
        ),
        "user_agent.original": e.first(
            e.present(raw["requestClientApplication"]),
            said.str.extract(r"Received User-Agent header: (.+)$"),
            text.str.extract(r"(?s)User-Agent: (.*?)(?:\\r|\r|\\n|\n|$)"),
        ),
        "user.name": e.first(
            said.str.extract(r"\bUsername '([^']+)'"),
            said.str.extract(r"authenticat(?:e|ion) with '([^']+)'"),
            said.str.extract(r"\bsession\.logon\.last\.username is (\S+)"),
            said.str.extract(r"\bPAM: user '([^']+)'"),
            e.present(raw["user"]),
            e.present(raw["suser"]),
            _given(raw, "username"),
            said.str.extract(r"^user=([^\s(]+)"),
            said.str.extract(r"\bauthenticated user (\S+)"),
            said.str.extract(r"\buser (\S+) successfully authenticated"),
            said.str.extract(r"\bAUDIT - .*?\buser=?:? ?([^\s,(]+)"),
            said.str.extract(rf"\bfor (?:invalid user )?(\S+) from {_IP} port"),
        ),
        "process.command_line": said.str.extract(r"\bcmd_data=(.+)$"),
        "process.pid": e.first(raw["pid"], pl.col("header.pid").str.extract(r"^(\d+)$")),
        "dns.question.name": _named(raw, "query_name"),
        "dns.question.type": _named(raw, "query_type"),
        "network.transport": e.first(said.str.extract(r"packet: (\w+) "), raw["proto"].str.to_lowercase()),
        "network.protocol": e.first(raw["app"], _given(raw, "protocol").str.to_lowercase()),
        "rule.name": e.first(
            raw["rule"],
            said.str.extract(r"Following rule '([^']+)'"),
            said.str.extract(r"\bACL: (\S+?):\d+ "),
            said.str.extract(r"^\[SECEV\] ([^:]+):"),
            raw["profile"],
            _given(raw, "policy_name"),
        ),
        "message": said,
    }


@source.derive
def meaning(raw: Raw) -> dict[str, pl.Expr]:
    """event.* by action and words."""
    said, act = raw["said"], e.first(raw["act"], raw["request_status"], raw["req_status"]).str.to_lowercase()
    denied = act.is_in(["drop", "blocked", "reject", "deny"]).fill_null(False) | said.str.contains(
        r"(?i)discard ACL|\bdenied\b"
    )
    failed = said.str.contains(
        r"(?i)^Failed |(?:^|[^\[])\berror\b|\bnot authenticated\b|\bfailed\b|\bfailure\b"
    ).fill_null(False)
    signing = (raw["pattern"] == "sshd") | said.str.contains(
        r"RAW: (?:httpd|sshd)\(\w+\)|\bPAM: user '|^user=\S+ partition=|\bauthenticated user |successfully authenticated"
    )
    audit = said.str.contains("AUDIT - ", literal=True)
    session, done = raw["pattern"] == "session", act.is_not_null() | raw["http_code"].is_not_null()
    waf = (
        raw["cef.class"].is_not_null()
        | raw["support_id"].is_not_null()
        | said.str.contains("[SECEV]", literal=True)
    )
    code = e.first(raw["code"], pl.col("header.msgid").str.extract(r"^([0-9a-f]{8}):\d:$"), raw["cef.class"])
    return {
        "event.code": code,
        "event.reason": pl.when(session & failed).then(said.str.extract(r"\bfailed(?: in \S+)?: (.+)$")),
        "event.action": e.first(act, said.str.extract(r"to ending '([^']+)'").str.to_lowercase()),
        "event.category": pl.when(denied & session)
        .then(e.texts("network", "session"))
        .when(session)
        .then(e.texts("authentication", "session"))
        .when(signing)
        .then(e.texts("authentication"))
        .when(audit)
        .then(e.texts("configuration"))
        .when(waf)
        .then(e.texts("web", "intrusion_detection"))
        .otherwise(e.texts("network")),
        "event.type": pl.when(denied)
        .then(e.texts("denied"))
        .when(signing)
        .then(e.texts("start"))
        .when(session & said.str.contains(r"^New session|^PPP tunnel \S+ .*started"))
        .then(e.texts("start"))
        .when(session & said.str.contains(r"^Session deleted|^PPP tunnel \S+ closed"))
        .then(e.texts("end"))
        .when(session)
        .then(e.texts("info"))
        .otherwise(e.texts("access")),
        "event.outcome": pl.when(failed & ~session)
        .then(pl.lit("failure"))
        .when(session & failed)
        .then(pl.lit("failure"))
        .when(said.str.contains(r"^Accepted |Command OK\]|\bauthenticated user |successfully authenticated"))
        .then(pl.lit("success"))
        .when(done | (session & ~denied))
        .then(pl.lit("success")),
    }
