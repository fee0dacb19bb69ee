"""Netskope Security Cloud: alerts, application, page (connection), network, infrastructure and audit events.

Source: Netskope REST API v2 "Events and Alerts" field descriptions; Cloud Exchange. `url` has no scheme: one is named
only where protocol or port tell it. Times are seconds since 1970.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from collectors.records import Flat, JsonRecords, first_address, kept, leaves, related, text
from collectors.source import Source

source = Source(
    name="netskope.events",
    title={"ja": "Netskope(CASB・SWG)", "en": "Netskope security cloud"},
    zone_hint="internet",
    shape=JsonRecords(kind=("type", "alert_type")),
    recognise=r'"(?:netskope_pop|ur_normalized|audit_log_event)"\s*:',
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
    flat = kept(
        {
            **dict(leaves(record, "netskope.")),
            **_who(record),
            **_where(record),
            **_files(record),
            **_what(record),
        }
    )
    return {**flat, **related(flat)}


def _who(record: dict[str, Any]) -> Flat:
    user = text(record, "user") or text(record, "ur_normalized")
    local, _, domain = (user or "").partition("@")
    inner, _ = first_address(text(record, "userip"))
    outer, _ = first_address(text(record, "srcip"))
    target, _ = first_address(text(record, "dstip"))
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
        "destination.port": text(record, "dstport"),
        "destination.bytes": text(record, "server_bytes"),
        "host.name": text(record, "hostname"),
        "host.os.full": text(record, "os_version"),
    }


def _where(record: dict[str, Any]) -> Flat:
    address = text(record, "url")
    if address is None:
        return {}
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
        "http.request.referrer": text(record, "referer"),
    }


def _files(record: dict[str, Any]) -> Flat:
    whole = text(record, "object_type") == "File"
    return {
        "file.name": text(record, "dlp_file") or (text(record, "object") if whole else None),
        "file.size": text(record, "file_size"),
        "file.mime_type": text(record, "file_type"),
        "file.hash.md5": text(record, "md5") or text(record, "local_md5"),
        "file.hash.sha256": text(record, "sha256") or text(record, "local_sha256"),
    }


def _what(record: dict[str, Any]) -> Flat:
    audit, action = text(record, "audit_log_event"), text(record, "action")
    low = (audit or "").lower()
    alert = text(record, "alert") == "yes" or text(record, "alert_type") is not None
    denied = (action or "").lower() in _BLOCKED
    outcome = "failure" if "fail" in low else "success" if "success" in low else None
    seconds = text(record, "timestamp") or ""
    return {
        "@timestamp": datetime.fromtimestamp(int(seconds), UTC)
        if seconds.isdigit() and len(seconds) <= 11
        else None,
        "event.kind": "alert" if alert else "event",
        "event.action": audit or text(record, "activity") or action,
        "event.category": ["authentication" if "login" in low else "configuration"]
        if audit
        else ["web", "network"],
        "event.type": ["denied"] if denied else ["info"] if audit else ["access"],
        "event.outcome": outcome if audit else ("success" if denied else None),
        "rule.name": text(record, "policy"),
        "rule.id": text(record, "policy_id"),
        "network.application": (text(record, "app") or "").lower() or None,
    }
