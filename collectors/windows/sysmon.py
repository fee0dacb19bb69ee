"""Sysmon, event ids 1 to 29 and 255. Facts: Sysinternals, Sysmon manual and schema 4.90."""

import polars as pl

from collectors.windows.common import domain_and_name
from collectors.windows.event import Columns, Event, address, basename, hashes, number

_FILES = {"2", "11", "15", "23", "26", "27", "28", "29"}
_HIVES = {
    "HKLM": "HKEY_LOCAL_MACHINE",
    "HKU": "HKEY_USERS",
    "HKCR": "HKEY_CLASSES_ROOT",
    "HKCU": "HKEY_CURRENT_USER",
}


def columns(event: Event) -> Columns:
    """ECS fields of one Sysmon event id."""
    image = event.data("Image", "SourceImage")
    return {
        **domain_and_name(event.data("User", "SourceUser")),
        "rule.name": event.data("RuleName"),
        "process.executable": image,
        "process.name": basename(image),
        "process.pid": _pid(event),
        "process.entity_id": event.data("ProcessGuid", "SourceProcessGuid", "SourceProcessGUID"),
        **_details(event),
    }


def _pid(event: Event) -> pl.Expr | None:
    """NXLog drops ProcessId for its own ProcessID, so the message is the only place left."""
    pid = event.number("ProcessId", "SourceProcessId")
    message = event.column("winlog.message")
    if pid is not None or message is None:
        return pid
    return number(message.str.extract(r"(?m)^(?:Source)?ProcessId: (\d+)", 1))


def _details(event: Event) -> Columns:
    if event.code == "1":
        return _process(event)
    if event.code == "3":
        return _network(event)
    if event.code in {"6", "7"}:
        return _loaded(event)
    if event.code in {"12", "13", "14"}:
        return _registry(event)
    if event.code in _FILES:
        return _file(event)
    if event.code in {"17", "18"}:
        return {"file.name": event.data("PipeName")}
    return _query(event) if event.code == "22" else {}


def _process(event: Event) -> Columns:
    parent = event.data("ParentImage")
    return {
        "process.command_line": event.data("CommandLine"),
        "process.working_directory": event.data("CurrentDirectory"),
        "process.pe.original_file_name": event.data("OriginalFileName"),
        "process.pe.company": event.data("Company"),
        "process.pe.description": event.data("Description"),
        "process.pe.file_version": event.data("FileVersion"),
        "process.pe.product": event.data("Product"),
        "process.parent.executable": parent,
        "process.parent.name": basename(parent),
        "process.parent.command_line": event.data("ParentCommandLine"),
        "process.parent.pid": event.number("ParentProcessId"),
        "process.parent.entity_id": event.data("ParentProcessGuid"),
        **hashes(event.data("Hashes"), "process"),
    }


def _network(event: Event) -> Columns:
    initiated, protocol = event.data("Initiated"), event.data("Protocol")
    directions = {"true": "egress", "false": "ingress"}
    return {
        "source.ip": address(event.data("SourceIp")),
        "source.port": event.number("SourcePort"),
        "source.domain": event.data("SourceHostname"),
        "destination.ip": address(event.data("DestinationIp")),
        "destination.port": event.number("DestinationPort"),
        "destination.domain": event.data("DestinationHostname"),
        "network.transport": None if protocol is None else protocol.str.to_lowercase(),
        "network.protocol": event.data("DestinationPortName"),
        "network.direction": None
        if initiated is None
        else initiated.str.to_lowercase().replace_strict(directions, default=None),
    }


def _loaded(event: Event) -> Columns:
    path = event.data("ImageLoaded")
    kind = "dll" if event.code == "7" else "file"
    return {
        "file.path": path,
        "file.name": basename(path),
        "dll.path": path if kind == "dll" else None,
        "dll.name": basename(path) if kind == "dll" else None,
        "file.code_signature.subject_name": event.data("Signature"),
        "file.code_signature.status": event.data("SignatureStatus"),
        **hashes(event.data("Hashes"), "file"),
    }


def _registry(event: Event) -> Columns:
    path = event.data("TargetObject")
    if path is None:
        return {}
    details = event.data("Details")
    hive = path.str.extract(r"^([A-Z_]+)\\", 1)
    long = {name: short for short, name in _HIVES.items()}
    return {
        "registry.path": path,
        "registry.hive": hive.replace(long),
        "registry.key": path.str.extract(r"^[A-Z_]+\\(.+)$", 1),
        "registry.value": basename(path),
        "registry.data.strings": None
        if details is None
        else pl.when(details.is_not_null()).then(pl.concat_list(details)),
    }


def _file(event: Event) -> Columns:
    path = event.data("TargetFilename")
    return {
        "file.path": path,
        "file.name": basename(path),
        "file.extension": None if path is None else path.str.extract(r"\.([A-Za-z0-9_]{1,16})$", 1),
        **hashes(event.data("Hash", "Hashes"), "file"),
    }


def _query(event: Event) -> Columns:
    results = event.data("QueryResults")
    addresses = None
    if results is not None:
        plain = results.str.replace_all("(?i)::ffff:", "").str.split(";")
        only = plain.list.filter(pl.element().str.contains(r"^[0-9A-Fa-f.]*[.:][0-9A-Fa-f.:]+$"))
        addresses = pl.when(only.list.len() > 0).then(only)
    return {
        "dns.question.name": event.data("QueryName"),
        "dns.resolved_ip": addresses,
        "network.protocol": pl.lit("dns"),
    }
