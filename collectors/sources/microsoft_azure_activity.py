"""Azure activity log: what was done to subscriptions and resources, alerts, policy, service health.

Source: Microsoft, "Azure Activity Log event schema" (REST and portal form with `value`/`localizedValue`, and the form of
diagnostic settings with `operationName`, `callerIpAddress`, `identity.claims`).
"""

from collections.abc import Mapping
from typing import Any

from collectors.microsoft import log_analytics
from collectors.records import (
    Flat,
    JsonRecords,
    at,
    first_address,
    kept,
    text,
    time,
)
from collectors.source import Source

source = Source(
    name="microsoft.azure_activity",
    title={"ja": "Azure アクティビティログ", "en": "Azure activity log"},
    shape=JsonRecords(meant=log_analytics.activity),
    recognise=r'"OperationNameValue"\s*:|"category"\s*:\s*"(?:Administrative|ServiceHealth|ResourceHealth|Autoscale|Recommendation)"|"(?:eventDataId|eventTimestamp)"\s*:.*"(?:resourceProviderName|subscriptionId|channels)"|"identity"\s*:\s*\{\s*"(?:authorization|claims)"',
    unlike=r'"category"\s*:\s*"AuditLogs"',  # of which an entry may have a category of these names
    leftovers="azure.activitylogs",
    constants={"event.kind": "event", "cloud.provider": "azure"},
)
_NAME = "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/name"
_UPN = "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/upn"
_MAIL = "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/emailaddress"
_PEOPLE = (_UPN, _MAIL, _NAME, "upn", "unique_name", "preferred_username", "name", "email")
"""Claims that may hold whom one signs in as: long names of version 1 tokens, short ones of version 2."""
_OBJECT = "http://schemas.microsoft.com/identity/claims/objectidentifier"
_TYPES = {"write": "change", "delete": "deletion", "action": "access", "read": "access"}
_LOGS = {
    *("Administrative", "Security", "ServiceHealth", "Alert", "Recommendation", "Policy", "Autoscale"),
    "ResourceHealth",
}
_UNIQUE = 36  # characters of a GUID: such a caller is an application, no name


@source.each
def event(record: dict[str, Any]) -> Mapping[str, Any] | None:
    """ECS fields of one event; None for JSON that is none."""
    told_by_settings = at(record, "identity", "claims") is not None or text(record, "category") in _LOGS
    if not {"eventTimestamp", "eventDataId"} & record.keys() and not (
        told_by_settings and text(record, "operationName")
    ):
        return None
    return kept({**_who(record), **_what(record)})


def _value(record: dict[str, Any], name: str) -> str | None:
    return text(record, name, "value") or text(record, name)


def _who(record: dict[str, Any]) -> Flat:
    claims = at(record, "claims") or at(record, "identity", "claims") or {}
    claimed = next((told for name in _PEOPLE if "@" in (told := text(claims, name) or "")), None)
    caller = text(record, "caller") or claimed
    person = caller if caller and "@" in caller else claimed
    local, _, domain = (person or "").partition("@")
    address, _ = first_address(
        text(record, "httpRequest", "clientIpAddress"),
        text(record, "callerIpAddress"),
        text(claims, "ipaddr"),
    )
    named = caller if caller and len(caller) != _UNIQUE else None
    alerted = at(record, "properties") if text(record, "category") == "Security" else None
    return {
        "source.user.name": named,
        "user.name": local or text(claims, _NAME) or text(claims, "name") or text(alerted, "userName"),
        "user.domain": domain or text(alerted, "domainName"),
        "user.id": text(claims, _OBJECT) or text(claims, "oid") or text(alerted, "UserSID"),
        "process.name": text(alerted, "processName"),
        "process.command_line": text(alerted, "commandLine"),
        "host.name": text(alerted, "compromisedEntity"),
        "user.email": person,
        "source.ip": address,
    }


def _what(record: dict[str, Any]) -> Flat:
    operation, status = (
        _value(record, "operationName") or "",
        (_value(record, "status") or text(record, "resultType") or "").lower(),
    )
    resource = text(record, "resourceId") or text(record, "resourceUri") or ""
    category, properties = _value(record, "category") or "", at(record, "properties") or {}
    failed = status in {"failed", "failure"} or (text(record, "level") or "") in {"Error", "Critical"}
    return {
        "event.kind": "alert" if category in {"Alert", "Security"} else "event",
        "@timestamp": time(text(record, "eventTimestamp")) or time(text(record, "time")),
        "event.id": None,
        "event.action": operation or None,
        "event.category": ["configuration"] if category in {"Administrative", "Policy", ""} else ["host"],
        "event.type": [_TYPES.get(operation.rpartition("/")[2].lower(), "info")],
        "event.outcome": "failure" if failed else "success" if status in {"succeeded", "success"} else None,
        "event.reason": text(record, "description") or None,
        "rule.name": text(properties, "RuleName")
        or (resource.rpartition("/")[2] if "/alertrules/" in resource.lower() else None),
        "cloud.account.id": text(record, "tenantId"),
        "cloud.region": text(record, "location"),
        "log.level": text(record, "level"),
    }
