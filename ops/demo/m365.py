"""Microsoft 365 unified audit records as the Office 365 Management Activity API gives them.

Schemas: Microsoft, Office 365 Management Activity API schema: common (RecordType 1 Exchange admin, 2 and 50
mailbox items, 6 SharePoint files, 14 sharing, 15 directory sign-in), CreationTime in UTC without a zone.
"""

from collections.abc import Iterator
from random import Random
from typing import Any

import orjson

from ops.demo.city import DEPARTMENTS, OFFICE_EGRESS, TENANT, Person
from ops.demo.clockwork import MACHINES, OFFICE, SECOND, Routine, Stamp, Timed, guid, rhythm

SHAREPOINT = "https://hinomicity.sharepoint.example.jp"
EDGE = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) "
    "Chrome/142.0.0.0 Safari/537.36 Edg/142.0.0.0"
)
_FILES = ("議事録", "起案書", "予算要求書", "会議資料", "照会回答", "業務マニュアル", "名簿", "報告書")
_EXTENSIONS = ("docx", "xlsx", "pptx", "pdf")


def record(
    stamp: Stamp,
    at: int,
    rng: Random,
    operation: str,
    workload: str,
    kind: int,
    person: Person,
    ip: str,
    **rest: Any,
) -> Timed:
    """One audit record: the common schema, then what the workload adds. kind: the RecordType."""
    document = {
        "CreationTime": stamp.zulu(at)[:19],
        "Id": guid(rng),
        "Operation": operation,
        "OrganizationId": TENANT,
        "RecordType": kind,
        "UserKey": f"1003200{person.number:09X}",
        "UserType": 0,
        "Version": 1,
        "Workload": workload,
        "ClientIP": ip,
        "UserId": person.mail,
        **rest,
    }
    return Timed(at, orjson.dumps(document))


def file(
    stamp: Stamp, at: int, rng: Random, operation: str, person: Person, ip: str, folder: str, name: str
) -> Timed:
    """A SharePoint file operation. folder: the department's site; name: with its extension."""
    site = f"{SHAREPOINT}/sites/{folder}"
    extension = name.rsplit(".", 1)[-1]
    return record(
        stamp,
        at,
        rng,
        operation,
        "SharePoint",
        6,
        person,
        ip,
        ObjectId=f"{site}/Shared Documents/{name}",
        CorrelationId=guid(rng),
        EventSource="SharePoint",
        ItemType="File",
        ListId="b1d2f7a0-6c1e-4d7a-9f43-1f0c2a7e5d10",
        ListItemUniqueId=guid(rng),
        Site="f5a0c1de-77b4-4a4e-8f7e-3d2c9b1a6e55",
        WebId="2a9e6f14-0c3b-4b57-9a0d-8e6f5d4c3b2a",
        UserAgent=EDGE,
        SourceFileExtension=extension,
        SiteUrl=f"{site}/",
        SourceFileName=name,
        SourceRelativeUrl="Shared Documents",
        HighPriorityMediaProcessing=False,
    )


def signed_in(stamp: Stamp, at: int, rng: Random, person: Person, ip: str) -> Timed:
    """UserLoggedIn of the directory."""
    properties = {"UserAgent": EDGE, "RequestType": "OAuth2:Authorize", "ResultStatusDetail": "Success"}
    return record(
        stamp,
        at,
        rng,
        "UserLoggedIn",
        "AzureActiveDirectory",
        15,
        person,
        ip,
        ResultStatus="Success",
        ObjectId="00000002-0000-0ff1-ce00-000000000000",
        AzureActiveDirectoryEventType=1,
        ExtendedProperties=[{"Name": name, "Value": value} for name, value in properties.items()],
        ModifiedProperties=[],
        Actor=[{"ID": person.object_id, "Type": 0}, {"ID": person.mail, "Type": 5}],
        ActorIpAddress=ip,
        Target=[{"ID": "00000002-0000-0ff1-ce00-000000000000", "Type": 0}],
        ApplicationId="89bee1f7-5e6e-4d8a-9f3d-ecd601259da7",
    )


def inbox_rule(
    stamp: Stamp, at: int, rng: Random, person: Person, ip: str, name: str, parameters: dict[str, str]
) -> Timed:
    """New-InboxRule. Exchange writes the client's port behind its address."""
    given = {"AlwaysDeleteOutlookRulesBlob": "False", "Force": "False", "Name": name, **parameters}
    return record(
        stamp,
        at,
        rng,
        "New-InboxRule",
        "Exchange",
        1,
        person,
        f"{ip}:{49_152 + int(rng.random() * 16_000)}",
        ResultStatus="True",
        ObjectId=f"JPNP286A001.PROD.OUTLOOK.EXAMPLE.COM/hinomicity/{person.object_id}\\{name}",
        ExternalAccess=False,
        OrganizationName="hinomicity.onmicrosoft.example.com",
        OriginatingServer="TYCP286MB1234 (15.20.9320.013)",
        Parameters=[{"Name": key, "Value": value} for key, value in given.items()],
        SessionId=guid(rng),
    )


