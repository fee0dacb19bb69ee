"""Cloudflare Zero Trust by Logpush: Gateway HTTP, DNS and network, Access requests, account audit.

Source: Cloudflare, Logs "Datasets": gateway_http, gateway_dns, gateway_network, access_requests, audit_logs. Access
guards web applications, so its sign-ins are HTTP. Its `AppDomain` may carry a path behind the name.
"""

from collections.abc import Mapping
from typing import Any

from collectors.records import (
    Flat,
    JsonRecords,
    first_address,
    items,
    kept,
    moment,
    text,
    url,
)
from collectors.source import Source

source = Source(
    name="cloudflare.zero_trust",
    title={"ja": "Cloudflare Zero Trust(Gateway・Access)", "en": "Cloudflare Zero Trust (Gateway, Access)"},
    zone_hint="internet",
    shape=JsonRecords(kind=("ActionType", "HTTPMethod")),
    recognise=r'"(?:AppUUID|RayID|HTTPHost|ActorIP|UntrustedCertificateAction|QueryNameReversed)"\s*:',
    unlike=r'"(?:ClientRequest\w+|EdgeStartTimestamp|ZoneName)"\s*:',  # those are of the web sites' own logs
    leftovers="cloudflare",
    constants={"event.kind": "event", "observer.vendor": "Cloudflare"},
)
_TIMES = ("Datetime", "CreatedAt", "When", "SessionStartTime")
_SIGNS = {"AppUUID", "HTTPHost", "ActorID", "ActorType", "QueryName", "SNI", "PolicyID"}


_SHA256 = 64


@source.each
def event(record: dict[str, Any]) -> Mapping[str, Any] | None:
    """ECS fields of one record; None for JSON that is none."""
    if not _SIGNS & record.keys():
        return None
    return kept({**_common(record), **_asked(record), **_what(record)})


def _common(record: dict[str, Any]) -> Flat:
    access = "AppUUID" in record
    near, _ = first_address(*(text(record, name) for name in ("SourceIP", "IPAddress", "ActorIP", "SrcIP")))
    far, _ = first_address(text(record, "DestinationIP"), text(record, "DstIP"))
    return {
        "@timestamp": moment(*map(record.get, _TIMES)),
        "source.ip": near,
        "client.ip": near if access else None,
        "source.port": text(record, "SourcePort") or text(record, "SrcPort"),
        "destination.ip": far,
        "destination.port": text(record, "DestinationPort") or text(record, "DstPort"),
        "user.email": text(record, "Email") or text(record, "ActorEmail"),
        "user.id": text(record, "UserUID") or text(record, "UserID") or text(record, "ActorID"),
        "host.name": text(record, "DeviceName"),
        "device.id": text(record, "DeviceID"),
        "cloud.account.id": text(record, "AccountID") or text(record, "OwnerID"),
        "rule.name": text(record, "PolicyName"),
        "rule.id": text(record, "PolicyID"),
    }


def _asked(record: dict[str, Any]) -> Flat:
    host, name = text(record, "HTTPHost"), text(record, "QueryName")
    files = [
        one
        for one in items(record, "DownloadedFileNames")
        if isinstance(one, str) and not one.startswith("<")
    ]
    blocked = text(record, "BlockedFileName")
    digest = text(record, "BlockedFileHash") or ""
    application, slash, path = (text(record, "AppDomain") or "").partition("/")
    return {
        "network.protocol": "dns" if name else "http" if host or "AppUUID" in record else None,
        "network.transport": text(record, "Transport"),
        "destination.domain": host or text(record, "SNI"),
        "tls.client.server_name": text(record, "SNI"),
        "url.domain": application or host,
        "url.path": slash + path or None,
        **{key: value for key, value in url(text(record, "URL")).items() if value is not None},
        "http.request.method": text(record, "HTTPMethod"),
        "http.request.referrer": text(record, "Referer"),
        "http.response.status_code": text(record, "HTTPStatusCode"),
        "http.version": (text(record, "HTTPVersion") or "").removeprefix("HTTP/") or None,
        "user_agent.original": text(record, "UserAgent"),
        "dns.question.name": name.rstrip(".") if name else None,
        "dns.question.type": text(record, "QueryTypeName"),
        "file.name": blocked or (files[0] if files else None),
        "file.size": text(record, "BlockedFileSize"),
        "file.hash.sha256": digest if len(digest) == _SHA256 else None,
    }


def _what(record: dict[str, Any]) -> Flat:
    access, audit = "AppUUID" in record, "ActionType" in record
    action = text(record, "Action") or text(record, "ActionType")
    allowed = record.get("Allowed") if access else record.get("ActionResult") if audit else None
    decision = (text(record, "ResolverDecision") or "").lower()
    denied = (
        allowed is False
        or (action or "").lower() in {"block", "blocked", "isolate"}
        or decision.startswith(("blocked", "override"))
    )
    return {
        "event.id": None,
        "event.action": action or text(record, "ResolverDecision"),
        "event.category": ["authentication"]
        if access
        else ["configuration"]
        if audit
        else ["web", "network"],
        "event.type": ["denied"] if denied else ["change"] if audit else ["start"] if access else ["allowed"],
        "event.outcome": None if allowed is None else "success" if allowed is True else "failure",
    }
