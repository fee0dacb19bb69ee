"""Salesforce event log files (as JSON rows), setup audit trail and Real-Time Event Monitoring.

Facts: Salesforce, "EventLogFile supported event types", "Real-Time Event Monitoring objects",
"SetupAuditTrail". Log files write names as `USER_ID`, stream objects as `UserId`: both are read as the former.
`TIMESTAMP` is `yyyyMMddHHmmss.SSS` in UTC; `TIMESTAMP_DERIVED` is the same moment in ISO 8601 and is taken
first. `USER_AGENT` is often a number of Salesforce's own, no user agent. What is left stays under
`salesforce.<name>` in small letters.
"""

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from collectors.leaves import leaves_of
from collectors.records import Flat, JsonRecords, epoch, first_address, kept, text, time, url
from collectors.source import Source

source = Source(
    name="salesforce.events",
    title={"ja": "Salesforce イベントログ", "en": "Salesforce event logs"},
    zone_hint="cloud",
    shape=JsonRecords(kind=("EVENT_TYPE", "EventType")),
    always=r'"(?:EVENT_TYPE|LogDate|REQUEST_ID|RequestId|TIMESTAMP_DERIVED|EventIdentifier|RequestIdentifier|LoginKey|SessionKey)"\s*:|"EventType"\s*:\s*"[A-Za-z]+[a-z]"',
    recognise=(
        r'(?s)"EVENT_TYPE"\s*:\s*".*"(?:USER|USER_ID|ORGANIZATION_ID|REQUEST_ID|USER_NAME)"\s*:'
        r'|"(?:USER|USER_ID|ORGANIZATION_ID|REQUEST_ID)"\s*:.*"EVENT_TYPE"\s*:'
        r'|"EventIdentifier"\s*:.*"(?:LoginKey|SessionKey|UserId|Username)"\s*:'
    ),
    constants={"event.kind": "event", "event.provider": "salesforce"},
)

_WORD = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_COMPACT = re.compile(r"^\d{14}(?:\.\d{1,6})?$")
_NAMES = {
    "USERNAME": "USER_NAME", "EVENT_IDENTIFIER": "REQUEST_ID", "EVENT_DATE": "TIMESTAMP_DERIVED", "STATUS": "LOGIN_STATUS",
}  # fmt: skip
_ADDRESSES = ("SOURCE_IP", "CLIENT_IP", "IP_ADDRESS", "IP")
_SIGN_IN = {"login": "start", "loginas": "start", "logout": "end"}
_SIGNED_IN = {"success", "login_no_error"}


@source.each
def event(document: dict[str, Any]) -> Mapping[str, Any] | None:
    """ECS fields of one event; None for JSON that is none."""
    record = _named(document)
    if not any(name in record for name in ("EVENT_TYPE", "REQUEST_ID")):
        return None
    kind = text(record, "EVENT_TYPE") or text(document, "attributes", "type") or _unnamed(record)
    vendor = leaves_of({name.lower(): value for name, value in record.items()}, "salesforce.")
    found = {
        **_happened(record),
        **_meaning(record, kind or ""),
        **_who(record),
        **_web(record),
        **_device(record),
    }
    return kept({**vendor, **found})


def _named(document: dict[str, Any]) -> dict[str, Any]:
    """The record with log file names: `SourceIp` as `SOURCE_IP`."""
    if "EVENT_TYPE" in document:
        return document
    plain = {_WORD.sub("_", name).upper(): value for name, value in document.items()}
    return {_NAMES.get(name, name): value for name, value in plain.items()}


def _unnamed(record: dict[str, Any]) -> str | None:
    """The kind of an event of the event bus, whose name stands outside it: only sign-ins tell their type."""
    return "LoginEvent" if {"LOGIN_TYPE", "LOGIN_KEY"} <= record.keys() else None


def _happened(record: dict[str, Any]) -> Flat:
    names = ("TIMESTAMP_DERIVED", "TIMESTAMP", "LOGIN_TIME", "LOGOUT_TIME", "CREATED_DATE")
    stamps = (_time(record.get(name)) for name in names)
    return {
        "@timestamp": next((stamp for stamp in stamps if stamp), None),
        "event.start": epoch(record.get("PAGE_START_TIME")),
        "event.code": text(record, "UI_EVENT_ID"),
        "event.reason": text(record, "EXCEPTION_MESSAGE")
        or text(record, "ERROR_MESSAGE")
        or text(record, "MESSAGE"),
        "event.duration": _nanoseconds(text(record, "RUN_TIME") or text(record, "EXEC_TIME")),
        "organization.id": text(record, "ORGANIZATION_ID"),
    }


