"""GitHub audit log of an organisation or enterprise: REST API, export, and streaming; web and Git events.

Facts: GitHub Docs, "Reviewing the audit log for your organization", "Audit log events for your enterprise",
"Using the audit log API". `actor` is who did it, `user` whom it was done to; `actor_ip` and Git events come
where the enterprise discloses them. Times are milliseconds since 1970. Nothing is logged that did not happen,
except what is named so (`failed`, `denied`). The whole record stays under `github.<name>`.
"""

from collections.abc import Mapping
from typing import Any

from collectors.narrow import Text, Verbatim
from collectors.records import Flat, JsonRecords, address, epoch, kept, moment, text
from collectors.source import Source

source = Source(
    name="github.audit",
    title={"ja": "GitHub 監査ログ", "en": "GitHub audit log"},
    zone_hint="cloud",
    shape=JsonRecords(kind=("action",)),
    verbatim=Verbatim({"event.action": Text(), "github.*": Text()}),
    recognise=(
        r'"action"\s*:\s*"[a-z_0-9]+(?:\.[a-z_0-9]+)+"',
        r'"(?:@timestamp|created_at)"\s*:\s*\d{12,13}\b',
    ),
    leftovers="github",
    constants={"event.kind": "event", "event.provider": "github"},
)

_IAM = {
    "org_credential_authorization", "personal_access_token", "team", "role", "external_group", "external_identity",
    "enterprise_team", "two_factor_authentication", "public_key", "oauth_access", "oauth_authorization", "user",
}  # fmt: skip
_SIGN_IN = {
    "user.login",
    "user.failed_login",
    "org.sso_response",
    "business.sso_response",
    "user.two_factor_challenge_failure",
}
_TYPES = {
    "create": "creation",
    "add": "creation",
    "remove": "deletion",
    "restore": "change",
    "modify": "change",
    "transfer": "change",
    "access": "access",
    "authentication": "start",
}
_WORDS = (
    (("add_", "create", "add", "grant", "invite_", "enable"), "creation"),
    (("remove", "delete", "destroy", "revoke"), "deletion"),
    (("clone", "fetch", "download", "access"), "access"),
)


@source.each
def event(record: dict[str, Any]) -> Mapping[str, Any] | None:
    """ECS fields of one entry; None for JSON that is none."""
    action = text(record, "action")
    if action is None or "." not in action:
        return None
    when = epoch(record.get("@timestamp")) or moment(record.get("created_at"))
    found = {"@timestamp": when, **_meaning(record, action), **_who(record), **_where(record)}
    return kept(found)


def _meaning(record: dict[str, Any], action: str) -> Flat:
    failed = any(word in action for word in ("failed", "failure", "denied", "rejected"))
    return {
        "event.action": action,
        "event.id": text(record, "_document_id"),
        "event.category": _category(action),
        "event.type": _type(record, action),
        "event.outcome": "failure" if failed else "success",
        "event.reason": text(record, "explanation") or text(record, "reason"),
    }


def _category(action: str) -> list[str]:
    area = action.partition(".")[0]
    if action in _SIGN_IN:
        return ["authentication"]
    member = area in ("org", "business", "repo") and ("member" in action or "collaborator" in action)
    if area in _IAM or (member and "invitation_permission" not in action):
        return ["iam"]
    return ["file"] if area == "git" else ["configuration"]


def _type(record: dict[str, Any], action: str) -> list[str]:
    """GitHub's own kind of operation, or what the action's name says where it gives none."""
    given = _TYPES.get(str(text(record, "operation_type")))
    verb = action.rpartition(".")[2]
    guessed = next((kind for words, kind in _WORDS if verb.startswith(words)), "change")
    return ["start"] if action in _SIGN_IN else [given or guessed]


def _who(record: dict[str, Any]) -> Flat:
    actor = text(record, "actor")
    target = text(record, "user")
    mail = text(record, "external_identity_nameid")
    return {
        "user.name": actor,
        "user.id": text(record, "actor_id"),
        "user.email": mail if mail and "@" in mail else None,
        "user.target.name": target if target != actor else None,
        "user.target.id": text(record, "user_id") if target != actor else None,
        "group.name": text(record, "team"),
        "organization.name": text(record, "org") or text(record, "business"),
        "organization.id": text(record, "org_id") or text(record, "business_id"),
    }


def _where(record: dict[str, Any]) -> Flat:
    ip, _ = address(record.get("actor_ip"))
    country = text(record, "actor_location", "country_code")
    return {
        "source.ip": ip,
        "client.ip": ip,
        "source.geo.country_iso_code": country if country and len(country) == 2 else None,
        "user_agent.original": text(record, "user_agent"),
        "network.protocol": text(record, "transport_protocol_name"),
        "http.request.method": text(record, "request_method"),
        "http.response.status_code": text(record, "status_code"),
        "url.path": text(record, "url_path"),
    }
