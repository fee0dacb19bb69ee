"""The Windows events of the demo, one function an event id; names and values as Windows writes them."""

from ops.demo.city import AD_DOMAIN, AD_SID, DOMAIN, Host, Person
from ops.demo.windows import POWERSHELL, SECURITY, SYSMON, SYSTEM, Record

ADMINS_SID = f"{AD_SID}-512"


def _subject(person: Person | None, session: int) -> dict[str, str]:
    if person is None:
        return {
            "SubjectUserSid": "S-1-0-0",
            "SubjectUserName": "-",
            "SubjectDomainName": "-",
            "SubjectLogonId": "0x0",
        }
    return {
        "SubjectUserSid": person.sid,
        "SubjectUserName": person.account,
        "SubjectDomainName": AD_DOMAIN,
        "SubjectLogonId": hex(session),
    }


def logon(
    at: int,
    host: Host,
    person: Person,
    kind: int,
    source: Host | str,
    session: int,
    *,
    ntlm: bool = False,
) -> Record:
    """4624. kind: logon type (2 keyboard, 3 network, 4 batch, 5 service, 7 unlock, 10 remote desktop)."""
    address = source if isinstance(source, str) else source.ip
    station = source.name.upper() if isinstance(source, Host) else host.name.upper()
    local = kind in (2, 4, 5, 7)
    data = {
        **_subject(None, 0),
        "TargetUserSid": person.sid,
        "TargetUserName": person.account,
        "TargetDomainName": AD_DOMAIN,
        "TargetLogonId": hex(session),
        "LogonType": str(kind),
        "LogonProcessName": "User32 " if kind in (2, 7, 10) else ("NtLmSsp " if ntlm else "Kerberos"),
        "AuthenticationPackageName": "NTLM" if ntlm else ("Negotiate" if kind in (2, 7, 10) else "Kerberos"),
        "WorkstationName": station if kind != 3 or ntlm else "-",
        "LogonGuid": f"{{{session * 2654435761 % 2**32:08X}-5E1A-4B0C-9D2F-{session:012X}}}",
        "TransmittedServices": "-",
        "LmPackageName": "NTLM V2" if ntlm else "-",
        "KeyLength": "128" if ntlm else "0",
        "ProcessId": "0x0" if kind == 3 else "0x4d8",
        "ProcessName": "-" if kind == 3 else r"C:\Windows\System32\svchost.exe",
        "IpAddress": "127.0.0.1" if local and kind in (2, 7) else ("-" if local else address),
        "IpPort": "0" if local else str(49_152 + session % 16_000),
        "ImpersonationLevel": "%%1833",
        "RestrictedAdminMode": "-",
        "TargetOutboundUserName": "-",
        "TargetOutboundDomainName": "-",
        "VirtualAccount": "%%1843",
        "TargetLinkedLogonId": "0x0",
        "ElevatedToken": "%%1842" if person.employment == "特権" else "%%1843",
    }
    return Record(at, host.name, SECURITY, 4624, data)


