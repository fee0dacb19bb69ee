"""Duo Security: authentication, administrator, activity, telephony and offline-enrolment logs (Admin API).

Source: Duo, Admin API "Logs" (authentication v1 and v2, administrator, activity, telephony v2, offline enrollment). `description` of
administrator logs is JSON written as text. `eventtype` is what Duo's log sync names the log.
"""

from collections.abc import Mapping
from typing import Any

from collectors.leaves import leaves_of
from collectors.records import (
    Flat,
    JsonRecords,
    at,
    embedded,
    first_address,
    items,
    kept,
    moment,
    text,
)
from collectors.source import Source

source = Source(
    name="cisco.duo",
    title={"ja": "Duo Security(多要素認証)", "en": "Duo Security"},
    shape=JsonRecords(kind=("eventtype",)),
    recognise=r'"eventtype"\s*:\s*"(?:auth_log|admin_log|telephony_log|offline_log|authentication|administrator|telephony)"|"access_device"\s*:.*"txid"\s*:|"isotimestamp"\s*:\s*"\d{4}-.*"timestamp"\s*:\s*\d{10}\b',
    constants={"event.kind": "event", "observer.vendor": "Duo"},
)
_SIGNS = {"eventtype", "access_device", "txid", "telephony_id", "activity_id"}
"""What one of these logs has. Administrator, telephony and enrolment logs of the first version have a clock twice."""
_TOGETHER = ({"isotimestamp", "timestamp"}, {"action", "timestamp", "username"})
_FAILURES = {"denied", "failure", "failed", "error", "fraud"}
_IAM = ("user_", "admin_create", "admin_delete", "admin_update", "group_", "phone_", "hardtoken_", "bypass")


@source.each
def event(record: dict[str, Any]) -> Mapping[str, Any] | None:
    """ECS fields of one log; None for JSON that is none."""
    if not _SIGNS & record.keys() and not any(names <= record.keys() for names in _TOGETHER):
        return None
    said = embedded(record.get("description"))
    said = said if isinstance(said, dict) else {}
    return kept({**leaves_of(record, "cisco.duo."), **_who(record, said), **_what(record, said)})


def _who(record: dict[str, Any], said: dict[str, Any]) -> Flat:
    address, _ = first_address(
        text(record, "access_device", "ip"),
        text(record, "access_device", "ip", "address"),
        text(said, "ip_address"),
        text(record, "ip"),
    )
    person = at(record, "user")
    return {
        "user.name": text(person, "name")
        or text(record, "username")
        or text(record, "actor", "name")
        or (person if isinstance(person, str) else None),
        "user.id": text(person, "key") or text(record, "actor", "key"),
        "user.roles": items(person, "groups"),
        "user.email": text(record, "email") or text(said, "email"),
        "user.target.name": text(record, "object")
        if str(record.get("action", "")).startswith(("user_", "bypass_"))
        else text(record, "target", "name"),
        "source.ip": address,
        "source.geo.country_name": text(record, "access_device", "location", "country"),
        "source.geo.city_name": text(record, "access_device", "location", "city"),
        "host.name": text(said, "hostname") or text(record, "access_device", "hostname"),
        "user_agent.original": text(said, "user_agent")
        or text(embedded(at(record, "target", "details")), "user_agent"),
        "user_agent.name": text(record, "access_device", "browser"),
        "user_agent.version": text(record, "access_device", "browser_version"),
        "host.os.name": text(record, "access_device", "os"),
        "host.os.version": text(record, "access_device", "os_version"),
        "observer.hostname": text(record, "host"),
    }


def _what(record: dict[str, Any], said: dict[str, Any]) -> Flat:
    action = text(record, "action") or text(record, "action", "name") or text(record, "event_type")
    action = action or text(record, "context")
    result = (text(record, "result") or text(record, "outcome", "result") or "").lower()
    of_sign_in = (
        text(record, "eventtype") in {"telephony_log", "offline_log"}
        or "telephony_id" in record
        or "credits" in record
    )
    signing = "result" in record or (action or "").startswith(("admin_login", "admin_2fa"))
    failed = result in _FAILURES or (action or "").endswith("_error")
    changed = (action or "").startswith(_IAM)
    return {
        "@timestamp": moment(*map(record.get, ("isotimestamp", "ts", "timestamp"))),
        "event.action": action,
        "event.provider": text(record, "eventtype"),
        "event.category": ["authentication"]
        if signing or of_sign_in
        else ["iam"]
        if changed
        else ["configuration"],
        "event.type": ["start"]
        if signing and not failed
        else ["denied"]
        if signing
        else ["change"]
        if changed
        else ["info"],
        "event.outcome": ("failure" if failed else "success") if signing or result else None,
        "event.reason": text(record, "reason") or text(said, "error"),
    }
