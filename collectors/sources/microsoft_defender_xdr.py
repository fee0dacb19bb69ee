r"""Microsoft Defender XDR (Microsoft 365 Defender): advanced hunting tables by the streaming API (Event Hub, storage),
and the alerts that Graph gives (`collectors.microsoft.graph_alerts`).

Facts: Microsoft, "Microsoft Defender XDR streaming API" (the envelope) and "Understand the advanced hunting schema"
(the tables; meanings in `collectors.microsoft.defender_tables`). In process events the initiating process is the
parent of the one that started; in all others it is the process that acted. A logon's remote address is where it came
from; `direction: In` turns the ends of a connection. All values stay as `microsoft.defender.<name>`.
"""

from collections.abc import Mapping
from typing import Any

from collectors.leaves import leaves_of
from collectors.microsoft import defender_tables, graph_alerts
from collectors.records import Flat, JsonRecords, address, at, embedded, kept, text, time, url
from collectors.source import Source

source = Source(
    name="microsoft.defender_xdr",
    title={
        "ja": "Microsoft Defender XDR(Microsoft 365 Defender)",
        "en": "Microsoft Defender XDR (Microsoft 365 Defender)",
    },
    zone_hint="cloud",
    shape=JsonRecords(kind=("category",)),
    recognise=r'"category"\s*:\s*"AdvancedHunting-\w+"|"serviceSource"\s*:\s*"microsoft\w+"',
    constants={"cloud.provider": "azure", "observer.vendor": "Microsoft", "observer.product": "Defender XDR"},
)
_LOGONS = ("DeviceLogonEvents",)
_EVIDENCE = ("AlertEvidence", "BehaviorEntities")
_APPLICATION = ("ntlm", "kerberos", "dns", "ldap", "http", "https", "smb", "rdp", "samr", "negotiate", "ssh")


@source.each
def event(record: dict[str, Any]) -> Mapping[str, Any] | None:
    """ECS fields of one entry; None for JSON that is none of Defender's."""
    category, properties = text(record, "category") or "", embedded(record.get("properties"))
    if not category.startswith(defender_tables.PREFIX) or not isinstance(properties, dict):
        found = graph_alerts.alert(record)
        return kept({**leaves_of(record, "microsoft.defender."), **found}) if found else None
    table = category.removeprefix(defender_tables.PREFIX)
    more = embedded(properties.get("AdditionalFields"))
    extra: dict[str, Any] = more if isinstance(more, dict) else {}
    found = {
        "@timestamp": time(properties.get("Timestamp")) or time(record.get("time")),
        "cloud.account.id": text(record, "tenantId"),
        "microsoft.defender.table": table,
        **defender_tables.meaning(table, properties),
        **_host(properties),
        **_user(properties, table),
        **_process(properties, extra, table),
        **_file(properties, table),
        **_ends(properties, extra, table),
        **_mail(properties),
        **_rest(properties, table),
    }
    return kept({**leaves_of(properties, "microsoft.defender."), **found})


def _host(properties: dict[str, Any]) -> Flat:
    addresses = embedded(properties.get("IPAddresses"))
    listed = [text(one, "IPAddress") for one in addresses] if isinstance(addresses, list) else []
    mac = text(properties, "MacAddress")
    return {
        "host.name": text(properties, "DeviceName"),
        "host.id": text(properties, "DeviceId"),
        "host.ip": [found for one in listed if (found := address(one)[0])],
        "host.mac": [mac.replace(":", "-").upper()] if mac else [],
        "host.os.platform": text(properties, "OSPlatform"),
    }


def _user(properties: dict[str, Any], table: str) -> Flat:
    """The account of the event, else the one that the acting process ran as, else who is signed in."""
    for prefix in ("", "InitiatingProcess"):
        name = text(properties, f"{prefix}AccountName")
        if name and name != "$":
            return {
                "user.name": name,
                "user.domain": text(properties, f"{prefix}AccountDomain"),
                "user.id": text(properties, f"{prefix}AccountSid")
                or text(properties, f"{prefix}AccountObjectId"),
                "user.email": _mail_address(text(properties, f"{prefix}AccountUpn")),
            }
    people = embedded(properties.get("LoggedOnUsers"))
    if table == "DeviceInfo" and isinstance(people, list) and people:
        names = {"user.name": "UserName", "user.domain": "DomainName", "user.id": "Sid"}
        return {field: text(people[0], key) for field, key in names.items()}
    upn = _mail_address(text(properties, "AccountUpn")) or ""
    name, _, domain = upn.partition("@")
    return {
        "user.name": name or text(properties, "AccountDisplayName"),
        "user.domain": domain,
        "user.email": upn,
        "user.id": text(properties, "AccountObjectId"),
    }


def _mail_address(value: str | None) -> str | None:
    return value if value and "@" in value else None


def _process(properties: dict[str, Any], extra: dict[str, Any], table: str) -> Flat:
    def of(prefix: str, name: str) -> Flat:
        folder = text(properties, f"{prefix}FolderPath")
        command = "ProcessCommandLine" if not prefix else f"{prefix}CommandLine"
        return {
            f"{name}.name": _base(text(properties, f"{prefix}FileName")),
            f"{name}.executable": folder,
            f"{name}.command_line": text(properties, command),
            f"{name}.pid": text(properties, "ProcessId" if not prefix else f"{prefix}Id"),
            f"{name}.hash.sha256": text(properties, f"{prefix}SHA256"),
            f"{name}.hash.sha1": text(properties, f"{prefix}SHA1"),
            f"{name}.hash.md5": text(properties, f"{prefix}MD5"),
        }

    if table == "DeviceProcessEvents":
        return {**of("", "process"), **of("InitiatingProcess", "process.parent")}
    if table in _EVIDENCE:
        return _evidence(properties, extra)
    parent = text(properties, "InitiatingProcessParentFileName")
    return {
        **of("InitiatingProcess", "process"),
        "process.parent.pid": text(properties, "InitiatingProcessParentId"),
        "process.parent.name": _base(parent),
    }


