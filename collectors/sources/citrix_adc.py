"""Citrix ADC (NetScaler): audit log of SSL VPN, AAA, connections, commands, application firewall (CEF), shell, web.

Source: NetScaler, "NetScaler log messages reference" (`date:time zone host engine : partition module event id count :
text`, values as `Name value - Name value`) and "Application Firewall CEF logs". Dates are written month first, or year
first; where the first number can be no month, it is the day.
"""

import polars as pl

from collectors import expressions as e
from collectors.shapes import cef, either, patterns
from collectors.source import Raw, Source
from collectors.zone_words import OFFSETS

_IP = r"(\d{1,3}(?:\.\d{1,3}){3}|[0-9A-Fa-f]*:[0-9A-Fa-f:]+)"
# What a relay puts before the line: `<local0.info> 10.0.0.1 `, the management's `svm_service: host  `.
_BEFORE = r'"?(?:<\w+\.\w+> )?(?:[\w.:\-]+ +)?'
_HEAD = r"(?P<clock>\d{2,4}/\d\d/\d{2,4}:\d\d:\d\d:\d\d) +(?:(?P<zone>[A-Z]{3,4}) +)?(?:(?P<host>\S+) )?(?P<engine>[\w\-]+) : "
_TABLE = {
    "audit": (
        rf"^{_BEFORE}(?:{_HEAD})?(?P<partition>\w+) (?:(?P<module>[A-Z][A-Z0-9]*) )?"
        r"(?P<event>[A-Za-z_]\w*(?:-site scripting)?) (?P<number>\d+) \d+ : *(?P<said>(?s:.*))$"
    ),
    "unnumbered": (
        rf"^{_BEFORE}{_HEAD}(?:(?P<partition>[a-z]\w*) )?(?P<module>[A-Z][A-Z0-9]*) (?P<event>[A-Za-z_]\w*)(?: (?P<number>\d+))? : *"
        r"(?P<said>(?s:.*))$"
    ),
    "shell": r'^(?P<user>\S+) on (?P<tty>\S+) shell_command="(?P<command>(?s:.*))"\s*$',
    "web": (
        rf"^(?P<client>{_IP[1:-1]}) -> (?P<server>{_IP[1:-1]}) \S+ (?P<user>\S+) \[(?P<clock2>[^\]]+)\] \[(?P<pid>\d+)\] "
        r'"(?P<method>[A-Z]+) (?P<target>\S+)[^"]*" (?P<status>\d{3}) (?P<bytes>\d+|-)(?P<more>.*)$'
    ),
}

source = Source(
    name="citrix.adc",
    title={"ja": "Citrix ADC(NetScaler)", "en": "Citrix ADC (NetScaler)"},
    zone_hint="dmz",
    shape=either(r"CEF:\d\|Citrix\|", cef(), patterns(_TABLE)),
    recognise=(
        r"CEF:\d\|Citrix\||\d-PPE-\d+ : (?:\w+ )?(?:[A-Z]+ )?[\w\- ]+ \d+ \d+ :|\bon \S+ shell_command=\""
    ),
    constants={"event.kind": "event", "observer.vendor": "Citrix", "observer.product": "ADC"},
    leftovers="citrix.adc",
    rename={
        "host": "observer.hostname",
        "spt": "source.port",
        "geolocation": "citrix.adc.geolocation",
        "cs1": "rule.name",
        "cs4": "log.level",
        "pid": "process.pid",
        "bytes": "http.response.bytes",
        "module": "event.provider",
    },
    ignore=(
        *(
            "clock",
            "clock2",
            "zone",
            "said",
            "text",
            "user",
            "command",
            "client",
            "server",
            "target",
            "status",
            "method",
            "src",
        ),
        *("request", "act", "msg", "pattern", "event", "cef.vendor", "cef.severity", "cef.name", "cef.class"),
    ),
)


def _said(raw: Raw, *names: str) -> pl.Expr:
    """A value of `Name value - Name value`."""
    return e.first(*(raw["said"].str.extract(rf'(?:^|[\s,-]){name}:? "?([^"\s,]+)') for name in names))


def _clock(raw: Raw) -> pl.Expr:
    forms = ("%m/%d/%Y:%H:%M:%S", "%Y/%m/%d:%H:%M:%S", "%d/%m/%Y:%H:%M:%S")
    found = pl.coalesce(raw["clock"].str.to_datetime(form, time_unit="us", strict=False) for form in forms)
    offset = raw["zone"].replace_strict(OFFSETS, default=None, return_dtype=pl.Int64)
    zoned = found.dt.replace_time_zone("UTC") - pl.duration(minutes=offset)
    return pl.when(offset.is_not_null()).then(zoned).otherwise(e.local(found))


