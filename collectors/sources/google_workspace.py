"""Google Workspace: activities of the Reports API (`admin#reports#activity`), every application.

Source: Google, Admin SDK "Reports API: Activities" and the parameter appendices of its applications (login, admin, drive,
token, chrome, calendar, meet, groups …). One activity may hold several events: the first one names the action, all stay
in `google.workspace.events`. `actor.email` may be redacted; a Chrome device names its own user.
"""

from collections.abc import Mapping
from typing import Any

from collectors.records import (
    Flat,
    JsonRecords,
    first_address,
    items,
    kept,
    leaves,
    related,
    text,
    time,
)
from collectors.source import Source

source = Source(
    name="google.workspace",
    title={"ja": "Google Workspace 監査ログ", "en": "Google Workspace audit"},
    shape=JsonRecords(),
    recognise=r'"kind"\s*:\s*"(?:admin#reports|audit)#activity"',
    constants={"event.kind": "event", "cloud.provider": "gcp"},
)

_CATEGORIES = {
    "login": ["authentication"],
    "saml": ["authentication"],
    "admin": ["iam", "configuration"],
    "groups": ["iam"],
    "groups_enterprise": ["iam"],
    "user_accounts": ["iam"],
    "token": ["iam"],
    "drive": ["file"],
    "mobile": ["host"],
    "chrome": ["host"],
    "rules": ["configuration"],
    "context_aware_access": ["session"],
}
_FAILED = ("failure", "fail", "blocked", "deny", "denied", "suspicious")
_STARTS, _ENDS = ("login_success", "chrome_os_login_event"), ("logout", "chrome_os_logout_event")


@source.each
def activity(record: dict[str, Any]) -> Mapping[str, Any] | None:
    """ECS fields of one activity; None for JSON that is none."""
    if "activity" not in str(record.get("kind")) or not isinstance(record.get("id"), dict):
        return None
    event = next((one for one in items(record, "events") if isinstance(one, dict)), {})
    given = parameters(event)
    flat = kept(
        {**_who(record, given), **_what(record, event, given), **dict(leaves(record, "google.workspace."))}
    )
    return {**flat, **related(flat)}


def parameters(event: Mapping[str, Any]) -> dict[str, Any]:
    """Parameters of an event by name, each with the value that its type holds."""
    found = {}
    for one in items(event, "parameters"):
        if isinstance(one, dict) and isinstance(one.get("name"), str):
            found[one["name"]] = next(
                (value for name, value in one.items() if name.lower().endswith("value")), None
            )
    return found


def _who(record: dict[str, Any], given: Mapping[str, Any]) -> Flat:
    email = text(record, "actor", "email") or ""
    local, _, domain = email.partition("@")
    device_user = given.get("DEVICE_USER") if given.get("DEVICE_USER") not in ("-", "") else None
    address, _ = first_address(text(record, "ipAddress"))
    return {
        "user.email": email if domain else None,
        "user.name": local if domain else device_user,
        "user.domain": domain or None,
        "user.id": text(record, "actor", "profileId"),
        "user.target.email": next(
            (
                given[name]
                for name in ("USER_EMAIL", "affected_email_address", "target_user")
                if name in given
            ),
            None,
        ),
        "source.ip": address,
        "host.name": given.get("DEVICE_NAME"),
        "cloud.account.id": text(record, "id", "customerId"),
        "organization.id": text(record, "id", "customerId"),
    }


def _what(record: dict[str, Any], event: Mapping[str, Any], given: Mapping[str, Any]) -> Flat:
    name, application = text(event, "name") or "", text(record, "id", "applicationName") or ""
    low = name.lower()
    failed = any(word in low for word in _FAILED)
    known = (
        application in ("login", "saml")
        or low in (*_STARTS, *_ENDS)
        or "LOGIN_LOGOUT" in str(event.get("type"))
    )
    return {
        "@timestamp": time(text(record, "id", "time")),
        "event.id": None,
        "event.action": name or None,
        "event.provider": application or None,
        "event.category": _CATEGORIES.get(application, ["web"]),
        "event.type": ["start"]
        if low in _STARTS
        else ["end"]
        if low in _ENDS
        else ["denied"]
        if failed
        else ["info"],
        "event.outcome": ("failure" if failed else "success") if known else None,
        "file.name": given.get("doc_title"),
        "user_agent.original": given.get("user_agent"),
        "google.workspace.event.type": text(event, "type"),
    }
