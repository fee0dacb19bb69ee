"""Rows of Log Analytics' tables, with the columns that Microsoft's reference has for them."""

from typing import Any

import orjson
import polars as pl
import pytest

from collectors.microsoft import log_analytics
from collectors.source import Source
from collectors.sources.microsoft_azure_activity import source as activity
from collectors.sources.microsoft_entra import source as entra

ACTIVITY = {
    "TimeGenerated": "2026-11-19T18:14:05Z",
    "OperationNameValue": "MICROSOFT.COMPUTE/VIRTUALMACHINES/DELETE",
    "CategoryValue": "Administrative",
    "ActivityStatusValue": "Failed",
    "TenantId": "the-workspace",
    "Type": "AzureActivity",
}
SIGN_IN = {
    "TimeGenerated": "2026-11-20T17:20:03Z",
    "Type": "AADServicePrincipalSignInLogs",
    "OperationName": "Sign-in activity",
    "ResultType": "0",
    "ServicePrincipalId": "p",
    "ServicePrincipalName": "backup",
    "IPAddress": "192.0.2.45",
    "Location": "JP",
    "TenantId": "the-workspace",
}


def _read(source: Source, row: dict[str, Any]) -> dict[str, Any]:
    """The one event of a row, without what it has not."""
    line = orjson.dumps(row).decode()
    [frame] = source.parse(pl.DataFrame({"message": [line]})).frames
    [event] = frame.to_dicts()
    return {name: value for name, value in event.items() if value is not None}


@pytest.mark.parametrize(("source", "row"), [(activity, ACTIVITY), (entra, SIGN_IN)])
def test_the_workspace_is_not_the_organisation(source: Source, row: dict[str, Any]) -> None:
    """TenantId is the ID of the Log Analytics workspace."""
    event = _read(source, row)
    assert "cloud.account.id" not in event
    assert "organization.id" not in event


@pytest.mark.parametrize(
    ("code", "outcome"),
    [("0", "success"), ("Success", "success"), ("Failure", "failure"), ("50126", "failure"), (None, None)],
)
def test_results_of_sign_ins_are_codes_or_words(code: str | None, outcome: str | None) -> None:
    """SigninLogs has codes; for the other tables the reference has the words Success and Failure."""
    assert _read(entra, {**SIGN_IN, "ResultType": code}).get("event.outcome") == outcome


@pytest.mark.parametrize("blank", [None, "", {}])
def test_an_empty_column_hides_no_older_one(blank: object) -> None:
    """Claims_d, ActivityStatusValue and _ResourceId beside the columns that they replace, either of which may be empty."""
    claims = {"http://schemas.xmlsoap.org/ws/2005/05/identity/claims/upn": "t.yamada@city.example.jp"}
    older = {
        "ActivityStatus": "Succeeded",
        "Claims": orjson.dumps(claims).decode(),
        "_ResourceId": "/subscriptions/s/x",
    }
    row = ACTIVITY | older | dict.fromkeys(("ActivityStatusValue", "Claims_d", "ResourceId"), blank)
    event = _read(activity, row)
    assert (event["event.outcome"], event["user.email"]) == ("success", "t.yamada@city.example.jp")
    assert event["azure.activitylogs.resourceId"] == "/subscriptions/s/x"


def test_both_places_of_a_sign_in_are_kept() -> None:
    """Location is the record's own, LocationDetails that of its properties."""
    record = log_analytics.entra({**SIGN_IN, "LocationDetails": '{"city":"Tokyo"}'})
    assert (record["location"], record["properties"]["location"]) == ("JP", {"city": "Tokyo"})
    assert _read(entra, SIGN_IN)["source.geo.country_iso_code"] == "JP"


def test_columns_of_other_names_have_the_names_of_the_export() -> None:
    """As the pages about the two schemas show them."""
    audit = log_analytics.entra(
        {
            "TimeGenerated": "2026-11-20T17:20:03Z",
            "AADOperationType": "Add",
            "Location": "WUS",
            "Identity": "MS-PIM",
        }
    )
    assert (audit["location"], audit["identity"]) == ("WUS", "MS-PIM")
    assert audit["properties"] == {"operationType": "Add"}
    signed = log_analytics.entra({**SIGN_IN, "RiskEventTypes_V2": "[]"})
    assert signed["properties"]["riskEventTypes_v2"] == []
