"""Entra ID by the Microsoft Graph API: `auditLogs/signIns`, `auditLogs/directoryAudits`, risk detections.

Facts: Microsoft Graph reference v1.0 and beta, resources `signIn`, `directoryAudit`, `riskDetection`,
`riskyUser`. The record stays as `azure.entraid.<name>`. Where an application made a change to a user,
nobody signed in, and `user.email` names the user whom it was about.
"""

from collections.abc import Mapping
from typing import Any

from collectors.microsoft import identity
from collectors.records import Flat, JsonRecords, kept, leaves, text, time
from collectors.source import Source

source = Source(
    name="microsoft.entra_graph",
    title={
        "ja": "Entra ID サインイン・監査ログ（Graph API）",
        "en": "Entra ID sign-in and audit (Graph API)",
    },
    shape=JsonRecords(kind=("category", "activityDisplayName")),
    recognise=(
        r'^\s*\{\s*(?:"@odata[^"]*"\s*:\s*"[^"]*",\s*)*"id"\s*:'
        r'.*"(?:activityDisplayName|conditionalAccessStatus|riskEventType|riskLevel)"\s*:'
    ),
    constants={"event.kind": "event", "cloud.provider": "azure"},
)

_TIMES = (
    "activityDateTime",
    "createdDateTime",
    "detectedDateTime",
    "riskLastUpdatedDateTime",
    "lastUpdatedDateTime",
)
_SIGNS = {
    "activityDisplayName",
    "appDisplayName",
    "appId",
    "riskLevel",
    "riskEventType",
    "conditionalAccessStatus",
}


@source.each
def event(record: dict[str, Any]) -> Mapping[str, Any] | None:
    """ECS fields of one Graph object; None for JSON that is none of them."""
    if not _SIGNS & record.keys() or not any(name in record for name in _TIMES) or "properties" in record:
        return None
    return kept({**_vendor(record), **_common(record), **_meaning(record)})


def _vendor(record: dict[str, Any]) -> Flat:
    return {
        **leaves(record, "azure.entraid."),
        "azure.signinlogs.device.is_compliant": text(record, "deviceDetail", "isCompliant"),
        "azure.signinlogs.device.is_managed": text(record, "deviceDetail", "isManaged"),
    }


def _common(record: dict[str, Any]) -> Flat:
    tenant = text(record, "tenantId") or text(record, "homeTenantId")
    return {
        "@timestamp": next((found for name in _TIMES if (found := time(record.get(name)))), None),
        "event.action": text(record, "activityDisplayName") or _action(record),
        "event.provider": text(record, "loggedByService") or text(record, "resourceDisplayName"),
        "cloud.account.id": tenant,
        "organization.id": tenant,
    }


def _action(record: dict[str, Any]) -> str:
    return "User Risk Detection" if "riskEventType" in record else "Sign-in activity"


def _meaning(record: dict[str, Any]) -> Flat:
    known = identity.meaning(record)
    if known.get("user.email") is None and (
        whom := known.get("user.target.email") or known.get("user.target.name")
    ):
        known["user.email"] = whom
    return known
