"""Rows of Log Analytics' tables as the records that diagnostic settings export.

A column is a property of the record in PascalCase; objects may stand in it as JSON text. Opened (MicrosoftDocs/azure-reference-other,
azure-monitor-ref/tables/includes, pages of 2024): AuditLogs, SigninLogs, AADNonInteractiveUserSignInLogs, AADServicePrincipalSignInLogs,
AADManagedIdentitySignInLogs, AADUserRiskEvents, AADRiskyUsers, AzureActivity. What the export calls a column (MicrosoftDocs/azure-docs):
"Sign-in log schema in Azure Monitor", "Interpret the Azure AD audit log schema in Azure Monitor", "Azure Activity Log event schema".
Not found there: what Category says in the tables of sign-ins (the export's values are taken), and a whole row of any table.
"""

import re
from typing import Any

from collectors.records import embedded

_CATEGORIES = {
    "SigninLogs": "SignInLogs",
    "AADUserRiskEvents": "UserRiskEvents",
    "AADRiskyUsers": "RiskyUsers",
}
_WORKSPACE = "TenantId"
"""The Log Analytics workspace, where the record's `tenantId` is the organisation's: the name stays as the column has it."""
_ENVELOPE = {
    "TimeGenerated": "time",
    "OperationName": "operationName",
    "OperationVersion": "operationVersion",
    "ResultType": "resultType",
    "ResultSignature": "resultSignature",
    "ResultDescription": "resultDescription",
    "CorrelationId": "correlationId",
    "Identity": "identity",
    "AADTenantId": "tenantId",
    "DurationMs": "durationMs",
    "Level": "Level",
}
_OTHERWISE = {
    "AADOperationType": "operationType",
    "RiskEventTypes_V2": "riskEventTypes_v2",
    _WORKSPACE: _WORKSPACE,
}
"""Columns that the export does not call as they are called here."""
_ACTIVITY = (
    ("ActivityStatus", "status"),
    ("ActivitySubstatus", "subStatus"),
    ("_ResourceId", "resourceId"),
    ("TimeGenerated", "eventTimestamp"),
    ("EventSubmissionTimestamp", "submissionTimestamp"),
    ("OperationNameValue", "operationName"),
    ("CategoryValue", "category"),
    ("ActivityStatusValue", "status"),
    ("ActivitySubstatusValue", "subStatus"),
    ("ResourceId", "resourceId"),
    ("ResourceGroup", "resourceGroupName"),
    ("Authorization_d", "authorization"),
    ("Claims_d", "claims"),
    ("Properties_d", "properties"),
)
"""Of two columns with one name the latter, where it says something: older exports fill the former."""
_LEADING = re.compile(r"^[A-Z]+(?=[A-Z][a-z])|^[A-Z]")
"""The first word's capitals: IPAddress is ipAddress, AppId is appId."""


def entra(row: dict[str, Any]) -> dict[str, Any]:
    """A row of one of Entra ID's tables as the exported record; any other object as it is."""
    category = _category(row) if "TimeGenerated" in row else None
    if category is None:
        return row
    outer = {ours: row[name] for name, ours in _ENVELOPE.items() if name in row}
    inner = {_camel(name): _value(value) for name, value in row.items() if name not in _ENVELOPE}
    placed = inner.pop("locationDetails") if isinstance(inner.get("locationDetails"), dict) else None
    if placed or category == "AuditLogs":  # there it is the data center's
        outer["location"] = inner.pop("location", None)
    if placed:
        inner["location"] = placed
    if category != "AuditLogs":
        outer["callerIpAddress"] = inner.get("ipAddress")
    return {"operationName": category, **outer, "category": category, "properties": inner}


def _category(row: dict[str, Any]) -> str | None:
    """The category of the export, by the table's name or, where the export left it out, by columns that only it has."""
    table, said = str(row.get("Type", "")), str(row.get("Category", ""))
    if table == "AuditLogs" or "AADOperationType" in row:
        return "AuditLogs"
    if table.startswith("AAD") and table.endswith("SignInLogs"):
        return table.removeprefix("AAD")
    return _CATEGORIES.get(table) or (said if said.endswith("SignInLogs") else None)


def activity(row: dict[str, Any]) -> dict[str, Any]:
    """A row of AzureActivity in the names of the activity log's own schema; any other object as it is."""
    if "OperationNameValue" not in row or "operationName" in row:
        return row
    apart = dict(_ACTIVITY)
    named = {_camel(name): _value(value) for name, value in row.items() if name not in apart}
    return named | {ours: _value(row[name]) for name, ours in _ACTIVITY if row.get(name)}


def _camel(name: str) -> str:
    return _OTHERWISE.get(name) or _LEADING.sub(lambda capitals: capitals[0].lower(), name)


def _value(value: Any) -> Any:
    inner = embedded(value)
    return value if inner is None else inner
