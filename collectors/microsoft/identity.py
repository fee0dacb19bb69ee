"""Entra ID's own records: sign-ins, directory audits and risk detections.

The Graph API gives these objects bare; the Azure diagnostic export gives them as `properties`, in an
envelope. Facts: Microsoft Graph reference, `signIn`, `directoryAudit`, `riskDetection`, `riskyUser`;
"Interpret the Azure AD sign-in logs schema in Azure Monitor".
"""

from typing import Any

from collectors.records import Flat, at, embedded, first_address, items, pairs, text, url

_INTERRUPTED = {"50140", "50055", "50057", "50072", "50074", "50076", "50079", "50097", "50158", "65001"}
"""Sign-ins that stopped for a further step (MFA, consent, a new password): no success yet."""


def sign_in(record: dict[str, Any], result: str | None = None) -> Flat:
    """A user's, service principal's or managed identity's sign-in; result: the envelope's code, if any."""
    code = text(record, "status", "errorCode") or result
    ip, port = first_address(record.get("ipAddress"))
    return {
        **_account(record),
        **_location(record),
        **_device(record),
        "event.category": ["authentication"],
        "event.type": ["start"],
        "event.outcome": _outcome(code, record),
        "event.code": code,
        "event.reason": text(record, "status", "failureReason"),
        "source.ip": ip,
        "source.port": port,
        "client.ip": ip,
        "user_agent.original": text(record, "userAgent"),
        "service.name": text(record, "appDisplayName"),
        "service.id": text(record, "appId"),
    }


def _outcome(code: str | None, record: dict[str, Any]) -> str | None:
    if code is None:
        return None
    stopped = (
        code in _INTERRUPTED and text(record, "status", "additionalDetails") != "MFA completed in Azure AD"
    )
    return "success" if code == "0" else "unknown" if stopped else "failure"


def _account(record: dict[str, Any]) -> Flat:
    principal = text(record, "userPrincipalName")
    return {
        "user.id": text(record, "userId") or text(record, "servicePrincipalId"),
        "user.name": principal or text(record, "servicePrincipalName"),
        "user.email": principal,
        "user.domain": principal.partition("@")[2] or None if principal else None,
        "user.full_name": text(record, "userDisplayName"),
    }


def _location(record: dict[str, Any]) -> Flat:
    """Where Microsoft places the address; coordinates 0, 0 mean that it does not know."""
    place = at(record, "location")
    if not isinstance(place, dict):
        return {"source.geo.country_iso_code": _country(place)}
    latitude, longitude = at(place, "geoCoordinates", "latitude"), at(place, "geoCoordinates", "longitude")
    known = latitude is not None and longitude is not None and (latitude or longitude)
    return {
        "source.geo.city_name": text(place, "city"),
        "source.geo.region_name": text(place, "state"),
        "source.geo.country_iso_code": _country(text(place, "countryOrRegion")),
        "source.geo.location": f"{latitude},{longitude}" if known else None,
    }


def _country(value: Any) -> str | None:
    return value.upper() if isinstance(value, str) and len(value) == 2 else None


def _device(record: dict[str, Any]) -> Flat:
    detail = record.get("deviceDetail")
    if not isinstance(detail, dict):
        return {}
    return {
        "host.name": text(detail, "displayName"),
        "host.id": text(detail, "deviceId"),
        "host.os.full": text(detail, "operatingSystem"),
        "user_agent.name": text(detail, "browser"),
    }


def audit(record: dict[str, Any]) -> Flat:
    """A directory audit: who changed what."""
    by, app = at(record, "initiatedBy", "user"), at(record, "initiatedBy", "app")
    ip, port = first_address(at(by, "ipAddress"), at(app, "ipAddress"))
    principal = text(by, "userPrincipalName")
    extra = pairs(record.get("additionalDetails"), "key", "value")
    category = text(record, "category") or ""
    return {
        "event.category": ["iam"] if "Policy" not in category else ["iam", "configuration"],
        "event.type": _types(record, category),
        "event.outcome": _result(text(record, "result")),
        "event.reason": text(record, "resultReason"),
        "source.ip": ip,
        "source.port": port,
        "client.ip": ip,
        "user.id": text(by, "id") or (text(app, "servicePrincipalId") if by is None else None),
        "user.name": principal or text(by, "displayName") or text(app, "displayName"),
        "user.full_name": text(by, "displayName"),
        "user.email": principal,
        "user_agent.original": text(record, "userAgent") or text(extra, "User-Agent"),
        "service.name": text(record, "loggedByService"),
        **_targets(record),
    }