@source.derive
def ends(raw: Raw) -> dict[str, pl.Expr]:
    """When, from where, to where."""
    web = raw["clock2"].str.to_datetime("%d/%b/%Y:%H:%M:%S %z", time_unit="us", time_zone="UTC", strict=False)
    near = raw["said"].str.extract_groups(rf"\bSource:? +{_IP}(?::(\d+))?").struct
    far = raw["said"].str.extract_groups(rf"\b(?:Destination:?|Dstip:?) {_IP}(?::(\d+))?").struct
    vserver = (
        raw["said"].str.extract_groups(rf"\b(?:Vserver|VserverServiceIP|ServerIP) {_IP}(?::(\d+))?").struct
    )
    vserver_ip = pl.when(vserver.field("1") != "0.0.0.0").then(vserver.field("1"))  # noqa: S104 — none
    peers = (
        raw["said"].str.extract_groups(rf"src-ip:port={_IP}:(\d+)\}} <-> \{{dst-ip:port={_IP}:(\d+)").struct
    )
    nat = raw["said"].str.extract_groups(rf"\bNatIP {_IP}:(\d+)").struct
    client = e.ip(_said(raw, "Client_ip", "clientip"))
    return {
        "@timestamp": e.time_or(_clock(raw), web, pl.col("header.timestamp")),
        "client.ip": client,
        "source.ip": e.first(
            e.ip(raw["src"]),
            raw["client"],
            near.field("1"),
            e.ip(_said(raw, "Remote_ip", "ClientIP", "Srcip")),
            peers.field("1"),
            pl.when(raw["module"] == "APPFW").then(raw["said"].str.extract(rf"^{_IP} ")),
            client,
            raw["said"].str.extract(rf"\bContext \S+@{_IP} "),
        ),
        "source.port": e.first(
            raw["spt"],
            _said(raw, "ClientPort", "SrcPort"),
            near.field("2"),
            peers.field("2"),
        ),
        "source.bytes": _said(raw, "Total_bytes_recv"),
        "destination.bytes": _said(raw, "Total_bytes_send"),
        "source.nat.ip": nat.field("1"),
        "source.nat.port": nat.field("2"),
        "destination.ip": e.first(raw["server"], far.field("1"), peers.field("3"), vserver_ip),
        "destination.port": e.first(
            far.field("2"),
            _said(raw, "VserverServicePort", "ServerPort", "DestPort"),
            peers.field("4"),
            vserver.field("2"),
        ),
        "host.name": pl.col("header.host"),
    }


