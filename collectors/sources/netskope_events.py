"""Netskope Security Cloud: alerts, application, page (connection), network, infrastructure and audit events.

Source: Netskope REST API v2 "Events and Alerts" field descriptions; Cloud Exchange. `url` has no scheme: one is named
only where protocol or port tell it. Times are seconds since 1970. A sign-in to the console tells its address in
`supporting_data`, a private application its target in `dsthost`.
"""

from collections.abc import Mapping
from typing import Any

from collectors.records import (
    Flat,
    JsonRecords,
    epoch,
    first_address,
    items,
    kept,
    moment,
    text,
    url,
)
from collectors.source import Source

source = Source(
    name="netskope.events",
    title={"ja": "Netskope(CASB・SWG)", "en": "Netskope security cloud"},
    zone_hint="internet",
    shape=JsonRecords(kind=("type", "alert_type")),
    recognise=r'"(?:netskope_pop|ur_normalized|audit_log_event)"\s*:',
    leftovers="netskope",
    constants={"observer.vendor": "Netskope"},
)
_BLOCKED = {"block", "blocked", "deny", "quarantine"}


@source.each
def event(record: dict[str, Any]) -> Mapping[str, Any] | None:
    """ECS fields of one event; None for JSON that is none."""
    if (
        "timestamp" not in record
        or not {"type", "alert_type", "audit_log_event", "access_method"} & record.keys()
    ):
        return None
    return kept(
        {
            **_who(record),
            **_where(record),
            **_files(record),
            **_what(record),
        }
    )


def _who(record: dict[str, Any]) -> Flat:
    user = text(record, "user") or text(record, "ur_normalized")
    local, _, domain = (user or "").partition("@")
    inner, _ = first_address(text(record, "userip"))
    outer, _ = first_address(text(record, "srcip"))
    outer = outer or _console(record)
    named = text(record, "dsthost") or text(record, "domain")
    target, _ = first_address(text(record, "dstip"), named)
    protocol = text(record, "ip_protocol")
    return {
        "user.email": user if domain else None,
        "user.name": local or None,
        "user.domain": domain or None,
        "user_agent.original": text(record, "useragent"),
        "client.ip": inner,
        "source.ip": outer,
        "source.port": text(record, "srcport"),
        "source.bytes": text(record, "client_bytes"),
        "destination.ip": target,
        "destination.domain": named if first_address(named)[0] is None else None,
        "destination.port": text(record, "dstport"),
        "destination.bytes": text(record, "server_bytes"),
        "host.name": text(record, "hostname"),
        "host.os.name": text(record, "os"),
        "host.os.full": text(record, "os_version"),
        "device.id": text(record, "nsdeviceuid"),
        "source.geo.country_iso_code": text(record, "src_country"),
        "source.geo.city_name": text(record, "src_location"),
        "destination.geo.country_iso_code": text(record, "dst_country"),
        "network.transport": protocol.lower() if protocol else None,
    }


def _console(record: dict[str, Any]) -> str | None:
    """The address from which somebody signed in to Netskope's own console."""
    if "login" not in (text(record, "audit_log_event") or "").lower():
        return None
    return first_address(*items(record, "supporting_data", "data_values"))[0]


def _where(record: dict[str, Any]) -> Flat:
    address = text(record, "url")
    if address is None:
        return {}
    referrer = {"http.request.referrer": text(record, "referer")}
    if whole := url(address):
        return {**whole, "url.path": whole.get("url.path") or "/", **referrer}
    bare, _, query = address.partition("?")
    host, slash, path = bare.partition("/")
    secure = (text(record, "protocol") or "").upper().startswith("HTTPS") or text(record, "dstport") == "443"
    scheme = "https" if secure else "http" if text(record, "dstport") == "80" else None
    return {
        "url.original": address,
        "url.full": f"{scheme}://{address}" if scheme else None,
        "url.scheme": scheme,
        "url.domain": host.partition(":")[0],
        "url.path": f"{slash}{path}" or "/",
        "url.query": query or None,
        **referrer,
    }


def _files(record: dict[str, Any]) -> Flat:
    whole = text(record, "object_type") == "File" or (text(record, "alert_type") or "").lower() == "dlp"
    return {
        "file.name": text(record, "dlp_file")
        or (text(record, "object") if whole else None)
        or text(record, "file_name"),
        "file.path": text(record, "file_path"),
        "file.size": text(record, "file_size"),
        "file.mime_type": text(record, "file_type"),
        "file.hash.md5": text(record, "md5") or text(record, "local_md5"),
        "file.hash.sha256": text(record, "sha256") or text(record, "local_sha256"),
    }


def _what(record: dict[str, Any]) -> Flat:
    audit, action = text(record, "audit_log_event"), text(record, "action")
    alert = text(record, "alert") == "yes" or text(record, "alert_type") is not None
    denied = (action or "").lower() in _BLOCKED
    seconds = text(record, "conn_duration")
    meaning = _audited(audit) if audit else _seen(record, denied)
    return {
        "@timestamp": moment(record.get("timestamp")) or epoch(record.get("_insertion_epoch_timestamp")),
        "event.start": epoch(record.get("conn_starttime")),
        "event.end": epoch(record.get("conn_endtime")),
        "event.duration": int(seconds) * 10**9
        if seconds and seconds.isdecimal() and len(seconds) < 9
        else None,
        "event.kind": "alert" if alert else "event",
        "event.action": audit or text(record, "activity") or action,
        **meaning,
        "rule.name": text(record, "policy") or text(record, "alert_name"),
        "rule.id": text(record, "policy_id"),
        "network.application": (text(record, "app") or "").lower() or None,
    }


def _audited(event: str) -> Flat:
    """What an administrator did; signing in and out is told in words."""
    low = event.lower()
    category = ["authentication"] if "login" in low or "logout" in low else ["configuration"]
    kind = "end" if "logout" in low else "start" if "login" in low else "change"
    outcome = "failure" if "fail" in low else "success" if "success" in low else None
    return {"event.category": category, "event.type": [kind], "event.outcome": outcome}


def _seen(record: dict[str, Any], denied: bool) -> Flat:
    """What a user did, or what was found of it: malware is a category of its own."""
    malware = (text(record, "alert_type") or "").lower() == "malware"
    return {
        "event.category": ["malware"] if malware else ["web", "network"],
        "event.type": ["denied"] if denied and not malware else ["info"] if malware else ["access"],
        "event.outcome": "success" if denied else None,
    }
