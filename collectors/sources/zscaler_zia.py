r"""Zscaler Internet Access: web, firewall, DNS, tunnel, SaaS security (CASB), DLP, alert and admin audit logs.

Source: Zscaler Help, "NSS Feed Output Format" (web, firewall, DNS, tunnel, SaaS security, endpoint DLP, admin
audit) and "Cloud NSS". Feeds are JSON (`{"sourcetype": "zscalernss-web", "event": {…}}`) or tab-separated
`key=value`; administrators name the fields, so the names of Zscaler's own templates for both are known here.
Times are in the feed's zone, GMT unless changed. `None`, `NA` and `Unknown` are Zscaler's words for nothing.
"""

import polars as pl

from collectors import expressions as e
from collectors import times
from collectors.shapes import either, json_fields, renamed, tagged
from collectors.source import Raw, Source

_TAGGED = r"\t(?:event_id|recordid|reason|product|vendor|ClientIP|cdip|csip|reqaction)="
_SENT = ("time", "datetime", "epochtime", "tz")
_WHO = ("user", "login", "elogin", "adminid", "deviceowner", "odeviceowner")
_URL = ("url", "eurl", "fullurl", "hostname", "host", "ehost")
_VERDICT = ("action", "reqaction", "resaction", "result", "event", "sourcetype", "status", "respcode")
_ENDS = ("ClientIP", "clientip", "cip", "sourceip", "csip", "clt_sip", "serverip", "sip", "destinationip")
_MORE_ENDS = ("cdip", "srv_dip", "protocol", "proto", "nwsvc", "clientpublicIP", "cintip", "clientpublicip")
_TEXTS = {
    "useragent": "user_agent.original",
    "ua": "user_agent.original",
    "eua": "user_agent.original",
    "requestmethod": "http.request.method",
    "reqmethod": "http.request.method",
    "refererURL": "http.request.referrer",
    "referer": "http.request.referrer",
    "ereferer": "http.request.referrer",
    "requestsize": "http.request.bytes",
    "reqsize": "http.request.bytes",
    "responsesize": "http.response.bytes",
    "respsize": "http.response.bytes",
    "contenttype": "http.response.mime_type",
    "outbytes": "source.bytes",
    "txbytes": "source.bytes",
    "inbytes": "destination.bytes",
    "rxbytes": "destination.bytes",
    "csport": "source.port",
    "sourceport": "source.port",
    "ssip": "source.nat.ip",
    "ssport": "source.nat.port",
    "cdport": "destination.port",
    "destinationport": "destination.port",
    "srv_dport": "destination.port",
    "sdip": "destination.nat.ip",
    "sdport": "destination.nat.port",
    "destcountry": "destination.geo.country_name",
    "devicehostname": "host.name",
    "odevicehostname": "host.name",
    "devicename": "host.name",
    "filename": "file.name",
    "efilename": "file.name",
    "object_name_1": "file.name",
    "itemname": "file.name",
    "filesource": "file.directory",
    "filesrcpath": "file.path",
    "filesize": "file.size",
    "filetype": "file.type",
    "filetypename": "file.type",
    "filemd5": "file.hash.md5",
    "bamd5": "file.hash.md5",
    "md5": "file.hash.md5",
    "filesha": "file.hash.sha256",
    "sha256": "file.hash.sha256",
    "rulelabel": "rule.name",
    "rulename": "rule.name",
    "policy": "rule.name",
    "reqrulelabel": "rule.name",
    "resrulelabel": "zscaler.zia.resrulelabel",
    "ipsrulelabel": "zscaler.zia.ips_rule",
    "req": "dns.question.name",
    "dns_req": "dns.question.name",
    "reqtype": "dns.question.type",
    "dns_reqtype": "dns.question.type",
    "applicationname": "network.application",
    "nwapp": "network.application",
    "tunneltype": "network.type",
    "company": "organization.name",
    "reason": "event.reason",
    "errorcode": "event.code",
}

source = Source(
    name="zscaler.zia",
    title={"ja": "Zscaler Internet Access(ウェブ・FW・DNS・CASB)", "en": "Zscaler Internet Access"},
    zone_hint="internet",
    shape=renamed(
        either(r"^[^{]{0,400}\{", json_fields(), tagged(_TAGGED)), {"event.time": "time"}, ("event.",)
    ),
    recognise=r'"sourcetype"\s*:\s*"zscalernss-|"vendor"\s*:\s*"Zscaler"|\tvendor=Zscaler\b|\bproduct=NSS\t',
    leftovers="zscaler.zia",
    constants={"event.kind": "event", "observer.vendor": "Zscaler", "observer.product": "ZIA"},
    ignore=(*_SENT, *_WHO, *_URL, *_VERDICT, *_ENDS, *_MORE_ENDS, *_TEXTS),
)
_CLOCKS = ("%a %b %e %H:%M:%S %Y", "%Y-%m-%d %H:%M:%S", times.ISO, "epoch")
_WORDS = ("None", "NA", "Unknown", "UNKNOWN", "NULL")