def _time(value: Any) -> datetime | None:
    if not (isinstance(value, str) and _COMPACT.match(value)):
        return time(value)
    whole, _, part = value.partition(".")
    try:
        moment = datetime.strptime(whole, "%Y%m%d%H%M%S").replace(tzinfo=UTC)
    except ValueError:
        return None
    return moment.replace(microsecond=int(part.ljust(6, "0"))) if part else moment


def _nanoseconds(milliseconds: str | None) -> int | None:
    return int(milliseconds) * 10**6 if milliseconds and re.fullmatch(r"[0-9]{1,10}", milliseconds) else None


def _meaning(record: dict[str, Any], kind: str) -> Flat:
    act = text(record, "ACTION") or text(record, "UI_EVENT_TYPE") or text(record, "OPERATION") or kind
    plain = kind.lower().removesuffix("event").removesuffix("eventstream").replace(" ", "")
    known = {"event.action": act, "event.outcome": _outcome(record)}
    if plain in _SIGN_IN:
        types = [_SIGN_IN[plain]]
        return {**known, "event.category": ["authentication", "session"], "event.type": types}
    if "audit" in plain:
        return {**known, "event.category": ["configuration"], "event.type": ["change"]}
    report = plain.startswith(("report", "document", "contenttransfer", "listview", "bulkapi", "dataexport"))
    return {**known, "event.category": ["database"] if report else ["web"], "event.type": ["access"]}


def _outcome(record: dict[str, Any]) -> str | None:
    """By the sign-in's status, the request's (S, F) or the HTTP answer."""
    status, request = text(record, "LOGIN_STATUS"), text(record, "REQUEST_STATUS")
    code = text(record, "STATUS_CODE")
    if status:
        return "success" if status.lower() in _SIGNED_IN else "failure"
    if request in ("S", "F", "A"):
        return {"S": "success", "F": "failure", "A": "failure"}[request]
    if code and re.fullmatch(r"[1-5]\d\d", code):
        return "failure" if code >= "400" else "success"
    return None


def _mail(value: str | None) -> str | None:
    return value if value and "@" in value else None


def _who(record: dict[str, Any]) -> Flat:
    user = text(record, "USER")
    name = text(record, "USER_NAME") or text(record, "USERNAME")
    return {
        "user.id": text(record, "USER_ID") or text(record, "USER_ID_DERIVED"),
        "user.name": name or user,
        "user.email": _mail(text(record, "USER_EMAIL")) or _mail(user) or _mail(name),
        "user.target.name": text(record, "DELEGATED_USERNAME")
        or text(record, "DELEGATED_USER_NAME")
        or text(record, "LOGIN_AS_USER_NAME"),
    }


def _web(record: dict[str, Any]) -> Flat:
    ip, _ = first_address(*(record.get(name) for name in _ADDRESSES))
    uri = text(record, "URI") or text(record, "PAGE_URL")
    path, _, query = uri.partition("?") if uri else (None, "", None)
    own = url(text(record, "LOGIN_URL"))
    method, code = text(record, "METHOD") or text(record, "HTTP_METHOD"), text(record, "STATUS_CODE")
    return {
        "source.ip": ip,
        "client.ip": ip,
        "source.geo.city_name": text(record, "CITY"),
        "source.geo.region_name": text(record, "SUBDIVISION"),
        "source.geo.country_name": text(record, "COUNTRY"),
        "source.geo.country_iso_code": text(record, "COUNTRY_ISO"),
        "url.original": uri,
        "url.path": path,
        "url.query": query,
        **{name: value for name, value in own.items() if value},
        "http.request.method": method if method and method.isupper() else None,
        "http.response.status_code": code,
        "http.request.bytes": text(record, "REQUEST_SIZE"),
        "http.response.bytes": text(record, "RESPONSE_SIZE"),
        "http.response.mime_type": text(record, "MEDIA_TYPE"),
        "http.request.referrer": text(record, "REFERER_URI") or text(record, "REFERRER_URI"),
    }


def _device(record: dict[str, Any]) -> Flat:
    agents = (text(record, name) for name in ("USER_AGENT", "BROWSER", "BROWSER_TYPE"))
    agent = next((one for one in agents if one and not one.isdecimal() and one != "Unknown"), None)
    return {
        "user_agent.original": agent,
        "user_agent.name": text(record, "BROWSER_NAME"),
        "user_agent.version": text(record, "BROWSER_VERSION"),
        "host.id": text(record, "DEVICE_ID"),
        "host.os.name": text(record, "OS_NAME") or text(record, "PLATFORM"),
        "host.os.version": text(record, "OS_VERSION"),
        "tls.cipher": text(record, "CIPHER_SUITE"),
        "tls.version": text(record, "TLS_PROTOCOL"),
        "network.application": text(record, "APP_NAME") or text(record, "APPLICATION"),
    }