def logon_failed(at: int, host: Host, person: Person, kind: int, source: Host) -> Record:
    """4625 for a wrong password (status 0xC000006D, sub-status 0xC000006A)."""
    network = kind == 3
    data = {
        **_subject(None, 0),
        "TargetUserSid": "S-1-0-0",
        "TargetUserName": person.account,
        "TargetDomainName": AD_DOMAIN,
        "Status": "0xc000006d",
        "FailureReason": "%%2313",
        "SubStatus": "0xc000006a",
        "LogonType": str(kind),
        "LogonProcessName": "NtLmSsp " if network else "User32 ",
        "AuthenticationPackageName": "NTLM" if network else "Negotiate",
        "WorkstationName": source.name.upper(),
        "TransmittedServices": "-",
        "LmPackageName": "-",
        "KeyLength": "0",
        "ProcessId": "0x0" if network else "0x4d8",
        "ProcessName": "-" if network else r"C:\Windows\System32\svchost.exe",
        "IpAddress": source.ip if network else "127.0.0.1",
        "IpPort": str(49_152 + at // 1000 % 16_000) if network else "0",
    }
    return Record(at, host.name, SECURITY, 4625, data)


def logoff(at: int, host: Host, person: Person, kind: int, session: int) -> Record:
    """4634."""
    data = {
        "TargetUserSid": person.sid,
        "TargetUserName": person.account,
        "TargetDomainName": AD_DOMAIN,
        "TargetLogonId": hex(session),
        "LogonType": str(kind),
    }
    return Record(at, host.name, SECURITY, 4634, data)


def privileges(at: int, host: Host, person: Person, session: int) -> Record:
    """4672: the new session holds administrative rights."""
    rights = (
        "SeSecurityPrivilege\n\t\t\tSeBackupPrivilege\n\t\t\tSeRestorePrivilege\n\t\t\tSeTakeOwnershipPrivilege\n"
        "\t\t\tSeDebugPrivilege\n\t\t\tSeSystemEnvironmentPrivilege\n\t\t\tSeLoadDriverPrivilege\n"
        "\t\t\tSeImpersonatePrivilege"
    )
    return Record(at, host.name, SECURITY, 4672, {**_subject(person, session), "PrivilegeList": rights})


def process(
    at: int, host: Host, person: Person, image: str, command: str, parent: str, session: int
) -> Record:
    """4688 with the command line."""
    data = {
        **_subject(person, session),
        "NewProcessId": hex(0x1000 + session % 0x4000),
        "NewProcessName": image,
        "TokenElevationType": "%%1938",
        "ProcessId": "0x9a4",
        "CommandLine": command,
        "TargetUserSid": "S-1-0-0",
        "TargetUserName": "-",
        "TargetDomainName": "-",
        "TargetLogonId": "0x0",
        "ParentProcessName": parent,
        "MandatoryLabel": "S-1-16-8192",
    }
    return Record(at, host.name, SECURITY, 4688, data)


def account_created(at: int, controller: Host, by: Person, account: str, session: int) -> Record:
    """4720."""
    data = {
        "TargetUserName": account,
        "TargetDomainName": AD_DOMAIN,
        "TargetSid": f"{AD_SID}-2201",
        **_subject(by, session),
        "PrivilegeList": "-",
        "SamAccountName": account,
        "UserPrincipalName": f"{account}@{DOMAIN}",
        "PrimaryGroupId": "513",
        "OldUacValue": "0x0",
        "NewUacValue": "0x15",
    }
    return Record(at, controller.name, SECURITY, 4720, data)


def member_added(
    at: int, controller: Host, by: Person, member: Person, group: tuple[str, str], session: int
) -> Record:
    """4728. group: its name and security identifier."""
    place = ",".join(f"DC={part}" for part in DOMAIN.split("."))
    data = {
        "MemberName": f"CN={member.full_name},OU={member.department},OU=Staff,{place}",
        "MemberSid": member.sid,
        "TargetUserName": group[0],
        "TargetDomainName": AD_DOMAIN,
        "TargetSid": group[1],
        **_subject(by, session),
        "PrivilegeList": "-",
    }
    return Record(at, controller.name, SECURITY, 4728, data)


def log_cleared(at: int, host: Host, by: Person, session: int) -> Record:
    """1102: the Security log was cleared (its values are UserData)."""
    return Record(at, host.name, SECURITY, 1102, {"xml_name": "LogFileCleared", **_subject(by, session)})


def service_installed(at: int, host: Host, name: str, image: str, account: str) -> Record:
    """7045."""
    data = {
        "ServiceName": name,
        "ImagePath": image,
        "ServiceType": "ユーザー モード サービス",
        "StartType": "要求時開始",
        "AccountName": account,
    }
    return Record(at, host.name, SYSTEM, 7045, data)


def service_state(at: int, host: Host, name: str, state: str) -> Record:
    """7036. state: as the Japanese system says it (実行中, 停止)."""
    return Record(at, host.name, SYSTEM, 7036, {"param1": name, "param2": state})


def sysmon_process(
    at: int, host: Host, person: str, image: str, command: str, parent: str, session: int, time: str
) -> Record:
    """Sysmon 1. person: `DOMAIN\\account`; time: UTC text with milliseconds."""
    low, high = session % 65536, session * 31 % 65536
    guid = f"{{8F2C11A0-{low:04X}-6741-{high:04X}-{0x1C0000 + at % 0xFFFFFF:012X}}}"
    data = {
        "RuleName": "-",
        "UtcTime": time.replace("T", " "),
        "ProcessGuid": guid,
        "ProcessId": str(1000 + session % 9000),
        "Image": image,
        "FileVersion": "-",
        "Description": "-",
        "Product": "-",
        "Company": "-",
        "OriginalFileName": image.rsplit("\\", 1)[-1],
        "CommandLine": command,
        "CurrentDirectory": "C:\\Windows\\system32\\",
        "User": person,
        "LogonId": hex(session),
        "TerminalSessionId": "0",
        "IntegrityLevel": "System",
        "ParentProcessId": "716",
        "ParentImage": parent,
        "ParentCommandLine": parent,
    }
    return Record(at, host.name, SYSMON, 1, data)


def script_block(at: int, host: Host, text: str, path: str) -> Record:
    """PowerShell 4104."""
    data = {
        "MessageNumber": "1",
        "MessageTotal": "1",
        "ScriptBlockText": text,
        "ScriptBlockId": f"6d1b7c52-0f7e-4a53-9c11-{at % 2**48:012x}",
        "Path": path,
    }
    return Record(at, host.name, POWERSHELL, 4104, data)
