"""Entra ID's own records: sign-ins, directory audits and risk detections.

The Graph API gives these objects bare; the Azure diagnostic export gives them as `properties`, in an
envelope. Facts: Microsoft Graph reference, `signIn`, `directoryAudit`, `riskDetection`, `riskyUser`;
"Interpret the Azure AD sign-in logs schema in Azure Monitor".
"""

from collections.abc import Callable, Mapping
from typing import Any

from collectors.many import Cells, Many, Texts, addresses, first, known, spread, urls
from collectors.records import Flat, at, embedded, items, pairs, text

_INTERRUPTED = {"50140", "50055", "50057", "50072", "50074", "50076", "50079", "50097", "50158", "65001"}
"""Sign-ins that stopped for a further step (MFA, consent, a new password): no success yet."""
_DONE = {"0", "Success"}
"""Codes of a sign-in that succeeded; a word in Log Analytics' tables of sign-ins other than SigninLogs, as their reference says."""


_RISKS = {"riskEventType", "riskType", "riskLastUpdatedDateTime"}
"""What a risk detection has, and what a user or service principal at risk has (`appId`, too, where it is an application)."""


def kind_of(record: dict[str, Any]) -> str:
    """Which of `MEANINGS` a record is of."""
    if "activityDisplayName" in record or "initiatedBy" in record:
        return "audit"
    if not _RISKS.isdisjoint(record) or ("riskLevel" in record and "appId" not in record):
        return "risk"
    return "sign_in"


def sign_in(records: Many, results: Texts | None = None) -> Cells:
    """Sign-ins of users, service principals and managed identities; results: the envelope's codes, if any."""
    status = records.below("status")
    code = first(status.text("errorCode"), results or records.nothing)
    ip, port = addresses(records.values("ipAddress"))
    return {
        **_account(records),
        **_location(records),
        **_device(records.below("deviceDetail")),
        "event.category": records.every(["authentication"]),
        "event.type": records.every(["start"]),
        "event.outcome": known(_outcome, code, status.text("additionalDetails")),
        "event.code": code,
        "event.reason": status.text("failureReason"),
        "source.ip": ip,
        "source.port": port,
        "client.ip": ip,
        "user_agent.original": records.text("userAgent"),
        "service.name": records.text("appDisplayName"),
        "service.id": records.text("appId"),
    }


def _outcome(said: tuple[str | None, str | None]) -> str | None:
    code, details = said
    if code is None:
        return None
    stopped = code in _INTERRUPTED and details != "MFA completed in Azure AD"
    return "success" if code in _DONE else "unknown" if stopped else "failure"


def _account(records: Many) -> Cells:
    principal = records.text("userPrincipalName")
    return {
        "user.id": first(records.text("userId"), records.text("servicePrincipalId")),
        "user.name": first(principal, records.text("servicePrincipalName")),
        "user.email": principal,
        "user.domain": known(lambda name: name.partition("@")[2] or None if name else None, principal),
        "user.full_name": records.text("userDisplayName"),
    }


def _location(records: Many) -> Cells:
    """Where Microsoft places the address; coordinates 0, 0 mean that it does not know."""
    place = records.below("location")
    point = place.below("geoCoordinates")
    told = zip(records.values("location"), place.text("countryOrRegion"), strict=True)
    return {
        "source.geo.city_name": place.text("city"),
        "source.geo.region_name": place.text("state"),
        "source.geo.country_iso_code": [
            _country(whole if whole and country is None else country) for whole, country in told
        ],
        "source.geo.location": [
            _point(at(latitude), at(longitude))
            for latitude, longitude in zip(point.values("latitude"), point.values("longitude"), strict=True)
        ],
    }


def _point(latitude: Any, longitude: Any) -> str | None:
    known = latitude is not None and longitude is not None and (latitude or longitude)
    return f"{latitude},{longitude}" if known else None


def _country(value: Any) -> str | None:
    return value.upper() if isinstance(value, str) and len(value) == 2 else None


def _device(detail: Many) -> Cells:
    return {
        "host.name": detail.text("displayName"),
        "host.id": detail.text("deviceId"),
        "host.os.full": detail.text("operatingSystem"),
        "user_agent.name": detail.text("browser"),
    }


