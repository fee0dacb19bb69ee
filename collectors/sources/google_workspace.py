"""Google Workspace: activities of the Reports API (`admin#reports#activity`), every application.

Source: Google, Admin SDK "Reports API: Activities" and the parameter appendices of its applications (login, admin, drive,
token, chrome, calendar, meet, groups …); what `login_challenge_status` may say: Sumo Logic, Google Workspace app. What
changes an account (`2sv_disable`) comes with the sign-ins (`login`) and is none. One activity may hold several events: the
first one names the action, all stay in `google.workspace.events`. `actor.email` may be redacted; a Chrome device names its
own user.
"""

from collections.abc import Mapping
from typing import Any

from collectors.google.mail_events import mail
from collectors.google.parameters import first_said, parameters, said
from collectors.records import (
    Flat,
    JsonRecords,
    first_address,
    items,
    kept,
    text,
    time,
    url,
)
from collectors.source import Source

source = Source(
    name="google.workspace",
    title={"ja": "Google Workspace 監査ログ", "en": "Google Workspace audit"},
    shape=JsonRecords(),
    recognise=r'"kind"\s*:\s*"(?:admin#reports|audit)#activity"',
    leftovers="google.workspace",
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
    "gmail": ["email"],
}
_TARGETS = ("USER_EMAIL", "affected_email_address", "target_user", "member_id", "user_email", "email")
_VERBS = {
    "creation": ("create", "add", "insert", "upload", "authorize"),
    "deletion": ("delete", "remove", "trash", "revoke"),
    "change": ("change", "update", "edit", "rename", "move", "toggle", "grant", "assign", "suspend"),
    "access": ("view", "download", "print", "preview"),
}
_CHANGED = {"edit", "enroll", "enrolled", "enable", "enabled", "disable", "disabled", "change", "changed"}
"""Words of a name that begins with what was changed: `2sv_disable`, `recovery_email_edit`."""
_ASKED, _ATTEMPTS = {"challenge", "verification"}, {"login", "logout", "blocked", "allowed"}
"""Words of a name that asks for more before a sign-in, and of one that is itself an attempt."""
_FAILED = ("failure", "fail", "blocked", "deny", "denied", "suspicious")
_STARTS, _ENDS = ("login_success", "chrome_os_login_event"), ("logout", "chrome_os_logout_event")


@source.each
def activity(record: dict[str, Any]) -> Mapping[str, Any] | None:
    """ECS fields of one activity; None for JSON that is none."""
    if "activity" not in str(record.get("kind")) or not isinstance(record.get("id"), dict):
        return None
    told = record.get("events")  # a collector that splits an activity leaves the one event bare
    event = next((one for one in (told, *items(record, "events")) if isinstance(one, dict)), {})
    given = parameters(event)
    return kept(
        {
            **_who(record, given),
            **_about(given),
            **_what(record, event, given),
        }
    )


def _who(record: dict[str, Any], given: Mapping[str, Any]) -> Flat:
    email = text(record, "actor", "email") or ""
    local, _, domain = email.partition("@")
    address, _ = first_address(text(record, "ipAddress"), said(given, "actor_ip_address", "ip_address"))
    return {
        "user.email": email if domain else None,
        "user.name": local if domain else said(given, "DEVICE_USER"),
        "user.domain": domain or None,
        "user.id": text(record, "actor", "profileId"),
        "user.target.email": said(given, *_TARGETS),
        "group.name": said(given, "GROUP_EMAIL", "group_email", "group_id"),
        "source.ip": address,
        "host.name": said(given, "DEVICE_NAME"),
        "host.os.full": said(given, "DEVICE_PLATFORM"),
        "device.id": said(given, "DIRECTORY_DEVICE_ID", "DEVICE_ID", "device_id"),
        "cloud.account.id": text(record, "id", "customerId"),
        "organization.id": text(record, "id", "customerId"),
    }


def _what(record: dict[str, Any], event: Mapping[str, Any], given: Mapping[str, Any]) -> Flat:
    name, application = text(event, "name") or "", text(record, "id", "applicationName") or ""
    low = name.lower()
    words = set(low.split("_"))
    account = application == "login" and bool(_CHANGED & words)
    challenge = said(given, "login_challenge_status") or ""
    failed = any(word in low for word in _FAILED) or challenge.startswith("Challenge Failed")
    known = (
        application == "saml"
        or (application == "login" and _has_outcome(words, challenge))
        or low in (*_STARTS, *_ENDS)
        or "LOGIN_LOGOUT" in str(event.get("type"))
    )
    return {
        "@timestamp": time(text(record, "id", "time")),
        "event.id": None,
        "event.action": name or None,
        "event.provider": application or None,
        "event.category": ["iam"] if account else _CATEGORIES.get(application, ["web"]),
        "event.type": [_kind(low, failed)],
        "event.outcome": ("failure" if failed else "success") if known else None,
        "event.reason": said(given, "login_failure_type", "EVENT_REASON"),
        "google.workspace.event.type": text(event, "type"),
    }


def _has_outcome(words: set[str], challenge: str) -> bool:
    """Whether an event of the sign-ins is an attempt that ended: a challenge or verification says how, a warning never."""
    if words & _ASKED:
        return bool(challenge)
    return bool(words & _ATTEMPTS) and not words & _CHANGED


def _kind(name: str, failed: bool) -> str:
    """event.type by the event's name, which begins with a verb in most applications."""
    if name in _STARTS:
        return "start"
    if name in _ENDS:
        return "end"
    if failed:
        return "denied"
    told = next((kind for kind, verbs in _VERBS.items() if name.startswith(verbs)), "info")
    return "change" if told == "info" and _CHANGED & set(name.split("_")) else told


def _about(given: Mapping[str, Any]) -> Flat:
    """The file, message or page that the event is about, and the rule that found it."""
    flat = {
        "file.name": said(given, "doc_title", "CONTENT_NAME", "resource_title"),
        "file.size": given.get("CONTENT_SIZE"),
        "file.hash.sha256": said(given, "CONTENT_HASH"),
        "file.owner": said(given, "owner", "resource_owner_email"),
        "rule.name": first_said(given, "rule_name", "TRIGGERED_RULE_NAME"),
        "rule.id": first_said(given, "rule_resource_name", "rule_id"),
        "user_agent.original": said(given, "user_agent", "USER_AGENT"),
        **url(said(given, "URL", "url")),
    }
    return {**flat, **{name: value for name, value in mail(given).items() if value}}
