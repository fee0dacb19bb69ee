"""Microsoft 365 unified audit log: records of the Office 365 Management Activity API, one a line.

Facts: Microsoft, "Office 365 Management Activity API schema" (common schema and the Exchange,
SharePoint, Entra ID, Teams, Defender, data loss prevention and alert schemas). `CreationTime` is UTC.
The vendor's own fields stay as `o365.audit.<Name>`; parameters and properties, which are lists of
name and value there, as `o365.audit.parameters.<Name>` and so on, so that rules can name them.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from collectors.microsoft import m365_kinds
from collectors.narrow import Text, Verbatim
from collectors.records import (
    Flat,
    JsonRecords,
    address,
    embedded,
    first_address,
    items,
    pairs,
    text,
    time,
    url,
)
from collectors.source import Source

source = Source(
    name="microsoft.m365_audit",
    title={"ja": "Microsoft 365 統合監査ログ", "en": "Microsoft 365 unified audit log"},
    shape=JsonRecords(kind=("RecordType", "Operation")),
    verbatim=Verbatim(
        dict.fromkeys(
            ("event.action", "event.provider", "o365.audit.Name", "o365.audit.ApplicationId"), Text()
        ),
        always=("auditdata",),  # a record inside a record's text is escaped twice
    ),
    recognise=(
        r'"CreationTime"\s*:.*"RecordType"\s*:.*"Workload"\s*:'
        r'|"RecordType"\s*:.*"CreationTime"\s*:.*"Workload"\s*:'
    ),
    constants={"event.kind": "event", "event.module": "microsoft", "cloud.provider": "azure"},
)

_LISTS = {
    "Parameters": ("parameters", "Name", "Value"),
    "ExtendedProperties": ("extended_properties", "Name", "Value"),
    "OperationProperties": ("operation_properties", "Name", "Value"),
    "DeviceProperties": ("device_properties", "Name", "Value"),
    "ExtraProperties": ("extra_properties", "Key", "Value"),
}
_COMMON = {"CreationTime", "Version", "Data", "ModifiedProperties", *_LISTS}
_ADDRESSES = ("ClientIPAddress", "ActorIpAddress", "SenderIp", "UserIp")
_FAILED = {"failed", "failure", "false", "fail", "error"}


@source.each
def event(record: dict[str, Any]) -> Mapping[str, Any] | None:
    """ECS fields of one audit record; None for JSON that is no audit record."""
    operation = text(record, "Operation")
    if operation is None or not {"RecordType", "Workload"} & record.keys():
        return None
    return {
        **_common(record, operation),
        **_who(record),
        **_where(record),
        **m365_kinds.details(record),
    }


@source.keep
def vendor(record: dict[str, Any]) -> Mapping[str, Any]:
    """The record under Microsoft's own names, with lists of name and value as objects."""
    own = {name: value for name, value in record.items() if name not in _COMMON}
    for key, (ours, name, value) in _LISTS.items():
        if key in record:
            own[ours] = pairs(record[key], name, value)
    if "ModifiedProperties" in record:
        own["modified_properties"] = dict(_changes(record))
    return {"o365": {"audit": own}}


def _changes(record: dict[str, Any]) -> Iterator[tuple[str, Flat]]:
    for change in items(record, "ModifiedProperties"):
        if isinstance(change, dict) and (what := text(change, "Name")):
            yield what, {"new_value": text(change, "NewValue"), "old_value": text(change, "OldValue")}


def _common(record: dict[str, Any], operation: str) -> Flat:
    workload, organization = text(record, "Workload"), text(record, "OrganizationId")
    category, types = m365_kinds.kind_of(workload, operation)
    return {
        "@timestamp": time(record.get("CreationTime")),
        "event.code": text(record, "RecordType"),
        "event.action": operation,
        "event.provider": workload,
        "event.category": category,
        "event.type": types,
        "event.outcome": _outcome(record, operation),
        "organization.id": organization,
        "organization.name": text(record, "OrganizationName"),
        "cloud.account.id": organization,
    }


def _outcome(record: dict[str, Any], operation: str) -> str:
    """`ResultStatus` is Success, Succeeded, PartiallySucceeded, True … or missing; a failed sign-in says
    so only in its operation."""
    status = (text(record, "ResultStatus") or "").lower()
    failed = status in _FAILED or operation == "UserLoginFailed"
    return "failure" if failed else "success"


def _who(record: dict[str, Any]) -> Flat:
    user = text(record, "UserId")
    return {
        "user.id": _mailbox_user(record) or text(record, "UserKey"),
        "user.name": user,
        "user.email": user if user and "@" in user else None,
        "user.domain": user.partition("@")[2] or None if user else None,
        "user.target.name": text(record, "TargetUserOrGroupName"),
    }


def _mailbox_user(record: dict[str, Any]) -> str | None:
    """Exchange mailbox item records (type 2) say who was signed in by security identifier."""
    return text(record, "LogonUserSid") if text(record, "RecordType") == "2" else None


def _where(record: dict[str, Any]) -> Flat:
    ip, port = address(record.get("ClientIP"))
    if ip is None:
        ip, port = first_address(*map(record.get, _ADDRESSES))
    agent = text(record, "UserAgent")
    if agent is None and "ExtendedProperties" in record:
        agent = _extended_agent(pairs(record["ExtendedProperties"]))
    return {
        "source.ip": ip,
        "source.port": port,
        "client.ip": ip,
        "user_agent.original": agent,
        "host.name": text(record, "DeviceName"),
        **url(record.get("ObjectId")),
    }


def _extended_agent(extended: Mapping[str, Any]) -> str | None:
    details = embedded(extended.get("additionalDetails"))
    return text(extended, "UserAgent") or text(details, "User-Agent")
