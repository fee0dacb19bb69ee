"""Okta System Log events, as the System Log API and log streaming (EventBridge) give them.

Facts: Okta, "System Log API", "LogEvent object", "Event types". The actor is `user.*`, the person that an
event is about `user.target.*` (a target of type User, or else the person in an application, AppUser); a
target group is `group.*`. ALLOW and DENY are the outcomes of policies; CHALLENGE and SKIPPED are neither
success nor failure. The whole event stays under `okta.<name>` in Okta's spelling.
"""

from collections.abc import Mapping
from typing import Any

from collectors.narrow import Text, Verbatim
from collectors.records import Flat, JsonRecords, at, first_address, items, kept, text, time
from collectors.source import Source

source = Source(
    name="okta.system_log",
    title={"ja": "Okta システムログ", "en": "Okta System Log"},
    zone_hint="cloud",
    shape=JsonRecords(kind=("eventType",)),
    verbatim=Verbatim(dict.fromkeys(("event.action", "event.reason", "message", "okta.*"), Text())),
    recognise=(
        r'(?s)"alternateId"\s*:.*"(?:legacyEventType|published)"\s*:'
        r'|"(?:legacyEventType|published)"\s*:.*"alternateId"\s*:'
    ),
    leftovers="okta",
    constants={"event.kind": "event", "event.provider": "okta"},
)

_OUTCOMES = {"SUCCESS": "success", "ALLOW": "success", "FAILURE": "failure", "DENY": "failure"}
_MEANINGS: tuple[tuple[str, list[str], list[str]], ...] = (
    ("user.session.start", ["authentication", "session"], ["start"]),
    ("user.session.end", ["authentication", "session"], ["end"]),
    ("user.session.", ["session"], ["info"]),
    ("user.authentication.", ["authentication"], ["start"]),
    ("user.mfa.factor.", ["iam"], ["user", "change"]),
    ("user.mfa.", ["authentication"], ["info"]),
    ("system.push.", ["authentication"], ["start"]),
    ("user.lifecycle.create", ["iam"], ["user", "creation"]),
    ("user.lifecycle.delete", ["iam"], ["user", "deletion"]),
    ("user.risk.", ["authentication"], ["change"]),
    ("user.", ["iam"], ["user", "change"]),
    ("group.", ["iam"], ["group", "change"]),
    ("application.user_membership.", ["iam"], ["user", "change"]),
    ("app.oauth2.", ["authentication"], ["info"]),
    ("policy.evaluate_sign_on", ["authentication"], ["info"]),
    ("security.", ["threat"], ["indicator"]),
)
_OTHER = (["configuration"], ["change"])


_SIGNS = {"actor", "debugContext", "legacyEventType", "displayMessage"}
"""Names of Okta's events, any of which beside `eventType` is enough."""


@source.each
def event(document: dict[str, Any]) -> Mapping[str, Any] | None:
    """ECS fields of one event; None for JSON that is none."""
    record = _opened(document)
    if text(record, "eventType") is None or not _SIGNS & record.keys():
        return None
    found = {**_happened(record), **_actor(record), **_targets(record), **_client(record)}
    return kept(found)


@source.keep
def vendor(document: dict[str, Any]) -> Mapping[str, Any]:
    """The event under Okta's own names."""
    return _opened(document)


def _opened(document: dict[str, Any]) -> dict[str, Any]:
    detail = document.get("detail")
    return detail if "detail-type" in document and isinstance(detail, dict) else document


def _happened(record: dict[str, Any]) -> Flat:
    action = str(text(record, "eventType"))
    categories, types = next(((c, t) for name, c, t in _MEANINGS if action.startswith(name)), _OTHER)
    result = text(record, "outcome", "result")
    return {
        "@timestamp": time(record.get("published")),
        "event.action": action,
        "event.category": categories,
        "event.type": types,
        "event.outcome": _OUTCOMES.get(result, "unknown") if result else None,
        "event.reason": text(record, "outcome", "reason"),
        "message": text(record, "displayMessage"),
        "log.level": text(record, "severity"),
        "transaction.id": text(record, "transaction", "id"),
    }


def _known(value: str | None) -> str | None:
    """An alternate id, often a mail address; Okta writes `unknown` where it has none."""
    found = value.rstrip("\\") if value else None
    return None if found in (None, "", "unknown", "Unknown") else found


def _mail(value: str | None) -> str | None:
    return value if value and "@" in value else None


def _actor(record: dict[str, Any]) -> Flat:
    name = _known(text(record, "actor", "alternateId"))
    return {
        "user.id": text(record, "actor", "id"),
        "user.name": name or text(record, "actor", "displayName"),
        "user.email": _mail(name),
        "user.full_name": text(record, "actor", "displayName"),
    }


def _targets(record: dict[str, Any]) -> Flat:
    targets = [one for one in items(record, "target") if isinstance(one, dict)]
    person = _first(targets, "User") or _first(targets, "AppUser")
    group = _first(targets, "UserGroup")
    service = _first(targets, "AppInstance")
    name = _known(text(person, "alternateId"))
    return {
        "user.target.id": text(person, "id"),
        "user.target.name": name or text(person, "displayName"),
        "user.target.email": _mail(name),
        "user.target.full_name": text(person, "displayName"),
        "group.id": text(group, "id"),
        "group.name": text(group, "displayName"),
        "service.name": text(service, "displayName"),
    }


def _first(targets: list[dict[str, Any]], kind: str) -> dict[str, Any] | None:
    return next((one for one in targets if one.get("type") == kind), None)


def _client(record: dict[str, Any]) -> Flat:
    client = at(record, "client")
    chain = [at(one, "ip") for one in items(record, "request", "ipChain")]
    ip, _ = first_address(at(client, "ipAddress"), *chain)
    place, security = at(client, "geographicalContext"), at(record, "securityContext")
    domain = text(security, "domain")
    latitude, longitude = text(place, "geolocation", "lat"), text(place, "geolocation", "lon")
    return {
        "source.ip": ip,
        "client.ip": ip,
        "source.domain": domain if domain != "." else None,
        "source.as.number": text(security, "asNumber"),
        "source.as.organization.name": text(security, "asOrg"),
        "source.geo.city_name": text(place, "city"),
        "source.geo.region_name": text(place, "state"),
        "source.geo.country_name": text(place, "country"),
        "source.geo.location": f"{latitude},{longitude}" if latitude and longitude else None,
        "user_agent.original": text(client, "userAgent", "rawUserAgent"),
        "host.name": text(record, "device", "name"),
    }
