"""event.kind/category/type/outcome of a FortiGate log line, from type, subtype and action.

Source: Fortinet, FortiOS Log Message Reference (log types and subtypes; action values of the SSL-VPN, user
and system events). The outcome is that of the action on the line: a firewall that denies succeeds in
denying (event.type `denied` says what happened), a refused sign-in is a failure.
"""

import polars as pl

from collectors import expressions as e
from collectors.source import Raw

_ALERTS = ("virus", "ips", "anomaly", "waf", "dlp", "file-filter")
_UTM = {
    "virus": ("malware", "network"),
    "ips": ("intrusion_detection", "network"),
    "anomaly": ("intrusion_detection", "network"),
    "waf": ("intrusion_detection", "web"),
    "webfilter": ("web", "network"),
    "dns": ("network",),
    "app-ctrl": ("network",),
    "emailfilter": ("email", "network"),
    "dlp": ("file", "network"),
    "file-filter": ("file", "network"),
    "cifs": ("file", "network"),
    "icap": ("web", "network"),
    "gtp": ("network",),
    "forti-switch": ("network",),
    "virtual-patch": ("intrusion_detection", "network"),
    "ssh": ("network",),
    "ssl": ("network",),
    "voip": ("network",),
}
_EVENT = {
    "vpn": ("session", "network"),
    "user": ("authentication",),
    "system": ("host",),
    "ha": ("host",),
    "router": ("network",),
    "wireless": ("network",),
    "wad": ("network",),
    "endpoint": ("host",),
    "security-rating": ("configuration",),
    "sdwan": ("network",),
    "rest-api": ("web", "configuration"),
    "connector": ("configuration",),
    "fortiextender": ("network",),
    "switch-controller": ("network",),
    "wireless-event": ("network",),
}
_SIGN_IN = (
    "login",
    "logout",
    "ssl-login-fail",
    "ssl-login",
    "authentication",
    "auth-logon",
    "auth-logout",
    "fsso-logon",
    "fsso-logoff",
)
_CHANGES = {
    "add": "creation",
    "edit": "change",
    "delete": "deletion",
    "move": "change",
    "rename": "change",
    "clone": "creation",
}
_STARTS = (
    "tunnel-up",
    "ssl-new-con",
    "start",
    "login",
    "ssl-login-fail",
    "authentication",
    "auth-logon",
    "fsso-logon",
    "ssl-login",
)
_ENDS = (
    "tunnel-down",
    "ssl-exit-fail",
    "ssl-web-close",
    "close",
    "timeout",
    "logout",
    "client-rst",
    "server-rst",
    "auth-logout",
    "fsso-logoff",
)
_DENIED = (
    r"^(?:deny|den(?:ied)?|block(?:ed)?|drop(?:ped)?|reset|dropped_session|clear_session|"
    r"ip-conn|ssl-anomal\w*|quarantined?|.*-deny)$"
)
_FAILED = r"fail|error|denied|reject|invalid|negotiate_error"


def meaning(raw: Raw) -> dict[str, pl.Expr]:
    """event.kind, event.category, event.type and event.outcome."""
    kind, sub = _types(raw)
    action = raw["action"].str.to_lowercase()
    return {
        "event.kind": pl.when(sub.is_in(_ALERTS)).then(pl.lit("alert")).otherwise(pl.lit("event")),
        "event.category": _category(raw, kind, sub, action),
        "event.type": _type(raw, kind, action),
        "event.outcome": _outcome(raw, action),
        "event.reason": e.first(e.present(raw["reason"]), e.present(raw["msg"])),
        "rule.ruleset": e.first(e.present(raw["profile"]), e.present(raw["applist"])),
        "fortinet.fortigate.type": kind,
        "fortinet.fortigate.subtype": sub,
    }


def _types(raw: Raw) -> tuple[pl.Expr, pl.Expr]:
    """type and subtype; CEF writes both into `cat` (`utm:dns`)."""
    written = raw["cef_cat"].str.extract_groups(r"^([\w-]+):([\w-]+)").struct
    return e.first(raw["type"], written.field("1")), e.first(raw["subtype"], written.field("2"))


def _category(raw: Raw, kind: pl.Expr, sub: pl.Expr, action: pl.Expr) -> pl.Expr:
    signed_in = (action == "tunnel-up") & e.first(
        e.present(raw["user"]), e.present(raw["xauthuser"])
    ).is_not_null()
    changed = action.is_in(list(_CHANGES)) & raw["cfgpath"].is_not_null()
    return (
        pl.when(signed_in)
        .then(e.texts("authentication", "session"))
        .when(action.is_in(_SIGN_IN) & (kind == "event"))
        .then(e.texts("authentication"))
        .when(changed)
        .then(e.texts("configuration"))
        .when(raw["dhcp_msg"].is_not_null() | (kind == "traffic"))
        .then(e.texts("network"))
        .when(kind == "event")
        .then(e.listed(sub, _EVENT))
        .otherwise(e.listed(sub, _UTM))
    )


def _type(raw: Raw, kind: pl.Expr, action: pl.Expr) -> pl.Expr:
    traffic = kind != "event"
    denied = action.str.contains(_DENIED) | (
        (action == "redirect")
        & raw["qname"].is_not_null()  # of a name that is blocked the portal is the answer
    )
    parts = [
        pl.when(raw["cfgpath"].is_not_null()).then(e.mapped(action, _CHANGES)),
        pl.when(traffic & (kind == "traffic")).then(pl.lit("connection")),
        pl.when(traffic & denied)
        .then(pl.lit("denied"))
        .when(traffic & action.is_not_null())
        .then(pl.lit("allowed")),
        pl.when(action.is_in(_STARTS)).then(pl.lit("start")).when(action.is_in(_ENDS)).then(pl.lit("end")),
    ]
    # One joined text, split again, is several times faster than lists whose nulls are taken out.
    every = pl.concat_str(*parts, separator=",", ignore_nulls=True)
    return pl.when(every != "").then(every).otherwise(pl.lit("info")).str.split(",")


def _outcome(raw: Raw, action: pl.Expr) -> pl.Expr:
    said = e.first(raw["status"], raw["result"]).str.to_lowercase()
    return (
        pl.when(said.str.contains(_FAILED) | action.str.contains(_FAILED))
        .then(pl.lit("failure"))
        .when(action.is_not_null() | said.is_not_null())
        .then(pl.lit("success"))
    )
