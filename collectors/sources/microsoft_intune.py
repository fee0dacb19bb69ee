"""Microsoft Intune by Azure's diagnostic export: audit log, operational log, compliance of devices, devices.

Facts: Microsoft, "Send Intune log data to Azure storage, Event Hubs, or Log Analytics" and the Azure Monitor tables
IntuneAuditLogs, IntuneOperationalLogs, IntuneDeviceComplianceOrg, IntuneDevices. In the audit log the actor is the
person; where a program acted, its name stands in `microsoft.intune.Actor.ApplicationName`. An enrollment without a
person has the Intune account that it went to as `user.id`.
"""

from collections.abc import Mapping
from typing import Any

from collectors.records import Flat, JsonRecords, embedded, items, kept, text, time
from collectors.source import Source

source = Source(
    name="microsoft.intune",
    title={
        "ja": "Microsoft Intune(Azure 診断設定)",
        "en": "Microsoft Intune (Azure diagnostic export)",
    },
    zone_hint="cloud",
    shape=JsonRecords(kind=("category",)),
    recognise=r'"(?:AuditEventId|IntuneAccountId|IntuneDeviceId)"\s*:',
    leftovers="microsoft.intune",
    constants={"event.kind": "event", "cloud.provider": "azure", "observer.product": "Intune"},
)
_OURS = ("AuditEventId", "IntuneAccountId", "IntuneDeviceId", "OperationalLogCategory", "ComplianceState")
_NOBODY = "00000000-0000-0000-0000-000000000000"
# The first word of an audited operation → event.type.
_VERBS = {
    "create": "creation",
    "assign": "creation",
    "add": "creation",
    "delete": "deletion",
    "remove": "deletion",
    "wipe": "deletion",
    "retire": "deletion",
    "get": "access",
}


@source.each
def event(record: dict[str, Any]) -> Mapping[str, Any] | None:
    """ECS fields of one record; None for another export's."""
    properties = embedded(record.get("properties"))
    if not isinstance(properties, dict) or not any(name in properties for name in _OURS):
        return None
    found = {**_meaning(record, properties), **_person(record, properties), **_device(properties)}
    return kept(found)


@source.keep
def vendor(record: dict[str, Any]) -> Mapping[str, Any]:
    """The properties under Microsoft's own names."""
    return embedded(record["properties"])  # type: ignore[no-any-return]  # an object: `event` saw it


def _meaning(record: dict[str, Any], properties: dict[str, Any]) -> Flat:
    operation, category = text(record, "operationName") or "", text(record, "category") or ""
    audited = "AuditLogs" in category
    verb = operation.partition(" ")[0].lower()
    alerted = (text(properties, "AlertType") or "").endswith("Not Compliant")
    types = [_VERBS.get(verb, "change")] if audited else ["info"]
    return {
        "@timestamp": time(record.get("time")),
        "event.kind": "alert" if alerted else "event",
        "event.category": ["configuration"] if audited else ["host"],
        "event.type": types,
        "event.action": operation,
        "event.provider": category,
        "event.id": text(properties, "AuditEventId"),
        "event.outcome": _outcome(record, properties),
        "event.reason": text(properties, "Description") or _reason(properties),
        "message": text(properties, "AlertDisplayName"),
        "cloud.account.id": text(record, "tenantId"),
    }


def _outcome(record: dict[str, Any], properties: dict[str, Any]) -> str | None:
    said = (text(record, "resultType") or text(properties, "Result") or "").lower()
    return {"success": "success", "failure": "failure", "fail": "failure"}.get(said)


def _reason(properties: dict[str, Any]) -> str | None:
    failed = text(properties, "FailureReason")
    return failed if failed != "Unknown" else None


def _person(record: dict[str, Any], properties: dict[str, Any]) -> Flat:
    """Who acted, or whose device it is."""
    identity = text(record, "identity") or ""
    upn = text(properties, "Actor", "UPN") or (identity if "@" in identity else None)
    person = [text(properties, name) for name in ("IntuneUserId", "UserId", "PrimaryUser")]
    known = next(
        (one for one in (text(properties, "Actor", "ObjectId"), *person) if one not in (None, _NOBODY)), None
    )
    account = text(properties, "IntuneAccountId")
    mail = text(properties, "UserEmail") or upn or text(properties, "UPN")
    return {
        "user.name": upn or text(properties, "UserName") or text(properties, "UPN"),
        "user.full_name": text(properties, "UserDisplayName"),
        "user.domain": text(properties, "UPNSuffix") or (mail.rpartition("@")[2] if mail else None),
        "user.email": mail,
        "user.id": known or account,
    }


def _device(properties: dict[str, Any]) -> Flat:
    named = [name for one in items(properties, "TargetDisplayNames") if (name := _shown(one))]
    host = text(properties, "DeviceHostName") or text(properties, "DeviceName")
    return {
        "host.name": host,
        "host.id": text(properties, "IntuneDeviceId") or text(properties, "DeviceId"),
        "host.os.version": text(properties, "OSVersion") or text(properties, "OsVersion"),
        "host.os.name": text(properties, "OS") or text(properties, "Os"),
        "device.serial_number": text(properties, "SerialNumber"),
        "microsoft.intune.targets": named,
    }


def _shown(value: Any) -> str | None:
    return value if isinstance(value, str) and value not in ("", "<null>") else None