def _evidence(properties: dict[str, Any], extra: dict[str, Any]) -> Flat:
    """The process that an alert is about; its parent stands among the additional fields."""
    if text(properties, "EntityType") != "Process":
        return {}
    return {
        "process.name": text(properties, "FileName"),
        "process.command_line": text(properties, "ProcessCommandLine"),
        "process.pid": text(extra, "ProcessId"),
        "process.parent.pid": text(extra, "ParentProcess", "ProcessId"),
        "process.parent.command_line": text(extra, "ParentProcess", "CommandLine"),
    }


def _file(properties: dict[str, Any], table: str) -> Flat:
    name, folder = text(properties, "FileName"), text(properties, "FolderPath")
    if name and folder and not folder.lower().endswith(name.lower()):
        folder = (
            f"{folder.rstrip('/')}/{name}" if folder.startswith("/") else f"{folder.rstrip(chr(92))}\\{name}"
        )
    return {
        "file.name": name,
        "file.path": folder,
        "file.size": text(properties, "FileSize"),
        "file.hash.md5": text(properties, "MD5"),
        "file.hash.sha1": text(properties, "SHA1"),
        "file.hash.sha256": text(properties, "SHA256"),
    }


def _ends(properties: dict[str, Any], extra: dict[str, Any], table: str) -> Flat:
    """Both ends. Of a session over RDP its far end; of a logon the machine is the destination."""
    local = {"ip": text(properties, "LocalIP"), "port": text(properties, "LocalPort")}
    remote = {
        "ip": text(properties, "RemoteIP"),
        "port": text(properties, "RemotePort"),
        "domain": text(properties, "RemoteDeviceName"),
    }
    way = (text(extra, "direction") or "").lower()
    inwards = table in _LOGONS or way == "in" or (text(properties, "ActionType") or "").startswith("Inbound")
    source_end, far = (remote, local) if inwards else (local, remote)
    named = ("IPAddress", "SenderIPv4", "SenderIPv6", "PublicIP", "InitiatingProcessRemoteSessionIP")
    spoken = (text(properties, "Protocol") or "").lower()
    return {
        "source.ip": _address(source_end.get("ip"), *(text(properties, name) for name in named)),
        "source.port": source_end.get("port") or text(properties, "Port"),
        "source.domain": source_end.get("domain")
        or text(properties, "InitiatingProcessRemoteSessionDeviceName"),
        "source.mac": text(extra, "Source Mac"),
        "destination.ip": _address(far.get("ip"), text(properties, "DestinationIPAddress")),
        "destination.port": far.get("port") or text(properties, "DestinationPort"),
        "destination.domain": far.get("domain") or text(properties, "DestinationDeviceName"),
        "destination.mac": text(extra, "Destination Mac"),
        "network.direction": {"in": "ingress", "out": "egress"}.get(way),
        "network.transport": next((one for one in ("tcp", "udp", "icmp") if spoken.startswith(one)), None),
        "network.protocol": spoken if spoken in _APPLICATION else None,
        "user_agent.original": text(properties, "UserAgent"),
    }


def _address(*values: str | None) -> str | None:
    return next((found for value in values if (found := address(value)[0])), None)


def _mail(properties: dict[str, Any]) -> Flat:
    sender = text(properties, "SenderFromAddress") or text(properties, "SenderEmailAddress")
    recipient = text(properties, "RecipientEmailAddress")
    return {
        "email.from.address": [sender] if sender else [],
        "email.to.address": [recipient] if recipient else [],
        "email.subject": text(properties, "Subject"),
        "email.message_id": text(properties, "InternetMessageId"),
        "email.direction": (text(properties, "EmailDirection") or "").lower(),
    }


def _rest(properties: dict[str, Any], table: str) -> Flat:
    """Registry, DNS, addresses, the alert's rule."""
    key, value = text(properties, "RegistryKey"), text(properties, "RegistryValueName")
    asked = text(properties, "QueryTarget") if (text(properties, "Protocol") or "").lower() == "dns" else None
    data = text(properties, "RegistryValueData")
    web = text(properties, "Url") or text(properties, "RemoteUrl")
    alert = table in ("AlertInfo", *_EVIDENCE)
    return {
        "registry.key": key,
        "registry.path": f"{key}\\{value}" if key and value else key,
        "registry.value": value,
        "registry.data.strings": [data] if data else [],
        "dns.question.name": asked,
        **(url(web) or ({"url.original": web, "url.domain": _domain(web)} if web else {})),
        "rule.name": text(properties, "Title") if alert else None,
        "rule.id": text(properties, "AlertId") if alert else None,
        "threat.technique.name": at(properties, "AttackTechniques") if alert else None,
    }


def _domain(web: str) -> str | None:
    found = web.partition("/")[0].partition(":")[0]
    return found if "." in found else None


def _base(path: str | None) -> str | None:
    return path.replace("\\", "/").rpartition("/")[2] or None if path else None
