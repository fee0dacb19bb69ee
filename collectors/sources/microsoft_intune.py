"""Microsoft Intune: audit, operational, device compliance and device logs by diagnostic settings.

Source: Microsoft, "Send Intune log data to Azure Storage, Event Hubs or Log Analytics", tables IntuneAuditLogs,
IntuneOperationalLogs, IntuneDeviceComplianceOrg, IntuneDevices (IntuneAuditLogs' `ActivityResultStatus`: 0 failed, 1 done).
"""

from collections.abc import Mapping
from typing import Any

from collectors.records import Flat, JsonRecords, at, kept, leaves, related, text, time
from collectors.source import Source

source = Source(
    name="microsoft.intune",
    title={"ja": "Microsoft Intune", "en": "Microsoft Intune"},
    shape=JsonRecords(),
    recognise=r'"(?:IntuneAccountId|IntuneDeviceId|ActivityResultStatus|ManagedDeviceName|DeviceHealthThreatLevel)"\s*:',
    constants={"event.kind": "event", "cloud.provider": "azure"},
)
_ZERO = "00000000-0000-0000-0000-000000000000"
_CATEGORIES = {"AuditLogs", "OperationalLogs", "DeviceComplianceOrg", "Devices", "Windows365AuditLogs"}


@source.each
def event(record: dict[str, Any]) -> Mapping[str, Any] | None:
    """ECS fields of one record; None for JSON that is none."""
    properties = at(record, "properties")
    if text(record, "category") not in _CATEGORIES or not isinstance(properties, dict):
        return None
    flat = kept(
        {**dict(leaves(record, "microsoft.intune.")), **_who(record, properties), **_what(record, properties)}
    )
    return {**flat, **related(flat)}


def _who(record: dict[str, Any], properties: dict[str, Any]) -> Flat:
    domain = text(properties, "UPNSuffix")
    actor = text(properties, "Actor", "UPN") or text(record, "identity")
    mail = text(properties, "UserEmail") or text(properties, "PrimaryUserEmail")
    person = next(
        (
            found
            for name in ("IntuneUserId", "IntuneAccountId", "UserId")
            if (found := text(properties, name)) and found != _ZERO
        ),
        None,
    )
    return {
        "user.name": text(properties, "UserName") or actor or text(properties, "UPN"),
        "user.domain": domain,
        "user.email": mail,
        "user.id": person,
        "host.name": text(properties, "DeviceHostName")
        or text(properties, "DeviceName")
        or text(properties, "ManagedDeviceName"),
        "host.os.full": text(properties, "DeviceOperatingSystem"),
        "device.id": text(properties, "IntuneDeviceId") or text(properties, "DeviceId"),
        "cloud.account.id": text(record, "tenantId"),
    }


def _what(record: dict[str, Any], properties: dict[str, Any]) -> Flat:
    audit, result = record["category"] == "AuditLogs", (text(record, "resultType") or "").lower()
    failed = result in {"failure", "failed", "fail"} or at(properties, "ActivityResultStatus") == 0
    return {
        "@timestamp": time(text(record, "time")),
        "event.id": None,
        "event.action": text(record, "operationName"),
        "event.provider": text(record, "category"),
        "event.category": ["configuration"] if audit else ["host"],
        "event.type": ["change"] if audit else ["info"],
        "event.outcome": "failure" if failed else "success" if result == "success" else None,
        "event.reason": text(properties, "AlertDisplayName") or text(properties, "FailureReason"),
    }