def _said(raw: Raw, *names: str) -> pl.Expr:
    """The first of these fields that says something."""
    values = [e.present(raw[name]) for name in names]
    return e.first(*(pl.when(~value.is_in(_WORDS)).then(value) for value in values))


@source.derive
def facts(raw: Raw) -> dict[str, pl.Expr]:
    """What needs no more than its name; who, when and where."""
    by_target: dict[str, list[str]] = {}
    for name, target in _TEXTS.items():
        by_target.setdefault(target, []).append(name)
    login = _said(raw, "user", "login", "elogin", "adminid")
    return {
        **{target: _said(raw, *names) for target, names in by_target.items()},
        "@timestamp": e.time_or(
            *(times.parsed(raw[name], _CLOCKS, "UTC") for name in ("datetime", "time", "epochtime"))
        ),
        "user.email": pl.when(login.str.contains("@", literal=True)).then(login),
        "user.name": _said(raw, "deviceowner", "odeviceowner", "user", "login", "elogin", "adminid"),
        "user.domain": login.str.extract(r"@(.+)$"),
        "source.nat.ip": e.ip(_said(raw, "ssip", "clientpublicIP", "clientpublicip", "cintip")),
        "user_agent.original": e.first(*(e.present(raw[name]) for name in ("useragent", "ua", "eua"))),
        "event.provider": raw["sourcetype"],
    }


@source.derive
def ends(raw: Raw) -> dict[str, pl.Expr]:
    """Client and server, the address asked for, what they spoke."""
    url = _said(raw, "fullurl", "url", "eurl")
    zoned = url.str.contains("://", literal=True)
    parts = e.url_columns(pl.when(zoned).then(url).otherwise(pl.concat_str(pl.lit("http://"), url)))
    host, spoken = _said(raw, "hostname", "host", "ehost"), _said(raw, "protocol", "proto").str.to_lowercase()
    server = _said(raw, "serverip", "sip", "destinationip", "cdip", "srv_dip")
    web = raw["sourcetype"].str.ends_with("-web").fill_null(True)
    return {
        **{name: value for name, value in parts.items() if name not in ("url.scheme", "url.full")},
        "url.original": url,
        "url.full": pl.when(zoned).then(url),
        "url.scheme": pl.when(zoned).then(parts["url.scheme"]),
        "url.domain": e.first(parts["url.domain"], pl.when(web).then(host)),
        "source.ip": e.ip(_said(raw, "ClientIP", "clientip", "cip", "sourceip", "csip", "clt_sip")),
        "destination.ip": e.ip(server),
        "destination.domain": e.not_ip(host),
        "host.name": e.first(_said(raw, "devicehostname", "odevicehostname", "devicename")),
        "network.protocol": e.first(_said(raw, "nwsvc").str.to_lowercase(), spoken),
        "network.transport": pl.when(spoken.is_in(["tcp", "udp", "icmp", "gre", "esp"])).then(spoken),
        "http.response.status_code": e.whole(_said(raw, "status", "respcode")),
    }


_KINDS = {
    "web": ("network", "web"),
    "fw": ("network",),
    "dns": ("network",),
    "tunnel": ("network",),
    "casb": ("file",),
    "audit": ("configuration",),
}


@source.derive
def meaning(raw: Raw) -> dict[str, pl.Expr]:
    """event.*: sign-ins of administrators, what was let through or blocked, everything else as information."""
    action = _said(raw, "action", "reqaction", "event")
    verb, kind = action.str.to_lowercase(), raw["sourcetype"].str.extract(r"zscalernss-(\w+)$")
    sign = verb.str.contains(r"^sign_(?:in|out)")
    denied = verb.str.contains(r"block|drop|deny|denied|reset|quarantine")
    result = _said(raw, "result").str.to_lowercase()
    told = e.first(e.listed(kind, _KINDS), e.texts("network"))
    return {
        "event.action": verb,
        "event.category": pl.when(sign).then(e.texts("authentication")).otherwise(told),
        "event.type": pl.when(verb == "sign_in")
        .then(e.texts("start"))
        .when(verb == "sign_out")
        .then(e.texts("end"))
        .when(kind == "audit")
        .then(e.texts("change"))
        .when(denied)
        .then(e.texts("denied"))
        .when(verb.str.contains("^allow"))
        .then(e.texts("allowed"))
        .otherwise(e.texts("info")),
        "event.outcome": pl.when(result == "success")
        .then(pl.lit("success"))
        .when(result.is_not_null())
        .then(pl.lit("failure")),
    }


source.refine(e.related)
