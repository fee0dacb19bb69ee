"""Exchange Online message trace: who sent what to whom, and what became of it.

Source: Microsoft, Office 365 Reporting web service "MessageTrace report", `Get-MessageTraceV2` (JSON) and Graph's
`exchangeMessageTrace`, which writes the same names with a small first letter and calls the trace `id`. Times are UTC; OData
of old writes them as `/Date(1763576045000)/`.
"""

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from collectors.records import Flat, JsonRecords, epoch, first_address, kept, text, time
from collectors.source import Source

source = Source(
    name="microsoft.message_trace",
    title={"ja": "Exchange Online メッセージ追跡", "en": "Exchange Online message trace"},
    shape=JsonRecords(),
    recognise=r'"(?:MessageTraceId|fromIP)"\s*:|"SenderAddress"\s*:.*"RecipientAddress"\s*:|"RecipientAddress"\s*:.*"SenderAddress"\s*:|#microsoft\.graph\.exchangeMessageTrace"',
    leftovers="microsoft.message_trace",
    constants={"event.kind": "event", "event.category": ["email"], "cloud.provider": "azure"},
)
_NAMES = {"senderAddress", "receivedDateTime"}, {"SenderAddress", "RecipientAddress", "Received"}
_FAILED = {"failed", "quarantined", "filteredasspam"}
_OPEN = {"", "none", "pending", "gettingstatus"}
_ODATA = re.compile(r"^/Date\((\d{1,15})")


@source.each
def message(record: dict[str, Any]) -> Mapping[str, Any] | None:
    """ECS fields of one message to one recipient; None for JSON that is none."""
    if "MessageTraceId" not in record and not any(names <= record.keys() for names in _NAMES):
        return None
    return kept(_fields(record))


def _fields(record: dict[str, Any]) -> Flat:
    sender, to = _said(record, "SenderAddress"), _said(record, "RecipientAddress")
    status = (_said(record, "Status") or "").lower()
    source_ip, _ = first_address(_said(record, "FromIP"))
    target_ip, _ = first_address(_said(record, "ToIP"))
    return {
        "@timestamp": _time(_said(record, "Received") or text(record, "receivedDateTime")),
        "event.action": status or None,
        "event.type": ["denied"] if status in _FAILED else ["info"],
        "event.outcome": None if status in _OPEN else "failure" if status in _FAILED else "success",
        "email.from.address": [sender] if sender else None,
        "email.to.address": [to] if to else None,
        "email.subject": _said(record, "Subject"),
        "email.message_id": _said(record, "MessageId"),
        "email.local_id": text(record, "MessageTraceId") or text(record, "id"),
        "source.ip": source_ip,
        "destination.ip": target_ip,
        "source.bytes": _said(record, "Size"),
        "user.email": sender,
        "organization.name": text(record, "Organization"),
    }


def _said(record: dict[str, Any], name: str) -> str | None:
    return text(record, name) or text(record, name[0].lower() + name[1:])


def _time(value: str | None) -> datetime | None:
    odata = _ODATA.match(value or "")
    return epoch(odata[1]) if odata else time(value)
