r"""Zscaler Internet Access by NSS or Cloud NSS: web, firewall, DNS, tunnel, SaaS (CASB), DLP, alerts, admin audit.

Source: Zscaler, "NSS Feed Output Format" of each log. Feeds are JSON (`{"sourcetype": "zscalernss-web",
"event": {…}}`, Splunk's feed) or tab-separated `key=value`. Administrators name the fields; those of the recommended
feeds are understood, in any case of letters, and those of QRadar's (LEEF). Times are GMT unless the feed says
otherwise; web addresses come without a scheme; `None`, `NA` and `Unknown` are Zscaler's words for nothing.
"""

import polars as pl

from collectors import expressions as e
from collectors import times
from collectors.shapes import either, json_fields, renamed, tagged
from collectors.source import Raw, Source
from collectors.zone_words import OFFSETS

_TAGGED = r"\t(?:event_id|recordid|reason|product|vendor|[Cc]lient[Ii][Pp]|cdip|csip|reqaction)="
_JSON = r'"sourcetype"\s*:\s*"zscalernss-\w+"|"vendor"\s*:\s*"Zscaler"'
_TABLE: dict[str, tuple[str, ...]] = {
    "source.ip": (
        "clientip",
        "csip",
        "cip",
        "sourceip",
        "clt_sip",
        "srcip",
        "src_ip",
        "clientpublicip",
        "cintip",
        "src",
    ),
    "source.port": ("csport", "sourceport", "srcport", "clt_sport"),
    "source.nat.ip": ("ssip", "clientpublicip", "cintip", "srcpostnat"),
    "source.nat.port": ("ssport",),
    "source.bytes": ("outbytes", "txbytes", "requestsize", "reqsize", "srcbytes"),
    "destination.ip": ("serverip", "sip", "cdip", "destinationip", "srv_dip", "dstip", "dst"),
    "destination.port": ("cdport", "destinationport", "srv_dport", "dstport"),
    "destination.nat.ip": ("sdip",),
    "destination.nat.port": ("sdport",),
    "destination.bytes": ("inbytes", "rxbytes", "responsesize", "respsize", "dstbytes"),
    "destination.domain": ("hostname", "host", "ehost", "cdfqdn"),
    "http.request.method": ("requestmethod", "reqmethod"),
    "http.request.referrer": ("refererurl", "referer", "ereferer"),
    "http.request.bytes": ("requestsize", "reqsize"),
    "http.response.bytes": ("responsesize", "respsize"),
    "http.response.status_code": ("status", "respcode"),
    "http.response.mime_type": ("contenttype",),
    "host.name": ("devicehostname", "odevicehostname", "devicename"),
    "file.name": ("filename", "efilename", "object_name_1", "upload_filename", "itemname"),
    "file.path": ("filesrcpath",),
    "file.directory": ("filesource",),
    "file.size": ("filesize",),
    "file.type": ("filetype", "filetypename"),
    "file.hash.md5": ("filemd5", "bamd5", "md5"),
    "file.hash.sha256": ("filesha", "sha256"),
    "rule.name": (
        "policy",
        "rulelabel",
        "rulename",
        "rule",
        "reqrulelabel",
        "resrulelabel",
        "dlprulename",
        "urlfilterrulelabel",
    ),
    "dns.question.name": ("dns_req", "req"),
    "dns.question.type": ("dns_reqtype", "reqtype"),
    "network.application": ("applicationname", "nwapp", "appname"),
    "network.type": ("tunneltype",),
    "organization.name": ("company",),
    "event.reason": ("reason",),
    "event.code": ("errorcode",),
    "threat.indicator.name": ("threatname",),
}
_SHOWN_ELSEWHERE = (*("time", "datetime", "timestamp", "epochtime", "sourcetype", "useragent", "ua", "eua"),
                    *("url", "eurl", "fullurl", "protocol", "proto", "ipproto", "nwsvc", "action", "result"),
                    *("user", "login", "elogin", "adminid", "deviceowner", "odeviceowner", "ologin", "usrname"),
                    *("devtime", "devtimeformat"))  # fmt: skip

source = Source(
    name="zscaler.zia",
    title={"ja": "Zscaler Internet Access", "en": "Zscaler Internet Access"},
    zone_hint="internet",
    shape=renamed(either(_JSON, json_fields(), tagged(_TAGGED)), {}, ("event.",), lower=True),
    recognise=rf"{_JSON}|\tvendor=Zscaler\b|\tproduct=NSS\b",
    leftovers="zscaler.zia",
    constants={"event.kind": "event", "observer.vendor": "Zscaler", "observer.product": "ZIA"},
    ignore=(*_SHOWN_ELSEWHERE, *{name for names in _TABLE.values() for name in names}),
)
_CLOCKS = ("%a %b %e %H:%M:%S %Y", "%Y-%m-%d %H:%M:%S", times.ISO, "epoch")
_NOTHING = ("none", "na", "unknown", "null")
_ADDRESSES = ("source.ip", "source.nat.ip", "destination.ip", "destination.nat.ip")


