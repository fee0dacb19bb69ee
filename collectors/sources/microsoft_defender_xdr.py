"""Microsoft Defender XDR (365 Defender): advanced hunting tables by streaming, Event Hub or Storage.

Source: Microsoft, "Streaming API event schema" and "Understand the advanced hunting schema" (DeviceProcessEvents,
DeviceNetworkEvents, DeviceFileEvents, DeviceLogonEvents, DeviceEvents, DeviceInfo, AlertEvidence, Email*, Identity*,
CloudAppEvents, UrlClickEvents). In DeviceProcessEvents the process is the one that was made and the initiating one
its parent; in all other tables the initiating process is who acted. `AdditionalFields` is JSON written as text.
"""

from collections.abc import Mapping
from typing import Any

from collectors.records import (
    Flat,
    JsonRecords,
    at,
    embedded,
    first_address,
    kept,
    leaves,
    related,
    text,
    time,
    url,
)
from collectors.source import Source

source = Source(
    name="microsoft.defender_xdr",
    title={"ja": "Microsoft Defender XDR", "en": "Microsoft Defender XDR"},
    shape=JsonRecords(kind=("category",)),
    recognise=r'"category"\s*:\s*"AdvancedHunting-\w+"',
    constants={"cloud.provider": "azure", "observer.vendor": "Microsoft", "observer.product": "Defender XDR"},
)
_CATEGORIES = {
    "DeviceProcessEvents": ["process"],
    "DeviceNetworkEvents": ["network"],
    "DeviceFileEvents": ["file"],
    "DeviceRegistryEvents": ["registry"],
    "DeviceLogonEvents": ["authentication"],
    "DeviceImageLoadEvents": ["library"],
    "IdentityLogonEvents": ["authentication"],
    "IdentityDirectoryEvents": ["iam"],
    "EmailEvents": ["email"],
    "EmailPostDeliveryEvents": ["email"],
    "EmailAttachmentInfo": ["email"],
    "EmailUrlInfo": ["email"],
    "UrlClickEvents": ["web"],
    "CloudAppEvents": ["web"],
    "AlertEvidence": ["threat"],
    "AlertInfo": ["threat"],
}
_ALERTS = {"AlertEvidence", "AlertInfo"}
_TYPES = {
    "ProcessCreated": ["start"],
    "FileCreated": ["creation"],
    "FileDeleted": ["deletion"],
    "FileModified": ["change"],
    "FileRenamed": ["change"],
    "RegistryValueSet": ["change"],
    "LogonSuccess": ["start"],
    "LogonFailed": ["start"],
    "ConnectionSuccess": ["connection", "start"],
    "ConnectionFailed": ["connection", "denied"],
    "ClickBlocked": ["denied"],
    "ClickAllowed": ["allowed"],
}


@source.each
def event(record: dict[str, Any]) -> Mapping[str, Any] | None:
    """ECS fields of one record of a table; None for JSON that is none."""
    table, properties = str(record.get("category")), at(record, "properties")
    if not table.startswith("AdvancedHunting-") or not isinstance(properties, dict):
        return None
    table, more = table.removeprefix("AdvancedHunting-"), embedded(properties.get("AdditionalFields"))
    more = more if isinstance(more, dict) else {}
    flat = kept(
        {
            **dict(leaves(properties, "microsoft.defender.")),
            **_ends(properties, more),
            **_process(table, properties, more),
            **_files(properties, more),
            **_people(properties, more),
            **_mail(properties),
            **_what(table, record, properties),
        }
    )
    return {**flat, **related(flat)}


def _ends(properties: dict[str, Any], more: dict[str, Any]) -> Flat:
    """Both ends. What comes in (or signs in) has the remote end as its source."""
    local, _ = first_address(text(properties, "LocalIP"))
    remote, _ = first_address(text(properties, "RemoteIP"))
    ports = text(properties, "LocalPort"), text(properties, "RemotePort")
    action = text(properties, "ActionType") or ""
    inbound = (
        (text(more, "direction") or "").lower() == "in"
        or action.startswith(("Inbound", "Logon"))
        or local is None
    )
    seen, _ = first_address(
        *(text(properties, name) for name in ("IPAddress", "SenderIPv4", "SenderIPv6", "PublicIP"))
    )
    target, _ = first_address(text(properties, "DestinationIPAddress"))
    macs = {
        "source": text(more, "Source Mac"),
        "destination": text(more, "Destination Mac"),
    }  # as the sensor sends
    session, _ = first_address(text(properties, "InitiatingProcessRemoteSessionIP"))
    near, far = ("destination", "source") if inbound else ("source", "destination")
    return {
        f"{near}.ip": local,
        f"{near}.port": ports[0],
        f"{far}.ip": remote,
        f"{far}.port": ports[1],
        **({"source.ip": seen} if seen else {}),
        **({"destination.ip": target} if target else {}),
        **({"destination.port": port} if (port := text(properties, "DestinationPort")) else {}),
        **({"source.ip": session} if session and not remote else {}),
        f"{near}.mac": macs["source"],
        f"{far}.mac": macs["destination"],
        "source.domain": text(properties, "RemoteDeviceName")
        or text(properties, "InitiatingProcessRemoteSessionDeviceName"),
        "destination.domain": text(properties, "DestinationDeviceName"),
        "network.protocol": text(properties, "Protocol"),
        "network.transport": _transport(text(properties, "Protocol")),
        "host.mac": text(properties, "MacAddress"),
        **url(text(properties, "Url") or text(properties, "RemoteUrl")),
    }


