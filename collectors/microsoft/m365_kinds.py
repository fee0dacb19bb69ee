"""What the workloads of Microsoft 365 put in an audit record, and what their operations mean."""

import re
from collections.abc import Callable
from functools import lru_cache
from typing import Any

from collectors.many import Columns, Many, Texts, first, laid_over
from collectors.records import Flat, at, embedded, first_address, items, text, url

Part = Callable[[dict[str, Any]], Flat]

_REMEMBERED = 100
"""Letters of a name that is remembered: no operation of Microsoft's is longer."""
_SIGN_IN = {"UserLoggedIn", "UserLoginFailed", "MailboxLogin", "TeamsSessionStarted", "SignInEvent"}
_FILE = re.compile(r"^(?:File|Folder|Document|Attachment|List|Page)|Link|Sharing|SoftDelete|HardDelete")
_MAIL = {
    "Send",
    "SendAs",
    "SendOnBehalf",
    "MailItemsAccessed",
    "Create",
    "Update",
    "Move",
    "MoveToDeletedItems",
}
_TYPES = (
    (re.compile(r"Download|Access|View|Preview|Sync|Search|Get-|Fetch"), "access"),
    (re.compile(r"Delete|Remove|Recycle|Disable|Revoke"), "deletion"),
    (re.compile(r"Creat|^New-|^Add|Upload|Copied|Restore|Share|Invitation"), "creation"),
    (re.compile(r"Updat|^Set-|Modif|Renam|Mov|Chang|Reset|Enable"), "change"),
)


def kind_of(workload: str | None, operation: str) -> tuple[list[str], list[str]]:
    """(event.category, event.type) of an operation."""
    short = len(operation) < _REMEMBERED and len(workload or "") < _REMEMBERED
    return _kind_of(workload, operation) if short else _kind_of.__wrapped__(workload, operation)


@lru_cache(4_096)
def _kind_of(workload: str | None, operation: str) -> tuple[list[str], list[str]]:
    if operation in _SIGN_IN:
        return ["authentication"], ["start"]
    types = [next((name for pattern, name in _TYPES if pattern.search(operation)), "info")]
    if workload == "AzureActiveDirectory":
        who = "group" if "group" in operation or "role" in operation else "user"
        return ["iam"], [who, *types]
    if workload in {"ThreatIntelligence", "SecurityComplianceCenter", "MCAS"} or "Dlp" in operation:
        return ["intrusion_detection"], ["info"]
    if workload == "Exchange":
        mail = operation in _MAIL or "Delete" in operation
        return (["email"], types) if mail else (["configuration", "email"], types)
    if workload in {"SharePoint", "OneDrive"} or _FILE.search(operation):
        return ["file"], types
    return ["web"], types


def add_details(records: Many, columns: dict[str, Any]) -> None:
    """Add what the records' own schemas tell; later parts know better than earlier ones."""
    if records.have("SourceFileName"):
        columns |= _files(records)
    if records.have(*_MAIL_NAMES):
        columns |= _mails(records)
    parts = [part for names, part in _PARTS if records.have(*names)]
    if _endpoint in parts and "Endpoint" not in records.text("Workload"):
        parts.remove(_endpoint)
    if parts:
        laid_over(columns, [_details(record or {}, parts) for record in records.nodes])


def _details(record: dict[str, Any], parts: list[Part]) -> Flat:
    flat: Flat = {}
    for part in parts:
        flat |= part(record)
    return flat


def _prevented(record: dict[str, Any]) -> Flat:
    """Data loss prevention: the policy that matched, and the mail or the file it matched in."""
    policy = next(iter(items(record, "PolicyDetails")), None)
    if policy is None:
        return {}
    mail, file = at(record, "ExchangeMetaData"), at(record, "SharePointMetaData")
    sender = text(mail, "From")
    flat: Flat = {"rule.name": text(policy, "PolicyName"), "rule.id": text(policy, "PolicyId")}
    if mail:
        to = [one for name in ("To", "CC", "BCC") for one in items(mail, name) if isinstance(one, str)]
        flat |= {
            "email.subject": text(mail, "Subject"),
            "email.message_id": text(mail, "MessageID"),
            "email.from.address": [sender] if sender else None,
            "email.to.address": to,
        }
    if file:
        flat |= {"file.name": text(file, "FileName"), **url(text(file, "FilePathUrl"))}
    return flat


def _endpoint(record: dict[str, Any]) -> Flat:
    """Endpoint data loss prevention: a file on a device, and the program that touched it."""
    path = text(record, "ObjectId") if text(record, "Workload") == "Endpoint" else None
    if path is None:
        return {}
    return {
        "file.path": path,
        "file.name": re.split(r"[\\/]", path)[-1],
        "file.size": text(record, "FileSize"),
        "file.hash.sha1": text(record, "Sha1"),
        "file.hash.sha256": text(record, "Sha256"),
        "process.name": text(record, "Application"),
    }


def _files(records: Many) -> Columns:
    """SharePoint and OneDrive: the file and the folder below the site."""
    name = records.text("SourceFileName")

    def named(values: Texts) -> Texts:
        return [value if one is not None else None for one, value in zip(name, values, strict=True)]

    where = named(records.text("SourceRelativeUrl"))
    return {
        "file.name": name,
        "file.extension": named(records.text("SourceFileExtension")),
        "file.directory": where,
        "file.path": [
            f"{folder}/{one}" if folder and not folder.endswith(one or "") else folder
            for folder, one in zip(where, name, strict=True)
        ],
        "file.target_path": named(records.text("DestinationRelativeUrl")),
        "file.size": named(records.text("FileSizeBytes")),
    }


