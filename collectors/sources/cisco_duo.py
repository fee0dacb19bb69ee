"""Duo Security: authentication, administrator, activity, telephony, offline-enrolment logs and Trust Monitor (Admin API).

Source: Duo, Admin API "Logs" (authentication v1 and v2, administrator, activity, telephony v2, offline enrollment) and "Trust
Monitor" (a security event holds the sign-in that surfaced, or who let whom pass without a second factor). `description` of
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
    recognise=r'"eventtype"\s*:\s*"(?:auth_log|admin_log|telephony_log|offline_log|authentication|administrator|telephony)"|"access_device"\s*:.*"txid"\s*:|"sekey"\s*:.*"surfaced_timestamp"\s*:|"isotimestamp"\s*:\s*"\d{4}-.*"timestamp"\s*:\s*\d{10}\b',
    constants={"event.kind": "event", "observer.vendor": "Duo"},
)
_SIGNS = {"eventtype", "access_device", "txid", "telephony_id", "activity_id", "surfaced_timestamp"}
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
    if "surfaced_timestamp" in record:
        return kept({**leaves_of(record, "cisco.duo."), **_surfaced(record)})
    return kept({**leaves_of(record, "cisco.duo."), **_who(record, said), **_what(record, said)})


def _surfaced(record: dict[str, Any]) -> Flat:
    """A security event of Trust Monitor: who is of the sign-in that surfaced; the time is when it did."""
    sign_in = at(record, "surfaced_auth")
    by, passes = at(record, "enabled_by"), at(record, "enabled_for")
    who = _who(sign_in, {}) if isinstance(sign_in, dict) else {}
    own = {"user.name": text(by, "name"), "user.id": text(by, "key")} if by else {}
    return {
        **kept(who),
        **own,
        "user.target.name": text(passes, "name"),
        "user.target.id": text(passes, "key"),
        "@timestamp": moment(record.get("surfaced_timestamp"), at(sign_in, "isotimestamp")),
        "event.kind": "alert",
        "event.category": ["authentication", "threat"],
        "event.type": ["indicator"],
        "event.action": text(record, "type"),
        "event.reference": text(record, "triage_event_uri"),
        "event.reason": "; ".join(
            filter(None, (text(one, "summary") for one in items(record, "explanations")))
        )
        or None,
    }


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
