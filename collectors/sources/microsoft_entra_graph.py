"""Entra ID by the Microsoft Graph API: `auditLogs/signIns`, `auditLogs/directoryAudits`, risk detections.

Facts: Microsoft Graph reference v1.0 and beta, resources `signIn`, `directoryAudit`, `riskDetection`,
`riskyUser`. The record stays as `azure.entraid.<name>`. Where an application made a change to a user,
nobody signed in, and `user.email` names the user whom it was about.
"""

from typing import Any

from collectors.many import Cells, Columns, Many, first, first_times
from collectors.microsoft import identity
from collectors.records import JsonRecords
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
    leftovers="azure.entraid",
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


def is_object(record: dict[str, Any]) -> bool:
    """Whether a JSON object is one of these Graph objects."""
    return (
        not _SIGNS.isdisjoint(record)
        and any(name in record for name in _TIMES)
        and "properties" not in record
    )


@source.together(is_object, by=identity.kind_of)
def events(records: Many) -> Columns:
    """ECS fields of Graph objects of one kind."""
    device = records.below("deviceDetail")
    tenant = first(records.text("tenantId"), records.text("homeTenantId"))
    kind = identity.kind_of(records.nodes[0] or {})
    return {
        "azure.signinlogs.device.is_compliant": device.text("isCompliant"),
        "azure.signinlogs.device.is_managed": device.text("isManaged"),
        "@timestamp": first_times(*map(records.values, _TIMES)),
        "event.action": first(records.text("activityDisplayName"), list(map(_action, records.nodes))),
        "event.provider": first(records.text("loggedByService"), records.text("resourceDisplayName")),
        "cloud.account.id": tenant,
        "organization.id": tenant,
        **_meaning(identity.MEANINGS[kind](records), records),
    }


def _action(record: dict[str, Any] | None) -> str:
    """Detections, users and service principals at risk, sign-ins: what the diagnostic export calls them."""
    known = record or {}
    if "riskLastUpdatedDateTime" in known:
        return "Risky service principal" if "appId" in known else "Risky user"
    return "User Risk Detection" if "riskEventType" in known else "Sign-in activity"


def _meaning(columns: Cells, records: Many) -> Cells:
    """Whom a change was about is its person where nobody else is named."""
    whom = [
        one or two
        for one, two in zip(
            columns.get("user.target.email", records.nothing),
            columns.get("user.target.name", records.nothing),
            strict=True,
        )
    ]
    return {**columns, "user.email": first(columns["user.email"], whom)}
