"""The Security log: who did what to whom, from where.

Facts: Microsoft, "Advanced security audit policy settings", one page an event id. `Subject*` is who
asked, `Target*` who or what it is about. In a logon the account that signs in is the target, so it is
`user.*` here (as in Elastic's integration) and `user.target.*` as well.
"""

import polars as pl

from collectors.windows.event import Columns, Event, address, basename, domain_of, name_of, number

LOGONS = {str(code) for code in (4624, 4625, 4634, 4647, *range(4768, 4778))}
_GROUPS = {str(code) for code in (*range(4727, 4736), 4737, *range(4744, 4765), 4799)}
_FAILURES = {"4625", "4771", "4777", "4649", "4772", "4773"}
_LOGON_TYPES = {
    "2": "Interactive",
    "3": "Network",
    "4": "Batch",
    "5": "Service",
    "7": "Unlock",
    "8": "NetworkCleartext",
    "9": "NewCredentials",
    "10": "RemoteInteractive",
    "11": "CachedInteractive",
    "12": "CachedRemoteInteractive",
    "13": "CachedUnlock",
}
_PROTOCOLS = {"1": "icmp", "6": "tcp", "17": "udp", "58": "ipv6-icmp"}


def columns(event: Event) -> Columns:
    """ECS fields of one Security event id."""
    return {
        **_who(event),
        **_where(event),
        **_process(event),
        **_object(event),
        "event.outcome": pl.lit("failure") if event.code in _FAILURES else _status(event),
        "winlog.logon.type": _logon_type(event),
        "winlog.logon.id": event.data("TargetLogonId", "SubjectLogonId", "LogonID"),
    }


def _who(event: Event) -> Columns:
    subject: Columns = {
        "user.name": event.data("SubjectUserName", "AccountName", "UserName"),
        "user.domain": event.data("SubjectDomainName", "AccountDomain", "UserDomainName"),
        "user.id": event.data("SubjectUserSid", "UserSid"),
    }
    target: Columns = {
        "name": name_of(event.data("TargetUserName", "TargetAccount", "MappedName", "NewTargetUserName")),
        "domain": event.data("TargetDomainName"),
        "id": event.data("TargetUserSid", "TargetSid"),
    }
    requester = event.data("Requester")
    if requester is not None:
        return {"user.name": name_of(requester), "user.domain": domain_of(requester)}
    if event.code in _GROUPS:
        return {**subject, **_group(event, target)}
    whom = {f"user.target.{part}": expr for part, expr in target.items()}
    if event.code in LOGONS:
        return {**{f"user.{part}": _first(target[part], subject[f"user.{part}"]) for part in target}, **whom}
    return {**subject, **whom}


def _first(*choices: pl.Expr | None) -> pl.Expr | None:
    found = [choice for choice in choices if choice is not None]
    return pl.coalesce(found) if found else None


def _group(event: Event, target: Columns) -> Columns:
    member = event.data("MemberName")
    return {
        "group.name": target["name"],
        "group.domain": target["domain"],
        "group.id": target["id"],
        "user.target.name": None if member is None else member.str.extract(r"(?i)^CN=((?:\\,|[^,])+)", 1),
        "user.target.id": event.data("MemberSid"),
    }


def _where(event: Event) -> Columns:
    ip = address(
        event.data("IpAddress", "ClientAddress", "SourceAddress", "CallingStationID", "ClientIPAddress")
    )
    server = event.data("DestAddress", "AuthenticationServer")
    protocol = event.data("Protocol") if event.has("SourceAddress") else None
    station = event.data("WorkstationName", "Workstation", "ClientName")
    ports = event.number("IpPort", "SourcePort")
    return {
        "source.ip": ip,
        "client.ip": ip if event.code in LOGONS else None,
        "source.port": None if ports is None else pl.when(ports > 0).then(ports),
        "source.domain": None if station is None else station.str.strip_prefix("\\\\"),
        "destination.ip": address(server),
        "destination.port": event.number("DestPort"),
        "network.transport": None if protocol is None else protocol.replace_strict(_PROTOCOLS, default=None),
        "network.iana_number": protocol,
        "network.direction": _direction(event),
    }


def _direction(event: Event) -> pl.Expr | None:
    text = event.data("Direction")
    known = {"%%14592": "ingress", "%%14593": "egress", "Inbound": "ingress", "Outbound": "egress"}
    return None if text is None else text.replace_strict(known, default=None)


def _process(event: Event) -> Columns:
    if event.code == "4688":
        return _new_process(event)
    path = event.data("ProcessName", "Application", "CallerProcessName")
    pid = event.number("ProcessId", "ProcessID", "CallerProcessId")
    return {
        "process.executable": path,
        "process.name": basename(path),
        "process.pid": None if pid is None else pl.when(pid > 0).then(pid),
    }


def _new_process(event: Event) -> Columns:
    path, parent = event.data("NewProcessName"), event.data("ParentProcessName")
    creator, message = event.number("ProcessId", "ProcessID"), event.column("winlog.message")
    if creator is None and message is not None:
        creator = number(message.str.extract(r"Creator Process ID:\s*(0x[0-9a-fA-F]+)", 1))
    return {
        "process.executable": path,
        "process.name": basename(path),
        "process.pid": event.number("NewProcessId"),
        "process.command_line": event.data("CommandLine"),
        "process.parent.executable": parent,
        "process.parent.name": basename(parent),
        "process.parent.pid": creator,
    }


def _object(event: Event) -> Columns:
    if event.code in {"5140", "5142", "5143", "5144", "5145"}:
        return _share(event)
    if event.code == "4657":
        return {"registry.path": event.data("ObjectName"), "registry.value": event.data("ObjectValueName")}
    name, kind = event.data("ObjectName"), event.data("ObjectType")
    if name is None or kind is None:
        return {}
    file, key = pl.when(kind == "File").then(name), pl.when(kind == "Key").then(name)
    return {"file.path": file, "file.name": basename(file), "registry.path": key}


def _share(event: Event) -> Columns:
    local, target = event.data("ShareLocalPath"), event.data("RelativeTargetName")
    path = target if local is None else local
    if local is not None and target is not None:
        path = pl.concat_str(local.str.strip_chars_end("\\"), target, separator="\\")
    return {"file.path": path, "file.name": basename(target), "file.directory": local}


def _status(event: Event) -> pl.Expr | None:
    """Kerberos and NTLM validation write their result as a status code."""
    status = event.data("Status", "ResultCode") if event.code in {"4768", "4769", "4770", "4776"} else None
    return (
        None
        if status is None
        else pl.when(number(status) == 0).then(pl.lit("success")).otherwise(pl.lit("failure"))
    )


def _logon_type(event: Event) -> pl.Expr | None:
    kind = event.data("LogonType")
    return None if kind is None else kind.replace_strict(_LOGON_TYPES, default=None)