@source.derive
def things(raw: Raw) -> dict[str, pl.Expr]:
    """Who did or asked for what."""
    said, command = raw["said"], raw["command"]
    session = said.str.extract_groups(r"\busername:domainname ([^\s:]*):(\S*)").struct
    account = e.first(
        e.present(session.field("1")),
        said.str.extract(r"\bUser: (\S+) - Domain"),
        said.str.extract(r"\bUser <([^>]+)>"),
        said.str.extract(r"\b[Uu]ser (\S+?),? (?:[-:]|clientip|$)"),
        said.str.extract(rf"\bContext (\S+)@{_IP} "),
        e.present(raw["user"]),
    )
    parts = account.str.extract_groups(r"^([^@]+)(?:@(.+))?$").struct
    # Pages are what these messages tell; the same words in a command or a name tell of none.
    request = pl.when(raw["event"] == "HTTPREQUEST").then(said)
    refused = pl.when(raw["event"].str.ends_with("RESOURCEACCESS_DENIED")).then(said)
    asked = request.str.extract_groups(r" : SSO is \w+ : ([A-Z]+) (\S+) - ").struct
    seen = said.str.extract(
        r"(?:\bRequest URL: |\bURL(?: =)? \"?|Illegal URL: | )((?:https?://|www\.)[^\s\"]+|[\w.\-]+\.[a-z]{2,}/\S*)"
    )
    seen = pl.when(raw["module"].is_in(["APPFW", "URLFILT", "CI", "REWRITE"])).then(seen)
    page = request.str.extract_groups(r" GMT ([A-Z]+) (\S+) ").struct
    denied = refused.str.extract_groups(r"\bRemote_host (\S+) - Denied_url (\S+)").struct
    given = e.first(
        raw["request"],
        raw["target"],
        asked.field("2"),
        page.field("2"),
        pl.concat_str(denied.field("1"), denied.field("2")),
        seen,
    )
    bare = given.str.contains(r"^[\w.\-]+\.[a-z]{2,}(?:/|$)").fill_null(False)
    address = e.url_columns(pl.when(bare).then("http://" + given).otherwise(given))
    unsaid = {name: pl.when(~bare).then(address[name]) for name in ("url.scheme", "url.full")}
    profile = said.str.extract(rf"^{_IP} \d+-PPE\d+ \S+ (\S+) ", 2)
    return {
        **address,
        **unsaid,
        "url.original": given,
        "user.name": parts.field("1"),
        "user.domain": e.first(parts.field("2"), e.present(session.field("2"))),
        "dns.question.name": pl.when(raw["event"].str.starts_with("DNS_")).then(_said(raw, "Domain")),
        "http.request.method": e.first(raw["method"], asked.field("1"), page.field("1")),
        "user_agent.original": e.first(
            said.str.extract(r"\bBrowser (.+)$"), said.str.extract(r'\bBrowser_type \\?"([^"\\]+)')
        ),
        "process.command_line": e.first(said.str.extract(r'\bCommand "(.*?)" - Status'), command),
        "process.name": pl.when(command.is_not_null()).then(pl.lit("bash")),
        "http.response.status_code": e.whole(
            e.first(raw["status"], said.str.extract(r"\bHTTP Status: (\d{3})"))
        ),
        "network.transport": said.str.extract(r"\bProtocol ([A-Za-z]+) -").str.to_lowercase(),
        "rule.name": e.first(
            raw["cs1"],
            pl.when(raw["module"] == "APPFW").then(profile),
            said.str.extract(r"\bHit Rule (\S+) -"),
            said.str.extract(r"(?i)denied_by_policy:? \"?([^\s\"]+)"),
            said.str.extract(r" - ACL (\S+)$"),
        ),
        "group.name": e.present(said.str.extract(r'\bGroup\(s\) "?([^\s":]+)').replace({"N/A": None})),
        "tls.cipher": said.str.extract(r'\bCipherSuite "([^"]+)"'),
        "tls.version": said.str.extract(r"\bClientVersion (?:TLS|SSL)v([\d.]+)"),
        "event.reason": e.first(
            said.str.extract(r'\bFailure_reason "([^"]+)"'), said.str.extract(r'- Reason "([^"]+)"')
        ),
        "message": e.first(raw["msg"], said),
    }


@source.derive
def meaning(raw: Raw) -> dict[str, pl.Expr]:
    """event.* by event name and words."""
    event, said = e.first(raw["event"], raw["cef.name"]), raw["said"]
    failed = event.str.contains("FAIL|DENIED") | said.str.contains(
        r'(?i)result is Deny|Status \\?"(?:ERROR|Failed)'
    )
    worked = event.str.contains("LOGIN$|SUCCESS") | said.str.contains(r'Status \\?"(?:Success|Done)')
    flow = event.str.contains(r"CONNSTAT$|FLOWSTAT$|RESOURCEACCESS_DENIED|HTTPREQUEST")
    signing = ~flow & (
        event.str.contains("LOGIN|LOGOUT|AAA") | raw["module"].is_in(["AAA", "AAATM", "SSLVPN"])
    )
    blocked = (raw["act"] == "blocked") | said.str.contains(r"<blocked>\s*$|\bAction:? DENY\b").fill_null(
        False
    )
    code = (
        pl.when(raw["module"].is_in(["AAATM"]) & (event == "Message"))
        .then(e.nothing())
        .otherwise(raw["event"])
    )
    return {
        "event.code": code,
        "event.action": e.first(raw["act"], event.str.to_lowercase()),
        "event.category": pl.when(signing)
        .then(e.texts("authentication", "session"))
        .when(raw["cef.name"].is_not_null())
        .then(e.texts("web", "intrusion_detection"))
        .when(event == "CMD_EXECUTED")
        .then(e.texts("configuration"))
        .when(raw["module"] == "APPFW")
        .then(e.texts("web", "intrusion_detection"))
        .when(flow & (raw["module"] == "SSLVPN"))
        .then(e.texts("network", "session"))
        .otherwise(e.texts("network")),
        "event.type": pl.when(blocked | failed)
        .then(e.texts("denied"))
        .when(event.str.contains("LOGOUT|TERMINATE|DELINK|CONNSTAT$|^ICAEND"))
        .then(e.texts("end"))
        .when(event.is_in(["LOGIN", "ICASTART"]))
        .then(e.texts("start"))
        .otherwise(e.texts("info")),
        "event.outcome": pl.when(failed & (event != "SSL_HANDSHAKE_FAILURE"))
        .then(pl.lit("failure"))
        .when(worked)
        .then(pl.lit("success")),
    }
