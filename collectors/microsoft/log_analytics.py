"""Rows of Log Analytics' tables as the records that diagnostic settings export.

A table has a column for each property of the record, in PascalCase, and objects as JSON text where it was exported as CSV or by the
query API. Facts: Microsoft, Azure Monitor Logs reference, tables AuditLogs, SigninLogs, AADNonInteractiveUserSignInLogs,
AADServicePrincipalSignInLogs, AADManagedIdentitySignInLogs, AADUserRiskEvents, AADRiskyUsers, AzureActivity.
"""

import re
from typing import Any

from collectors.records import embedded

_CATEGORIES = {
    "SigninLogs": "SignInLogs",
    "AADUserRiskEvents": "UserRiskEvents",
    "AADRiskyUsers": "RiskyUsers",
}
_ENVELOPE = {
    "TimeGenerated": "time",
    "OperationName": "operationName",
    "OperationVersion": "operationVersion",
    "ResultType": "resultType",
    "ResultDescription": "resultDescription",
    "CorrelationId": "correlationId",
    "AADTenantId": "tenantId",
    "DurationMs": "durationMs",
    "Level": "Level",
}
_ACTIVITY = {
    "TimeGenerated": "eventTimestamp",
    "OperationNameValue": "operationName",
    "CategoryValue": "category",
    "ActivityStatusValue": "status",
    "Claims_d": "claims",
    "Properties_d": "properties",
}
_LEADING = re.compile(r"^[A-Z]+(?=[A-Z][a-z])|^[A-Z]")
"""The first word's capitals: IPAddress is ipAddress, AppId is appId."""


def entra(row: dict[str, Any]) -> dict[str, Any]:
    """A row of one of Entra ID's tables as the exported record; any other object as it is."""
    category = _category(row) if "TimeGenerated" in row else None
    if category is None:
        return row
    outer = {ours: row[name] for name, ours in _ENVELOPE.items() if name in row}
    inner = {_camel(name): _value(value) for name, value in row.items() if name not in _ENVELOPE}
    if "locationDetails" in inner:
        inner["location"] = inner.pop("locationDetails")
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
    named = {_camel(name): _value(value) for name, value in row.items() if name not in _ACTIVITY}
    return named | {ours: _value(row[name]) for name, ours in _ACTIVITY.items() if name in row}


def _camel(name: str) -> str:
    return _LEADING.sub(lambda capitals: capitals[0].lower(), name)


def _value(value: Any) -> Any:
    inner = embedded(value)
    return value if inner is None else inner
