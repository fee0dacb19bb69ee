"""Zscaler Internet Access by NSS or Cloud NSS (JSON): web, firewall, DNS, tunnel, CASB, admin audit.

Source: Zscaler, "NSS Feed Output Format" of each log and Splunk's JSON feed (`sourcetype`, `event`). Field names follow
the feed; those of the recommended feeds are understood, in any case of letters. Web addresses come without a scheme.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from collectors.records import Flat, JsonRecords, first_address, kept, leaves, related, text
from collectors.source import Source

source = Source(
    name="zscaler.zia",
    title={"ja": "Zscaler Internet Access", "en": "Zscaler Internet Access"},
    zone_hint="internet",
    shape=JsonRecords(kind=("sourcetype",)),
    recognise=r'"sourcetype"\s*:\s*"zscalernss-\w+"',
    constants={"event.kind": "event", "observer.vendor": "Zscaler", "observer.product": "ZIA"},
)
_FORMS = ("%a %b %d %H:%M:%S %Y", "%Y-%m-%d %H:%M:%S", "%a %b %d %H:%M:%S %Z %Y")
_NOTHING = {"none", "n/a", "na", ""}
_CATEGORIES = {
    "web": ["web", "network"],
    "fw": ["network"],
    "dns": ["network"],
    "tunnel": ["network"],
    "casb": ["file"],
    "audit": ["configuration"],
    "alerts": ["host"],
}


@source.each
def event(record: dict[str, Any]) -> Mapping[str, Any] | None:
    """ECS fields of one log; None for JSON that is none."""
    body = record.get("event")
    if not str(record.get("sourcetype", "")).startswith("zscalernss-") or not isinstance(body, dict):
        return None
    low = {str(name).lower(): value for name, value in body.items()}
    log = str(record["sourcetype"]).removeprefix("zscalernss-")
    flat = kept({**dict(leaves(body, "zscaler.zia.")), **_ends(low), **_where(low), **_what(low, log)})
    return {**flat, **related(flat)}


def _said(low: dict[str, Any], *names: str) -> str | None:
    return next(
        (found for name in names if (found := text(low, name)) and found.lower() not in _NOTHING), None
    )


def _ends(low: dict[str, Any]) -> Flat:
    near, _ = first_address(
        *(_said(low, name) for name in ("clientip", "csip", "cip", "sourceip", "clientpublicip", "srcip"))
    )
    outside, _ = first_address(_said(low, "clientpublicip"))
    far, _ = first_address(
        *(_said(low, name) for name in ("serverip", "sip", "cdip", "destinationip", "sdip", "dstip"))
    )
    return {
        "source.ip": near,
        "source.nat.ip": outside if outside != near else None,
        "source.port": _said(low, "sourceport", "csport", "srcport", "clt_sport"),
        "destination.ip": far,
        "destination.port": _said(low, "destinationport", "cdport", "sdport", "dstport", "srv_dport"),
        "destination.domain": _said(low, "hostname", "host", "cdfqdn"),
        "user.email": _mail(low),
        "user.name": _said(low, "deviceowner", "adminid", "ologin"),
        "host.name": _said(low, "devicehostname", "devicename"),
        "user_agent.original": _said(low, "useragent", "ua"),
        "network.protocol": _said(low, "protocol", "proto", "ipproto", "nwsvc"),
        "source.bytes": _said(low, "requestsize", "outbytes"),
        "destination.bytes": _said(low, "responsesize", "inbytes"),
        "dns.question.name": _said(low, "dns_req", "reqrulelabel"),
        "dns.question.type": _said(low, "dns_reqtype"),
    }


def _mail(low: dict[str, Any]) -> str | None:
    return _said(low, "user", "login", "elogin")


def _where(low: dict[str, Any]) -> Flat:
    address = _said(low, "fullurl", "url", "eurl")
    if address is None:
        return _file(low)
    scheme, separator, rest = address.partition("://")
    bare, _, query = (rest if separator else address).partition("?")
    host, slash, path = bare.partition("/")
    return {
        **_file(low),
        "url.original": address,
        "url.full": address if separator else None,
        "url.scheme": scheme if separator else None,
        "url.domain": host.partition(":")[0],
        "url.path": f"{slash}{path}" if separator else path or None,
        "url.query": query or None,
        "http.request.method": _said(low, "requestmethod", "reqmethod"),
        "http.request.referrer": _said(low, "refererurl", "ereferer"),
        "http.response.status_code": status
        if (status := _said(low, "status", "respcode")) and status.isdigit()
        else None,
    }


def _file(low: dict[str, Any]) -> Flat:
    return {
        "file.name": _said(low, "filename", "object_name_1", "upload_filename"),
        "file.hash.md5": _said(low, "filemd5", "md5", "bamd5"),
        "file.hash.sha256": _said(low, "filesha", "sha256"),
    }


def _what(low: dict[str, Any], log: str) -> Flat:
    action, result = _said(low, "action"), (_said(low, "result") or "").lower()
    blocked = (action or "").lower() in {"blocked", "block", "drop", "reset"} or (
        action or ""
    ).lower().startswith("block")
    return {
        "@timestamp": _time(_said(low, "datetime", "time", "timestamp")),
        "event.action": (action or "").lower() or None,
        "event.category": _CATEGORIES.get(log, ["network"]),
        "event.type": ["denied"]
        if blocked
        else ["change"]
        if log == "audit"
        else ["allowed"]
        if action
        else ["info"],
        "event.outcome": result
        if result in {"success", "failure"}
        else "failure"
        if result == "fail"
        else None,
        "event.reason": _said(low, "reason"),
        "rule.name": _said(low, "policy", "rulelabel", "rule"),
        "threat.indicator.name": _said(low, "threatname"),
    }


def _time(value: str | None) -> datetime | None:
    for form in _FORMS:
        try:
            return datetime.strptime(value or "", form).replace(tzinfo=UTC)
        except ValueError:
            continue
    return None