def audit(records: Many) -> Cells:
    """Directory audits: who changed what."""
    initiated = records.below("initiatedBy")
    by, app = initiated.below("user"), initiated.below("app")
    ip, port = addresses(by.values("ipAddress"), app.values("ipAddress"))
    principal = by.text("userPrincipalName")
    category = [one or "" for one in records.text("category")]
    named = first(by.text("displayName"), app.text("displayName"))
    return {
        "event.category": known(
            lambda one: ["iam", "configuration"] if "Policy" in one else ["iam"], category
        ),
        "event.type": known(_types, records.text("operationType"), category),
        "event.outcome": known(_result, records.text("result")),
        "event.reason": records.text("resultReason"),
        "source.ip": ip,
        "source.port": port,
        "client.ip": ip,
        "user.id": first(by.text("id"), _principals(initiated, app)),
        "user.name": first(principal, named),
        "user.full_name": by.text("displayName"),
        "user.email": principal,
        "user_agent.original": first(records.text("userAgent"), _told_agents(records)),
        "service.name": records.text("loggedByService"),
        **spread([_targets(record or {}) for record in records.nodes]),
    }


def _principals(initiated: Many, app: Many) -> Texts:
    """Who acted, where it was no person."""
    both = zip(initiated.values("user"), app.text("servicePrincipalId"), strict=True)
    return [one if at(user) is None else None for user, one in both]


def _told_agents(records: Many) -> Texts:
    if not records.have("additionalDetails"):
        return records.nothing
    return [text(pairs(one, "key", "value"), "User-Agent") for one in records.values("additionalDetails")]


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


def _types(said: tuple[str | None, str]) -> list[str]:
    operation, category = said
    kind = _OPERATIONS.get((operation or "").lower(), "info")
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


def risk(records: Many) -> Cells:
    """Risk detections, and users or sign-ins at risk (Entra ID Protection)."""
    ip, port = addresses(records.values("ipAddress"))
    extra = [pairs(embedded(one), "Key", "Value") for one in records.values("additionalInfo")]
    account = _account(records)
    at_risk = zip(records.values("riskLastUpdatedDateTime"), records.text("id"), strict=True)
    return {
        **account,
        **_location(records),
        "user.id": first(account["user.id"], [one if when is not None else None for when, one in at_risk]),
        "user.name": first(account["user.name"], records.text("displayName")),
        "event.kind": records.every("alert"),
        "event.category": records.every(["intrusion_detection", "iam"]),
        "event.type": records.every(["info", "user"]),
        "event.reason": records.text("riskDetail"),
        "event.risk_score": known(
            lambda level: _SCORES.get((level or "").lower()), records.text("riskLevel")
        ),
        "rule.name": first(records.text("riskEventType"), records.text("riskType")),
        "source.ip": ip,
        "source.port": port,
        "client.ip": ip,
        "user_agent.original": [text(one, "userAgent") for one in extra],
    }


def provisioned(records: Many, results: Texts | None = None) -> Cells:
    """What the provisioning service did to an account (ProvisioningLogs); results: the envelope's, if any."""
    source, initiated = records.below("sourceIdentity"), records.below("initiatedBy")
    target = records.below("targetIdentity")
    said = first(records.below("provisioningStatusInfo").text("status"), results or records.nothing)
    whom = first(source.below("details").text("userPrincipalName"), source.text("displayName"))
    return {
        "event.category": records.every(["iam"]),
        "event.type": known(_provisioning, records.text("provisioningAction")),
        "event.outcome": known(_result, said),
        "user.name": initiated.text("displayName"),
        "user.id": initiated.text("id"),
        "user.target.name": first(whom, target.text("displayName")),
        "user.target.id": first(source.text("id"), target.text("id")),
        "service.name": records.below("servicePrincipal").text("displayName"),
        **dict.fromkeys(("source.ip", "source.port", "client.ip"), records.nothing),
    }


def _provisioning(action: str | None) -> list[str]:
    return ["user", _OPERATIONS.get((action or "").lower(), "change")]


_SCORES = {"low": 21.0, "medium": 47.0, "high": 73.0}


def graph_request(records: Many) -> Cells:
    """Requests to Microsoft Graph (MicrosoftGraphActivityLogs)."""
    ip, port = addresses(records.values("ipAddress"))
    status = records.text("responseStatusCode")
    return {
        "event.category": records.every(["web"]),
        "event.type": records.every(["access"]),
        "event.outcome": known(_answered, status),
        "http.request.method": records.text("requestMethod"),
        "http.response.status_code": status,
        **urls(records.text("requestUri")),
        "user.id": first(records.text("userId"), records.text("servicePrincipalId")),
        "service.id": records.text("appId"),
        "source.ip": ip,
        "source.port": port,
        "client.ip": ip,
        "user_agent.original": records.text("userAgent"),
    }


def _answered(status: str | None) -> str | None:
    return None if not status else "failure" if status.startswith(("4", "5")) else "success"


MEANINGS: Mapping[str, Callable[[Many], Cells]] = {"audit": audit, "risk": risk, "sign_in": sign_in}