def _result(value: str | None) -> str | None:
    known = {"success": "success", "failure": "failure", "failed": "failure", "timeout": "failure"}
    return None if value is None else known.get(value.lower(), "unknown")


_OPERATIONS = {
    "add": "creation",
    "create": "creation",
    "assign": "change",
    "unassign": "change",
    "update": "change",
    "delete": "deletion",
    "get": "access",
}


def _types(record: dict[str, Any], category: str) -> list[str]:
    kind = _OPERATIONS.get((text(record, "operationType") or "").lower(), "info")
    whom = (
        "group"
        if category.startswith(("Group", "Role"))
        else "user"
        if category.startswith("User")
        else "admin"
    )
    return [whom, kind]


def _targets(record: dict[str, Any]) -> Flat:
    """The first user, group, role and device that the change was about."""
    found: Flat = {}
    for one in items(record, "targetResources"):
        if not isinstance(one, dict):
            continue
        kind = (text(one, "type") or text(one, "Type") or "").lower()
        if kind == "user" and "user.target.name" not in found:
            name = text(one, "userPrincipalName") or text(one, "displayName")
            found |= {"user.target.name": name, "user.target.id": text(one, "id")}
            found["user.target.email"] = name if name and "@" in name else None
        elif kind in {"group", "role"}:
            found.setdefault("group.name", text(one, "displayName"))
            found.setdefault("group.id", text(one, "id"))
        elif kind == "device":
            found.setdefault("host.name", text(one, "displayName"))
            found.setdefault("host.id", text(one, "id"))
    changed = _changed(record)
    for field, names in (
        ("group.name", ("Group.DisplayName", "Role.DisplayName")),
        ("group.id", ("Group.ObjectID", "Role.ObjectID")),
    ):
        if not found.get(field):
            found[field] = next((changed[name] for name in names if changed.get(name)), None)
    return found


def _changed(record: dict[str, Any]) -> dict[str, str | None]:
    """New values of the changed properties; they are JSON inside text."""
    values: dict[str, str | None] = {}
    for one in items(record, "targetResources"):
        for name, value in pairs(at(one, "modifiedProperties"), "displayName", "newValue").items():
            if isinstance(value, str):
                values.setdefault(name, value.strip('[]" \r\n') or None)
    return values


def risk(record: dict[str, Any]) -> Flat:
    """A risk detection, or a user or sign-in at risk (Entra ID Protection)."""
    ip, port = first_address(record.get("ipAddress"))
    extra = pairs(embedded(record.get("additionalInfo")), "Key", "Value")
    score = {"low": 21.0, "medium": 47.0, "high": 73.0}.get((text(record, "riskLevel") or "").lower())
    return {
        **_account(record),
        **_location(record),
        "event.kind": "alert",
        "event.category": ["intrusion_detection", "iam"],
        "event.type": ["info", "user"],
        "event.reason": text(record, "riskDetail"),
        "event.risk_score": score,
        "rule.name": text(record, "riskEventType") or text(record, "riskType"),
        "source.ip": ip,
        "source.port": port,
        "client.ip": ip,
        "user_agent.original": text(extra, "userAgent"),
    }


def graph_request(record: dict[str, Any]) -> Flat:
    """A request to Microsoft Graph (MicrosoftGraphActivityLogs)."""
    ip, port = first_address(record.get("ipAddress"))
    status = text(record, "responseStatusCode") or ""
    return {
        "event.category": ["web"],
        "event.type": ["access"],
        "event.outcome": "failure" if status.startswith(("4", "5")) else "success" if status else None,
        "http.request.method": text(record, "requestMethod"),
        "http.response.status_code": status or None,
        **url(text(record, "requestUri")),
        "user.id": text(record, "userId") or text(record, "servicePrincipalId"),
        "service.id": text(record, "appId"),
        "source.ip": ip,
        "source.port": port,
        "client.ip": ip,
        "user_agent.original": text(record, "userAgent"),
    }


def meaning(record: dict[str, Any]) -> Flat:
    """ECS of whichever kind of record this is."""
    if "activityDisplayName" in record or "initiatedBy" in record:
        return audit(record)
    if "riskEventType" in record or "riskType" in record or ("riskLevel" in record and "appId" not in record):
        return risk(record)
    return sign_in(record)
