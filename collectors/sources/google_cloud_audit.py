"""Google Cloud audit logs (Cloud Audit Logs, also of Workspace and of GKE) as Cloud Logging exports them.

Source: Google Cloud, "Understand audit logs", types `LogEntry` and `google.cloud.audit.AuditLog`. A login that Workspace
reports through it stands in `metadata.event`.
"""

from collections.abc import Mapping
from typing import Any

from collectors.records import (
    Flat,
    JsonRecords,
    at,
    first_address,
    items,
    kept,
    text,
    time,
)
from collectors.source import Source

source = Source(
    name="google.cloud_audit",
    title={"ja": "Google Cloud 監査ログ", "en": "Google Cloud audit"},
    shape=JsonRecords(),
    recognise=r'"@type"\s*:\s*"type\.googleapis\.com/google\.cloud\.audit\.AuditLog"',
    leftovers="gcp.audit",
    constants={"event.kind": "event", "cloud.provider": "gcp"},
)
_CHANGES = {
    "create": "creation",
    "insert": "creation",
    "delete": "deletion",
    "update": "change",
    "patch": "change",
    "set": "change",
}


@source.each
def entry(record: dict[str, Any]) -> Mapping[str, Any] | None:
    """ECS fields of one log entry; None for JSON that holds no audit record."""
    payload = record.get("protoPayload")
    if not isinstance(payload, dict):
        return None
    return kept({**_who(payload), **_what(record, payload)})


def _who(payload: dict[str, Any]) -> Flat:
    principal = text(payload, "authenticationInfo", "principalEmail")
    affected = next(
        (text(one, "value") for one in _parameters(payload) if one.get("name") == "affected_email_address"),
        None,
    )
    asked = at(payload, "requestMetadata") or at(payload, "metadata", "requestMetadata")
    address, _ = first_address(text(asked, "callerIp"), text(asked, "callerIP"))
    target, _ = first_address(text(asked, "destinationAttributes", "ip"))
    mail = principal if principal and "@" in principal else None
    return {
        "user.name": principal,
        "user.email": mail or affected,
        "user.target.email": affected if mail else None,
        "source.ip": address,
        "destination.ip": target,
        "destination.port": text(asked, "destinationAttributes", "port") if target else None,
        "user_agent.original": text(asked, "callerSuppliedUserAgent"),
    }


def _parameters(payload: dict[str, Any]) -> list[dict[str, Any]]:
    events = items(payload, "metadata", "event")
    first = events[0] if events and isinstance(events[0], dict) else {}
    return [one for one in items(first, "parameter") if isinstance(one, dict)]


def _what(record: dict[str, Any], payload: dict[str, Any]) -> Flat:
    method, service = text(payload, "methodName") or "", text(payload, "serviceName") or ""
    login, code = "login" in service, at(payload, "status", "code")
    denied = any(
        one.get("granted") is False for one in items(payload, "authorizationInfo") if isinstance(one, dict)
    )
    verb = method.rpartition(".")[2].lower()
    labels = at(record, "resource", "labels")
    change = next((kind for word, kind in _CHANGES.items() if verb.startswith(word)), None)
    failed = code not in (None, 0) or denied or verb.endswith("failure")
    return {
        "@timestamp": time(text(record, "timestamp")) or time(text(record, "receiveTimestamp")),
        "event.id": None,
        "event.action": method or None,
        "event.provider": service or None,
        "event.code": None if code in (None, 0) else str(code),
        "event.category": _category(payload, service),
        "event.type": [_kind(verb, "denied" if denied else change, login)],
        "event.outcome": "failure" if failed else "success",
        "event.reason": text(payload, "status", "message"),
        "cloud.project.id": text(labels, "project_id"),
        "cloud.region": text(labels, "location") or text(labels, "region"),
        "cloud.availability_zone": text(labels, "zone"),
        "cloud.instance.id": text(labels, "instance_id"),
        "log.level": text(record, "severity"),
        "log.logger": text(record, "logName"),
    }


def _category(payload: dict[str, Any], service: str) -> list[str]:
    """A login service tells of sign-ins (`login`, `attack_warning` …) and of changes to what one signs in with."""
    if "login" in service:
        events = items(payload, "metadata", "event")
        about = text(events[0], "eventType") if events else None
        return ["iam"] if about and about.endswith("_change") else ["authentication"]
    return ["iam"] if "iam" in service.lower() else ["configuration"]


def _kind(verb: str, known: str | None, login: bool) -> str:
    """event.type: what is known of the call, else by its name."""
    if known:
        return known
    if login:
        return {"loginsuccess": "start", "loginfailure": "start", "logout": "end"}.get(verb, "info")
    return "access"