def _zoned(shown: pl.Expr) -> pl.Expr:
    """QRadar's feed: `Nov 20 2026 03:14:05 JST`."""
    offset = shown.str.extract(r" ([A-Z]{2,5})$").replace_strict(OFFSETS, default=None, return_dtype=pl.Int64)
    clock = shown.str.replace(r" [A-Z]{2,5}$", "").str.to_datetime(
        "%b %e %Y %H:%M:%S", time_unit="us", strict=False
    )
    return clock.dt.replace_time_zone("UTC") - pl.duration(minutes=offset)


def _said(raw: Raw, *names: str) -> pl.Expr:
    """The first of these fields that says something."""
    values = [e.present(raw[name]) for name in names]
    return e.first(*(pl.when(~value.str.to_lowercase().is_in(_NOTHING)).then(value) for value in values))


@source.derive
def facts(raw: Raw) -> dict[str, pl.Expr]:
    """What needs no more than its name; who and when. Without sign-in `user` is a location's name."""
    named = {target: _said(raw, *names) for target, names in _TABLE.items()}
    place = e.first(raw["location"], raw["locationname"], raw["realm"])
    login = _said(raw, "user", "login", "elogin", "adminid", "usrname")
    login = pl.when(login.ne_missing(place)).then(login)
    mail = pl.when(login.str.contains("@", literal=True)).then(login)
    clocks = ("datetime", "time", "timestamp", "epochtime", "gmttime")
    return {
        **named,
        **{name: e.ip(named[name]) for name in _ADDRESSES},
        "@timestamp": e.time_or(
            *(times.parsed(raw[name], _CLOCKS, "UTC") for name in clocks), _zoned(raw["devtime"])
        ),
        "source.nat.ip": pl.when(e.ip(named["source.nat.ip"]) != named["source.ip"]).then(
            e.ip(named["source.nat.ip"])
        ),
        "destination.domain": e.not_ip(named["destination.domain"]),
        "dns.question.type": named["dns.question.type"].str.extract(r"^(\S+)"),
        "http.response.status_code": e.whole(named["http.response.status_code"]),
        "user.email": mail,
        "user.domain": mail.str.extract(r"@([^@]+)$"),
        "user.name": e.first(_said(raw, "deviceowner", "odeviceowner", "adminid", "ologin"), login),
        "user_agent.original": e.first(*(e.present(raw[name]) for name in ("useragent", "ua", "eua"))),
        "event.provider": raw["sourcetype"],
    }


@source.derive
def asked(raw: Raw) -> dict[str, pl.Expr]:
    """The address asked for and what was spoken."""
    url = _said(raw, "fullurl", "url", "eurl")
    whole = url.str.contains("://", literal=True)
    parts = e.url_columns(pl.when(whole).then(url).otherwise(pl.concat_str(pl.lit("none://"), url)))
    spoken = _said(raw, "protocol", "proto", "ipproto").str.to_lowercase()
    return {
        **parts,
        "url.original": url,
        "url.full": pl.when(whole).then(url),
        "url.scheme": pl.when(whole).then(parts["url.scheme"]),
        "network.protocol": pl.when(_said(raw, "dns_req", "req").is_not_null())
        .then(pl.lit("dns"))
        .otherwise(e.first(_said(raw, "nwsvc").str.to_lowercase(), spoken)),
        "network.transport": pl.when(spoken.is_in(["tcp", "udp", "icmp", "gre", "esp"])).then(spoken),
    }


_DENIED = r"block|drop|den(?:y|ied)|reset|quarantin"
_KINDS = {
    "web": ("web", "network"),
    "casb": ("file",),
    "edlp": ("file",),
    "audit": ("configuration",),
    "alerts": ("host",),
}


@source.derive
def meaning(raw: Raw) -> dict[str, pl.Expr]:
    """event.*: sign-ins of administrators, their changes, what was let through or blocked."""
    verb = _said(raw, "action", "reqaction", "event").str.to_lowercase()
    kind, result = raw["sourcetype"].str.extract(r"zscalernss-(\w+)$"), raw["result"].str.to_lowercase()
    sign_in, sign_out = verb == "sign_in", verb == "sign_out"
    denied = verb.str.contains(_DENIED) | raw["resaction"].str.to_lowercase().str.contains(_DENIED)
    return {
        "event.action": verb,
        "event.category": pl.when(sign_in | sign_out)
        .then(e.texts("authentication"))
        .otherwise(e.first(e.listed(kind, _KINDS), e.texts("network"))),
        "event.type": pl.when(sign_in)
        .then(e.texts("start"))
        .when(sign_out)
        .then(e.texts("end"))
        .when(kind == "audit")
        .then(e.texts("change"))
        .when(denied)
        .then(e.texts("denied"))
        .when(verb.str.contains("allow|permit"))
        .then(e.texts("allowed"))
        .otherwise(e.texts("info")),
        "event.outcome": pl.when(result == "success")
        .then(pl.lit("success"))
        .when(result.str.starts_with("fail"))
        .then(pl.lit("failure")),
    }