def _transport(protocol: str | None) -> str | None:
    word = (protocol or "").lower()
    return next((name for name in ("tcp", "udp", "icmp") if word.startswith(name)), None)


def _process(table: str, properties: dict[str, Any], more: dict[str, Any]) -> Flat:
    if table == "DeviceProcessEvents":
        return _made(properties)
    evidence = text(more, "CommandLine") is not None
    parent, image = at(more, "ParentProcess") or {}, text(properties, "FileName")
    return {
        "process.pid": text(more, "ProcessId") if evidence else text(properties, "InitiatingProcessId"),
        "process.name": image if evidence else text(properties, "InitiatingProcessFileName"),
        "process.executable": text(properties, "InitiatingProcessFolderPath"),
        "process.command_line": text(more, "CommandLine") or text(properties, "InitiatingProcessCommandLine"),
        "process.hash.sha1": text(properties, "InitiatingProcessSHA1"),
        "process.hash.sha256": text(properties, "InitiatingProcessSHA256"),
        "process.hash.md5": text(properties, "InitiatingProcessMD5"),
        "process.parent.pid": text(parent, "ProcessId") or text(properties, "InitiatingProcessParentId"),
        "process.parent.name": text(properties, "InitiatingProcessParentFileName"),
        "process.parent.command_line": text(parent, "CommandLine"),
    }


def _made(properties: dict[str, Any]) -> Flat:
    return {
        "process.pid": text(properties, "ProcessId"),
        "process.name": text(properties, "FileName"),
        "process.executable": text(properties, "FolderPath"),
        "process.command_line": text(properties, "ProcessCommandLine"),
        "process.parent.pid": text(properties, "InitiatingProcessId"),
        "process.parent.name": text(properties, "InitiatingProcessFileName"),
        "process.parent.executable": text(properties, "InitiatingProcessFolderPath"),
        "process.parent.command_line": text(properties, "InitiatingProcessCommandLine"),
    }


def _files(properties: dict[str, Any], more: dict[str, Any]) -> Flat:
    folder, name = text(properties, "FolderPath"), text(properties, "FileName")
    return {
        "file.name": name,
        "file.path": folder,
        "file.size": text(properties, "FileSize") or text(more, "ImageFile", "SizeInBytes"),
        "file.hash.sha1": text(properties, "SHA1"),
        "file.hash.sha256": text(properties, "SHA256"),
        "file.hash.md5": text(properties, "MD5"),
        "registry.path": text(properties, "RegistryKey"),
        "registry.value": text(properties, "RegistryValueName"),
    }


def _people(properties: dict[str, Any], more: dict[str, Any]) -> Flat:
    signed = embedded(properties.get("LoggedOnUsers"))
    first = signed[0] if isinstance(signed, list) and signed and isinstance(signed[0], dict) else {}
    return {
        "user.name": text(properties, "AccountName")
        or text(first, "UserName")
        or text(properties, "AccountDisplayName"),
        "user.domain": text(properties, "AccountDomain") or text(first, "DomainName"),
        "user.id": text(properties, "AccountSid")
        or text(first, "Sid")
        or text(properties, "AccountObjectId"),
        "user.email": text(properties, "AccountUpn"),
        "user_agent.original": text(properties, "UserAgent"),
        "host.name": text(properties, "DeviceName") or text(more, "NetBiosName"),
        "host.id": text(properties, "DeviceId"),
    }


def _mail(properties: dict[str, Any]) -> Flat:
    sender = text(properties, "SenderFromAddress") or text(properties, "SenderEmailAddress")
    to = text(properties, "RecipientEmailAddress")
    return {
        "email.from.address": [sender] if sender else None,
        "email.to.address": [to] if to else None,
        "email.subject": text(properties, "Subject"),
        "email.message_id": text(properties, "InternetMessageId"),
        "email.direction": (text(properties, "EmailDirection") or "").lower() or None,
    }


def _what(table: str, record: dict[str, Any], properties: dict[str, Any]) -> Flat:
    action = text(properties, "ActionType")
    signing = table in {"DeviceLogonEvents", "IdentityLogonEvents"}
    failed = (action or "").endswith(("Failed", "Blocked")) or text(properties, "FailureReason") is not None
    return {
        "@timestamp": time(text(properties, "Timestamp")) or time(text(record, "time")),
        "event.id": None,
        "event.kind": "alert" if table in _ALERTS else "event",
        "event.action": action or text(properties, "Title"),
        "event.provider": table,
        "event.category": _CATEGORIES.get(table, ["host"]),
        "event.type": _TYPES.get(action or "", ["info"]),
        "event.outcome": ("failure" if failed else "success") if signing else None,
        "event.reason": text(properties, "FailureReason"),
        "rule.name": text(properties, "Title"),
        "cloud.account.id": text(record, "tenantId"),
    }
