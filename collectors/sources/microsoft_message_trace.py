"""Exchange Online message trace: who sent what to whom, and what became of it.

Source: Microsoft, Office 365 Reporting web service "MessageTrace report" and `Get-MessageTraceV2` (JSON).
"""

from collections.abc import Mapping
from typing import Any

from collectors.records import Flat, JsonRecords, first_address, kept, leaves, related, text, time
from collectors.source import Source

source = Source(
    name="microsoft.message_trace",
    title={"ja": "Exchange Online メッセージ追跡", "en": "Exchange Online message trace"},
    shape=JsonRecords(),
    recognise=r'"MessageTraceId"\s*:',
    constants={"event.kind": "event", "event.category": ["email"], "cloud.provider": "azure"},
)
_FAILED = {"Failed", "Quarantined", "FilteredAsSpam"}


@source.each
def message(record: dict[str, Any]) -> Mapping[str, Any] | None:
    """ECS fields of one message to one recipient; None for JSON that is none."""
    if "MessageTraceId" not in record:
        return None
    flat = kept({**dict(leaves(record, "microsoft.message_trace.")), **_fields(record)})
    return {**flat, **related(flat)}


def _fields(record: dict[str, Any]) -> Flat:
    sender, to, status = (text(record, name) for name in ("SenderAddress", "RecipientAddress", "Status"))
    source_ip, _ = first_address(text(record, "FromIP"))
    target_ip, _ = first_address(text(record, "ToIP"))
    return {
        "@timestamp": time(text(record, "Received")),
        "event.action": (status or "").lower() or None,
        "event.type": ["denied"] if status in _FAILED else ["info"],
        "event.outcome": None
        if status in {None, "None", "Pending", "GettingStatus"}
        else "failure"
        if status in _FAILED
        else "success",
        "email.from.address": [sender] if sender else None,
        "email.to.address": [to] if to else None,
        "email.subject": text(record, "Subject"),
        "email.message_id": text(record, "MessageId"),
        "email.local_id": text(record, "MessageTraceId"),
        "source.ip": source_ip,
        "destination.ip": target_ip,
        "source.bytes": text(record, "Size"),
        "user.email": sender,
        "organization.name": text(record, "Organization"),
    }
