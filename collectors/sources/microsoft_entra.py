"""Entra ID by Azure's diagnostic export (Event Hub, storage, Log Analytics): sign-ins, audits, risks.

Categories: SignInLogs, NonInteractiveUserSignInLogs, ServicePrincipalSignInLogs,
ManagedIdentitySignInLogs, AuditLogs, RiskyUsers, UserRiskEvents, ProvisioningLogs. Facts: Microsoft,
"Sign-in logs schema in Azure Monitor"; rows of the tables are read as such records (`log_analytics`).
The envelope gives time and address, `properties` the record,
which is the Graph object; it stays as `azure.<category>.properties.<name>`, in Elastic's names.
"""

from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any

from collectors.many import Cells, Columns, Many, addresses, first, first_times
from collectors.microsoft import defender_tables, identity, log_analytics
from collectors.narrow import Text, Verbatim
from collectors.records import JsonRecords, embedded, text
from collectors.source import Source

_COMPLIANT = r'iscompliant(?:[\\":\s]|\\[nrt])*'
"""The name and what JSON has behind it, also where the object is text in JSON: `\\":`, blanks and line ends as `\\n`."""

source = Source(
    name="microsoft.entra",
    title={
        "ja": "Entra ID サインイン・監査ログ（Azure 診断設定）",
        "en": "Entra ID sign-in and audit (Azure diagnostic export)",
    },
    shape=JsonRecords(kind=("category", "operationName"), meant=log_analytics.entra),
    verbatim=Verbatim(
        {
            **dict.fromkeys(("event.action", "event.provider", "event.code", "event.reason"), Text()),
            "user_agent.original": Text(),
            "azure.signinlogs.device.is_compliant": Text(before=_COMPLIANT, after="[^a-z]"),
            "azure.auditlogs.properties.ConsentContext.IsAdminConsent": Text(marks=("isadminconsent",)),
            "azure.*": Text(),
        },
        # A record inside a record's text is escaped twice; of rows with this column the source itself writes the category.
        always=(r'"properties"\s*:\s*"', "aadoperationtype"),
    ),
    recognise=(
        r'"operationName"\s*:|"TimeGenerated"\s*:',
        r'"[cC]ategory"\s*:\s*"(?:\w*SignInLogs|AuditLogs|Risky\w+|\w+RiskEvents|ProvisioningLogs)"'
        r'|"Type"\s*:\s*"(?:SigninLogs|AuditLogs|AAD\w*(?:SignInLogs|RiskEvents|RiskyUsers))"|"AADOperationType"\s*:',
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

_SIGNS = {"operationName", "tenantId", "operationVersion"}
"""Names of the envelope, any of which is enough."""
_OWN = ("microsoft.aadiam", "microsoft.aad/")
"""Entra ID and Entra Domain Services as `resourceId` names the provider of a record."""
_LONG = 1000
"""Characters that no resource's name has; they are not remembered."""


def is_record(record: dict[str, Any]) -> bool:
    """Whether a JSON object is an exported record."""
    if not isinstance(embedded(record.get("properties")), dict) or _SIGNS.isdisjoint(record):
        return False
    category = text(record, "category")
    return (
        category is not None
        and not category.startswith(defender_tables.PREFIX)
        and not _of_another(record.get("resourceId"))
    )


def _of_another(resource: Any) -> bool:
    """Whether a resource is another service's: Key Vault and the like write the same envelope."""
    return isinstance(resource, str) and len(resource) < _LONG and _provided_by_another(resource)


@lru_cache(1024)
def _provided_by_another(resource: str) -> bool:
    """Asked once of each tenant."""
    provider = resource.lower().partition("/providers/")[2]
    return bool(provider) and not provider.startswith(_OWN)


def _kind(record: dict[str, Any]) -> tuple[str, str]:
    """What tells how a record is to be read: its category of ours, and what its properties are."""
    ours = _ours(str(record["category"]))
    return ours, "" if ours in _READ or ours == "provisioninglogs" else identity.kind_of(
        embedded(record["properties"])
    )


@source.together(is_record, by=_kind)
def events(records: Many) -> Columns:
    """ECS fields of exported records of one kind."""
    ours, kind = _kind(records.nodes[0] or {})
    properties = Many([embedded(one) for one in records.values("properties")])
    device = properties.below("deviceDetail")
    return {
        f"azure.{ours}.device.is_compliant": device.text("isCompliant"),
        f"azure.{ours}.device.is_managed": device.text("isManaged"),
        **_envelope(records, properties),
        **_body(records, properties, ours, kind),
    }


@source.keep
def vendor(record: dict[str, Any]) -> Mapping[str, Any]:
    """The record under Microsoft's own names, below its category."""
    outer = record.copy()
    outer.pop("time", None)
    outer["properties"] = embedded(record["properties"])
    return {"azure": {_ours(str(record["category"])): outer}}


def _ours(category: str) -> str:
    return _CATEGORIES.get(category, "identity_protection" if "Risk" in category else category.lower())


def _envelope(records: Many, properties: Many) -> Columns:
    tenant = records.text("tenantId")
    return {
        "@timestamp": first_times(
            records.values("time"),
            properties.values("createdDateTime"),
            properties.values("activityDateTime"),
        ),
        "event.action": records.text("operationName"),
        "event.provider": first(properties.text("loggedByService"), records.text("category")),
        "cloud.account.id": tenant,
        "organization.id": tenant,
    }


def _body(records: Many, properties: Many, ours: str, kind: str) -> Cells:
    if ours == "signinlogs":
        known = identity.sign_in(properties, records.text("resultType"))
    elif ours == "provisioninglogs":
        known = identity.provisioned(properties, records.text("resultType"))
    else:
        known = _READ.get(ours, identity.MEANINGS.get(kind, identity.sign_in))(properties)
    if None not in known["source.ip"]:
        return known
    caller, theirs = addresses(records.values("callerIpAddress"))
    ports = zip(known["source.ip"], known["source.port"], theirs, strict=True)
    ip = first(known["source.ip"], caller)
    port = [its if one else other for one, its, other in ports]
    return {**known, "source.ip": ip, "source.port": port, "client.ip": ip}


_READ: Mapping[str, Callable[[Many], Cells]] = {
    "auditlogs": identity.audit,
    "signinlogs": identity.sign_in,
    "identity_protection": identity.risk,
    "microsoftgraphactivitylogs": identity.graph_request,
}
"""How the categories are read whose name tells what they hold."""
