"""1Password Business events: audit events, item usages and sign-in attempts of the Events API.

Facts: 1Password Developer, "1Password Events API reference", "Audit events", "Item usage actions", "Sign-in
attempts". An audit event or item usage is written when it has happened; only sign-in attempts can fail, and
say so by `category`. `aux_details` names the other person of an audit event. The whole event stays under
`onepassword.<name>`.
"""

from collections.abc import Mapping
from typing import Any

from collectors.records import Flat, JsonRecords, at, first_address, kept, text, time
from collectors.source import Source

source = Source(
    name="onepassword.events",
    title={
        "ja": "1Password（監査・項目の利用・サインイン）",
        "en": "1Password audit events, item usages, sign-ins",
    },
    zone_hint="cloud",
    shape=JsonRecords(kind=("action", "category")),
    recognise=(
        r'"uuid"\s*:\s*"[A-Z0-9]{26}"',
        r'"(?:actor_uuid|item_uuid|session_uuid)"\s*:\s*"[A-Z0-9]{26}"',
        r'"timestamp"\s*:',
    ),
    leftovers="onepassword",
    constants={"event.kind": "event", "event.provider": "1password"},
)

_PEOPLE = {
    "user",
    "gm",
    "group",
    "uva",
    "gva",
    "uvc",
    "invite",
    "sso",
    "ssotkn",
    "dvc",
    "mngdac",
    "slink",
    "sess",
}
_DONE = {
    "create": "creation", "join": "creation", "grant": "creation", "activate": "creation", "begin": "creation",
    "delete": "deletion", "leave": "deletion", "revoke": "deletion", "purge": "deletion", "deactivate": "deletion",
}  # fmt: skip
_SIGNED_IN = {"success", "firewall_reported_success"}


@source.each
def event(record: dict[str, Any]) -> Mapping[str, Any] | None:
    """ECS fields of one event; None for JSON that is none."""
    kind = _kind(record)
    if kind is None:
        return None
    meaning = {"audit": _audit, "usage": _usage, "sign_in": _sign_in}[kind](record)
    return kept({**_common(record), **meaning})


def _kind(record: dict[str, Any]) -> str | None:
    if "actor_uuid" in record and "object_type" in record:
        return "audit"
    if "item_uuid" in record and "user" in record:
        return "usage"
    return "sign_in" if "target_user" in record and "category" in record else None


def _common(record: dict[str, Any]) -> Flat:
    ip, _ = first_address(at(record, "session", "ip"), at(record, "client", "ip_address"))
    place, client = at(record, "location"), at(record, "client")
    latitude, longitude = text(place, "latitude"), text(place, "longitude")
    country = text(place, "country") or text(record, "country")
    short = country is not None and len(country) == 2
    return {
        "@timestamp": time(record.get("timestamp")),
        "event.action": text(record, "action") or text(record, "type"),
        "client.ip": ip,
        "source.ip": ip,
        "source.geo.country_iso_code": country if short else None,
        "source.geo.country_name": None if short else country,
        "source.geo.region_name": text(place, "region"),
        "source.geo.city_name": text(place, "city"),
        "source.geo.location": f"{latitude},{longitude}" if latitude and longitude else None,
        "user_agent.name": text(client, "app_name"),
        "user_agent.version": text(client, "app_version"),
        "user_agent.os.name": text(client, "os_name"),
        "user_agent.os.version": text(client, "os_version"),
    }


def _person(person: Any, prefix: str) -> Flat:
    return {
        f"{prefix}.id": text(person, "uuid"),
        f"{prefix}.name": text(person, "name") or text(person, "email"),
        f"{prefix}.email": text(person, "email"),
    }


def _audit(record: dict[str, Any]) -> Flat:
    actor = _person(at(record, "actor_details"), "user")
    done = _DONE.get(str(text(record, "action")), "change")
    people = text(record, "object_type") in _PEOPLE
    return {
        **actor,
        "user.id": actor["user.id"] or text(record, "actor_uuid"),
        **_person(at(record, "aux_details") or at(record, "object_details"), "user.target"),
        "event.category": ["iam"] if people else ["configuration"],
        "event.type": ["user", done] if people else [done],
        "event.outcome": "success",
    }


def _usage(record: dict[str, Any]) -> Flat:
    return {
        **_person(at(record, "user"), "user"),
        "event.category": ["file"],
        "event.type": ["access"],
        "event.outcome": "success",
    }


def _sign_in(record: dict[str, Any]) -> Flat:
    category = text(record, "category")
    return {
        **_person(at(record, "target_user"), "user"),
        "event.category": ["authentication"],
        "event.type": ["start"],
        "event.outcome": "success" if category in _SIGNED_IN else "failure",
        "event.reason": None if category in _SIGNED_IN else category,
    }
