"""Microsoft 365 unified audit log: records of the Office 365 Management Activity API, one a line.

Facts: Microsoft, "Office 365 Management Activity API schema" (common schema and the Exchange,
SharePoint, Entra ID, Teams, Defender, data loss prevention and alert schemas). `CreationTime` is UTC.
The vendor's own fields stay as `o365.audit.<Name>`; parameters and properties, which are lists of
name and value there, as `o365.audit.parameters.<Name>` and so on, so that rules can name them.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from collectors.many import Columns, Many, Texts, addresses, first, known, times, urls
from collectors.microsoft import m365_kinds
from collectors.narrow import Text, Verbatim
from collectors.records import Flat, JsonRecords, embedded, items, pairs, text
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
_ADDRESSES = ("ClientIP", "ClientIPAddress", "ActorIpAddress", "SenderIp", "UserIp")
_FAILED = {"failed", "failure", "false", "fail", "error"}


def is_record(record: dict[str, Any]) -> bool:
    """Whether a JSON object is an audit record."""
    return text(record, "Operation") is not None and ("RecordType" in record or "Workload" in record)


@source.together(is_record)
def events(records: Many) -> Columns:
    """ECS fields of audit records."""
    columns = {**_common(records), **_who(records), **_where(records)}
    m365_kinds.add_details(records, columns)
    return columns


@source.keep
def vendor(record: dict[str, Any]) -> Mapping[str, Any]:
    """The record under Microsoft's own names, with lists of name and value as objects."""
    own = record.copy()
    for name in _COMMON:
        own.pop(name, None)
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


def _common(records: Many) -> Columns:
    operation, workload = records.text("Operation"), records.text("Workload")
    organization = records.text("OrganizationId")
    kinds = known(lambda pair: m365_kinds.kind_of(*pair), workload, operation)
    return {
        "@timestamp": times(records.values("CreationTime")),
        "event.code": records.text("RecordType"),
        "event.action": operation,
        "event.provider": workload,
        "event.category": [category for category, _ in kinds],
        "event.type": [types for _, types in kinds],
        "event.outcome": known(_outcome, records.text("ResultStatus"), operation),
        "organization.id": organization,
        "organization.name": records.text("OrganizationName"),
        "cloud.account.id": organization,
    }


def _outcome(said: tuple[str | None, str]) -> str:
    """`ResultStatus` is Success, Succeeded, PartiallySucceeded, True … or missing; a failed sign-in says
    so only in its operation."""
    status, operation = said
    failed = (status or "").lower() in _FAILED or operation == "UserLoginFailed"
    return "failure" if failed else "success"


def _who(records: Many) -> Columns:
    user = records.text("UserId")
    return {
        "user.id": first(_mailbox_user(records), records.text("UserKey")),
        "user.name": user,
        "user.email": known(lambda name: name if name and "@" in name else None, user),
        "user.domain": known(lambda name: name.partition("@")[2] or None if name else None, user),
        "user.target.name": records.text("TargetUserOrGroupName"),
    }


def _mailbox_user(records: Many) -> Texts:
    """Exchange mailbox item records (type 2) say who was signed in by security identifier."""
    if not records.have("LogonUserSid"):
        return records.nothing
    pairs = zip(records.text("RecordType"), records.text("LogonUserSid"), strict=True)
    return [sid if kind == "2" else None for kind, sid in pairs]


def _where(records: Many) -> Columns:
    ip, port = addresses(*map(records.values, _ADDRESSES))
    return {
        "source.ip": ip,
        "source.port": port,
        "client.ip": ip,
        "user_agent.original": first(records.text("UserAgent"), _extended_agents(records)),
        "host.name": records.text("DeviceName"),
        **urls(records.values("ObjectId")),
    }


def _extended_agents(records: Many) -> Texts:
    if not records.have("ExtendedProperties"):
        return records.nothing
    return [_extended_agent(pairs(value)) for value in records.values("ExtendedProperties")]


def _extended_agent(extended: Mapping[str, Any]) -> str | None:
    details = embedded(extended.get("additionalDetails"))
    return text(extended, "UserAgent") or text(details, "User-Agent")
