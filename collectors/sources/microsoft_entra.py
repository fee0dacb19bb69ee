"""Entra ID by Azure's diagnostic export (Event Hub, storage, Log Analytics): sign-ins, audits, risks.

Categories: SignInLogs, NonInteractiveUserSignInLogs, ServicePrincipalSignInLogs,
ManagedIdentitySignInLogs, AuditLogs, RiskyUsers, UserRiskEvents, ProvisioningLogs. Facts: Microsoft,
"Sign-in logs schema in Azure Monitor". The envelope gives time and address, `properties` the record,
which is the Graph object; it stays as `azure.<category>.properties.<name>`, in Elastic's names.
"""

from collections.abc import Mapping
from typing import Any

from collectors.microsoft import identity
from collectors.narrow import Text, Verbatim
from collectors.records import (
    Flat,
    JsonRecords,
    embedded,
    first_address,
    text,
    time,
)
from collectors.source import Source

source = Source(
    name="microsoft.entra",
    title={
        "ja": "Entra ID サインイン・監査ログ（Azure 診断設定）",
        "en": "Entra ID sign-in and audit (Azure diagnostic export)",
    },
    shape=JsonRecords(kind=("category", "operationName")),
    verbatim=Verbatim(
        {
            **dict.fromkeys(("event.action", "event.provider", "event.code", "event.reason"), Text()),
            "user_agent.original": Text(),
            "azure.signinlogs.device.is_compliant": Text(before=r'iscompliant"\s*:\s*"?', after="[^a-z]"),
            "azure.auditlogs.properties.ConsentContext.IsAdminConsent": Text(marks=("isadminconsent",)),
            "azure.*": Text(),
        },
        always=(r'"properties"\s*:\s*"',),  # a record inside a record's text is escaped twice
    ),
    recognise=(
        r'"operationName"\s*:',
        r'"category"\s*:\s*"(?:\w*SignInLogs|AuditLogs|Risky\w+|\w+RiskEvents|ProvisioningLogs)"',
    ),
    unlike=r'"(?:AuditEventId|IntuneAccountId)"',  # Intune's audit log has the same category
    constants={"event.kind": "event", "cloud.provider": "azure"},
)

_CATEGORIES = {
    "SignInLogs": "signinlogs",
    "NonInteractiveUserSignInLogs": "signinlogs",
    "ServicePrincipalSignInLogs": "signinlogs",
    "ManagedIdentitySignInLogs": "signinlogs",
    "ADFSSignInLogs": "signinlogs",
    "AuditLogs": "auditlogs",
}
_ENVELOPE = {"time", "properties"}


_SIGNS = {"operationName", "tenantId", "operationVersion"}
"""Names of the envelope, any of which is enough."""


@source.each
def event(record: dict[str, Any]) -> Mapping[str, Any] | None:
    """ECS fields of one exported record; None for JSON that is none."""
    category = text(record, "category")
    properties = embedded(record.get("properties"))
    if category is None or not isinstance(properties, dict) or not _SIGNS & record.keys():
        return None
    ours, device = _ours(category), properties.get("deviceDetail")
    return {
        f"azure.{ours}.device.is_compliant": text(device, "isCompliant"),
        f"azure.{ours}.device.is_managed": text(device, "isManaged"),
        **_envelope(record, properties),
        **_body(record, properties, ours),
    }


@source.keep
def vendor(record: dict[str, Any]) -> Mapping[str, Any]:
    """The record under Microsoft's own names, below its category."""
    outer = {name: value for name, value in record.items() if name not in _ENVELOPE}
    outer["properties"] = embedded(record["properties"])
    return {"azure": {_ours(str(record["category"])): outer}}


def _ours(category: str) -> str:
    return _CATEGORIES.get(category, "identity_protection" if "Risk" in category else category.lower())


def _envelope(record: dict[str, Any], properties: dict[str, Any]) -> Flat:
    moment = (
        time(record.get("time"))
        or time(properties.get("createdDateTime"))
        or time(properties.get("activityDateTime"))
    )
    tenant = text(record, "tenantId")
    return {
        "@timestamp": moment,
        "event.action": text(record, "operationName"),
        "event.provider": text(properties, "loggedByService") or text(record, "category"),
        "cloud.account.id": tenant,
        "organization.id": tenant,
    }


def _body(record: dict[str, Any], properties: dict[str, Any], ours: str) -> Flat:
    ip, port = first_address(record.get("callerIpAddress"))
    if ours == "auditlogs":
        known = identity.audit(properties)
    elif ours == "signinlogs":
        known = identity.sign_in(properties, text(record, "resultType"))
    elif ours == "identity_protection":
        known = identity.risk(properties)
    elif ours == "microsoftgraphactivitylogs":
        known = identity.graph_request(properties)
    else:
        known = identity.meaning(properties)
    if not known.get("source.ip"):
        known |= {"source.ip": ip, "source.port": port, "client.ip": ip}
    return known