def _mails(records: Many) -> Columns:
    """Exchange items, sensitivity labels and mail found by Defender."""
    item = Many([_item(record or {}) for record in records.nodes])
    labelled = [
        text(record, "ItemName") if record and "Receivers" in record else None for record in records.nodes
    ]
    to = [_receivers(record or {}) for record in records.nodes]
    sender = [
        _mailbox(one) or _mailbox(two)
        for one, two in zip(records.text("P2Sender"), records.text("Sender"), strict=True)
    ]
    return {
        "email.subject": first(records.text("Subject"), item.text("Subject"), labelled),
        "email.message_id": first(records.text("InternetMessageId"), item.text("InternetMessageId")),
        "email.to.address": to,
        "email.from.address": [[one] if one else None for one in sender],
        "email.direction": [one.lower() or None if one else None for one in records.text("Directionality")],
    }


def _item(record: dict[str, Any]) -> dict[str, Any] | None:
    found = at(record, "Item") or next(iter(items(record, "AffectedItems")), None)
    return found if type(found) is dict else None


def _receivers(record: dict[str, Any]) -> list[str]:
    to = items(record, "Recipients") or items(record, "Receivers")
    return [one for one in to if isinstance(one, str)]


def _mailbox(value: str | None) -> str | None:
    return value.strip("<> ") if value else None


def _threat(record: dict[str, Any]) -> Flat:
    """Defender for Office 365: files, attachments, clicked addresses."""
    file = at(record, "FileData") or next(iter(items(record, "AttachmentData")), None)
    links = items(record, "MessageURLs")
    flat: Flat = {
        **url(text(file, "FilePath")),
        **url(links[0] if links else text(record, "Url")),
    }
    if file:
        flat |= {
            "file.name": text(file, "FileName"),
            "file.size": text(file, "FileSize"),
            "file.hash.sha256": text(file, "SHA256"),
            "threat.software.name": text(file, "MalwareFamily"),
        }
    return flat


def _alert(record: dict[str, Any]) -> Flat:
    """Alerts of the compliance centre: `Data` is JSON with short keys, and names the real person.

    f3u, suid: who did it; trc: recipient; tsd: sender; ms, von: subject or item; sip: address.
    """
    name, policy = text(record, "Name"), text(record, "PolicyId")
    data = embedded(record.get("Data"))
    if text(record, "RecordType") != "40" or not isinstance(data, dict):
        return {"rule.name": name, "rule.id": policy} if policy else {}
    to, sender = text(data, "trc"), text(data, "tsd")
    entity = text(data, "eid") if text(data, "etype") == "User" else None
    person = text(data, "suid") or text(data, "f3u") or to or entity
    ip, _ = first_address(data.get("sip"), data.get("cip"))
    return {
        "rule.name": name,
        "rule.id": policy or text(data, "drid"),
        "email.to.address": to.split(";") if to else None,
        "email.from.address": [sender] if sender else None,
        "email.subject": text(data, "ms") or text(data, "von"),
        "file.name": text(data, "fn"),
        "o365.audit.alert.source_ip": ip,
        **(_person(person) if person else {}),
    }


def _person(account: str) -> Flat:
    """The person whom an alert is about, in the place of the service that reported it."""
    name, _, domain = account.partition("@")
    mail = {"user.email": account, "user.domain": domain} if domain else {}
    return {"user.id": None, "user.name": name, **mail}


def _investigation(record: dict[str, Any]) -> Flat:
    """Automated investigation: `Data` is JSON with the entities of the alert."""
    data = embedded(record.get("Data"))
    if text(record, "RecordType") != "64" or not isinstance(data, dict):
        return {}
    entities = [one for one in items(data, "Entities") if isinstance(one, dict)]
    links = [
        link for one in entities for link in (*items(one, "Urls"), one.get("Url")) if isinstance(link, str)
    ]
    in_mail = [link for one in entities for link in items(one, "Urls") if isinstance(link, str)]
    names = [text(file, "Name") for one in entities for file in items(one, "Files")]
    return {
        "rule.name": text(data, "AlertDisplayName") or text(data, "Name"),
        "email.to.address": _several(entities, "Recipient", "MailboxPrimaryAddress"),
        "email.from.address": _several(entities, "P2Sender") or _several(entities, "Sender"),
        "email.attachments.file.name": next((name for name in names if name), None),
        **url(next(iter(in_mail or links), None)),
    }


def _several(entities: list[dict[str, Any]], *keys: str) -> list[str]:
    found = (text(one, key) for key in keys for one in entities)
    return list(dict.fromkeys(value for value in found if value))


_MAIL_NAMES = (
    *("Item", "AffectedItems", "Recipients", "Receivers", "Subject", "InternetMessageId"),
    *("P2Sender", "Sender", "Directionality"),
)
_PARTS: tuple[tuple[tuple[str, ...], Part], ...] = (
    (("FileData", "AttachmentData", "MessageURLs", "Url"), _threat),
    (("PolicyDetails",), _prevented),
    (("ObjectId",), _endpoint),
    (("PolicyId", "Data"), _alert),
    (("Data",), _investigation),
)
"""What a part reads first of all: a record without any of these names has nothing of it."""
