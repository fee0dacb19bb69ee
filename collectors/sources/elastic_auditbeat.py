"""Auditbeat and the Elastic Agent's audit integrations: the Linux audit framework, sign-ins, processes, sockets,
packages, accounts and changed files.

Facts: Elastic, "Auditbeat reference", chapters "Modules" (auditd, file_integrity, system) and "Exported fields".
The documents are ECS already; what Auditbeat says beside it or in older names gets its ECS name here: `hash.*`
of files before 8.0, `process.ppid`, the account of a refused sign-in (`auditd.data.acct`), the command of
`user_cmd`. Values that ECS does not allow (`authentication_failure`, `network_traffic`) are left out.
"""

from collections.abc import Mapping
from pathlib import PurePosixPath
from typing import Any

from collectors.ecs_values import ALLOWED
from collectors.leaves import leaves_of
from collectors.records import Flat, JsonRecords, at, items, kept, text, time
from collectors.source import Source

source = Source(
    name="elastic.auditbeat",
    title={"ja": "Auditbeat（Linux 監査）", "en": "Auditbeat (Linux audit)"},
    shape=JsonRecords(kind=("service",)),
    recognise=r'"(?:beat|type)"\s*:\s*"auditbeat"|"dataset"\s*:\s*"auditd_manager\.',
)
_WRAPPING = ("@metadata", "ecs", "input", "elastic_agent", "data_stream")
_SIGN_IN = ("authentication", "session")


@source.each
def event(document: dict[str, Any]) -> Mapping[str, Any] | None:
    """ECS fields of one document; None for another beat's."""
    if "event" not in document or not _ours(document):
        return None
    plain = {
        name: value for name, value in document.items() if name not in (*_WRAPPING, "event", "@timestamp")
    }
    event_part = document["event"] if isinstance(document["event"], dict) else {}
    flat: Flat = {**leaves_of(plain, ""), **leaves_of(event_part, "event.")}
    found = {**_process(document), **_who(document), **_files(document)}
    named = {name: value for name, value in found.items() if value is not None}
    return kept({**flat, **named, **_event(document)})


def _ours(document: dict[str, Any]) -> bool:
    names = (text(document, "@metadata", "beat"), text(document, "agent", "type"))
    return "auditbeat" in names or at(document, "event", "module") in ("auditd", "file_integrity")


def _event(document: dict[str, Any]) -> Flat:
    """event.*: allowed values only, and the outcome that auditd wrote."""
    result = text(document, "auditd", "result")
    said = {"success": "success", "fail": "failure"}.get(result or "")
    outcome, kind = text(document, "event", "outcome"), text(document, "event", "kind")
    return {
        "@timestamp": time(document.get("@timestamp")),
        "event.category": _allowed(document, "category"),
        "event.type": _allowed(document, "type"),
        "event.kind": kind if kind in ALLOWED["event.kind"] else "event",
        "event.outcome": outcome if outcome in ALLOWED["event.outcome"] else said,
        "event.start": time(at(document, "event", "start")),
        "event.end": time(at(document, "event", "end")),
    }


def _allowed(document: dict[str, Any], name: str) -> list[str]:
    values = at(document, "event", name)
    listed = values if isinstance(values, list) else [values]
    return [one for one in listed if isinstance(one, str) and one in ALLOWED[f"event.{name}"]]


def _process(document: dict[str, Any]) -> Flat:
    """The process, its parent and its command line; `args` is what it was started with."""
    executable = text(document, "process", "executable")
    name = text(document, "process", "name") or (PurePosixPath(executable).name if executable else None)
    args = [str(one) for one in items(document, "process", "args")]
    command = text(document, "process", "command_line") or text(document, "auditd", "data", "cmd")
    return {
        "process.name": name,
        "process.command_line": command or " ".join(args).strip() or None,
        "process.parent.pid": text(document, "process", "parent", "pid") or text(document, "process", "ppid"),
        "process.start": time(at(document, "process", "start")),
    }


def _who(document: dict[str, Any]) -> Flat:
    """The account and, of sign-ins and flows, the client that came in."""
    account = text(document, "user", "name")
    tried = text(document, "auditd", "data", "acct") or text(document, "user", "effective", "name")
    category = items(document, "event", "category")
    signs_in = any(one in _SIGN_IN for one in category)
    return {
        "user.name": account or (tried if signs_in else None),
        "host.name": text(document, "host", "name") or text(document, "agent", "hostname"),
        "client.ip": text(document, "client", "ip") or (text(document, "source", "ip") if signs_in else None),
    }


def _files(document: dict[str, Any]) -> Flat:
    """A watched file: its name, times and hashes (`hash.*` before 8.0)."""
    path = text(document, "file", "path")
    hashes = {
        f"file.hash.{kind}": text(document, "file", "hash", kind) or text(document, "hash", kind)
        for kind in ("md5", "sha1", "sha256", "sha512")
    }
    times = {f"file.{name}": time(at(document, "file", name)) for name in ("created", "mtime", "ctime")}
    return {
        **hashes,
        **times,
        "file.name": text(document, "file", "name") or (PurePosixPath(path).name if path else None),
    }