def link_created(
    stamp: Stamp, at: int, rng: Random, operation: str, person: Person, ip: str, folder: str, name: str
) -> Timed:
    """A sharing link, for anyone (AnonymousLinkCreated) or for the city (CompanyLinkCreated)."""
    site = f"{SHAREPOINT}/sites/{folder}"
    return record(
        stamp,
        at,
        rng,
        operation,
        "SharePoint",
        14,
        person,
        ip,
        ObjectId=f"{site}/Shared Documents/{name}",
        CorrelationId=guid(rng),
        EventSource="SharePoint",
        ItemType="Folder" if "." not in name else "File",
        UserAgent=EDGE,
        EventData="<Type>View</Type>",
        UniqueSharingId=guid(rng),
        SiteUrl=f"{site}/",
        SourceFileName=name,
        SourceRelativeUrl="Shared Documents",
    )


def _mail(stamp: Stamp, at: int, rng: Random, operation: str, person: Person, ip: str) -> Timed:
    """MailItemsAccessed or Send in the own mailbox."""
    reading = operation == "MailItemsAccessed"
    extra: dict[str, Any] = {
        "OperationProperties": [
            {"Name": "MailAccessType", "Value": "Bind"},
            {"Name": "IsThrottled", "Value": "False"},
        ],
        "OperationCount": 1 + int(rng.random() * 4),
    }
    sent = {"Item": {"Subject": rng.choice(_FILES), "InternetMessageId": f"<{guid(rng)}@{person.mail}>"}}
    return record(
        stamp,
        at,
        rng,
        operation,
        "Exchange",
        50 if reading else 2,
        person,
        ip,
        ResultStatus="Succeeded",
        ClientIPAddress=ip,
        ClientInfoString="Client=MSExchangeRPC",
        ExternalAccess=False,
        InternalLogonType=0,
        LogonType=0,
        MailboxGuid=person.object_id,
        MailboxOwnerUPN=person.mail,
        OrganizationName="hinomicity.onmicrosoft.example.com",
        OriginatingServer="TYCP286MB1234 (15.20.9320.013)",
        **(extra if reading else sent),
    )


def dull(routine: Routine, rng: Random, scale: float) -> Iterator[Timed]:
    """An ordinary day in the cloud: about 10,500 records at scale 1, from the office and from telephones."""
    stamp = Stamp(routine.day)
    downloads: dict[str, int] = {}
    for at in rhythm(rng, routine.day, 9_800 * scale, OFFICE):
        shift = routine.presence.someone(rng, at)
        if shift:
            yield _ordinary(stamp, at, rng, shift.person, downloads)
    for at in rhythm(rng, routine.day, 900 * scale, MACHINES):
        person = rng.choice(routine.shifts).person
        yield _mail(stamp, at, rng, "MailItemsAccessed", person, routine.phones[person.account])
    for shift, clock in zip(routine.shifts, ("09:41:03", "11:15:40", "15:02:27"), strict=False):
        parameters = {"From": "info@pref.example.jp", "MoveToFolder": "県からの通知"}
        at = routine.day.at(clock)
        yield inbox_rule(stamp, at, rng, shift.person, OFFICE_EGRESS, "県の通知", parameters)


def _ordinary(stamp: Stamp, at: int, rng: Random, person: Person, downloads: dict[str, int]) -> Timed:
    """Mail mostly; a person downloads a dozen files a day at most."""
    folder = DEPARTMENTS[person.department][0]
    name = f"{rng.choice(_FILES)}_{int(rng.random() * 400):03d}.{rng.choice(_EXTENSIONS)}"
    operation = rng.choices(
        ("mail", "Send", "FileAccessed", "FileModified", "FileDownloaded", "FileUploaded", "link", "sign-in"),
        (34, 14, 24, 10, 6, 5, 1, 6),
    )[0]
    if operation in ("mail", "Send"):
        kind = "MailItemsAccessed" if operation == "mail" else "Send"
        return _mail(stamp, at, rng, kind, person, OFFICE_EGRESS)
    if operation == "sign-in":
        return signed_in(stamp, at, rng, person, OFFICE_EGRESS)
    if operation == "link":
        kind = "CompanyLinkCreated"
        return link_created(stamp, at, rng, kind, person, OFFICE_EGRESS, folder, name)
    if operation == "FileDownloaded":
        downloads[person.account] = downloads.get(person.account, 0) + 1
        if downloads[person.account] > 12:
            operation = "FileAccessed"
    return file(stamp, at - at % SECOND, rng, operation, person, OFFICE_EGRESS, folder, name)
