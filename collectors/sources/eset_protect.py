r"""ESET PROTECT: detections, firewall, HIPS, filtered websites, blocked files, audit log, ESET Inspect; JSON.

Facts: ESET, "ESET PROTECT: Events exported to JSON format" (names of each event type; `occured` is UTC, spelt so).
`object_uri` (`file:///C:/…`) becomes the path as the endpoint writes it. In a HIPS event the application acts on the
target, which is a program that it starts or a file.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from collectors.records import Flat, JsonRecords, address, at, kept, text, time, url
from collectors.source import Source

source = Source(
    name="eset.protect",
    title={"ja": "ESET PROTECT", "en": "ESET PROTECT"},
    zone_hint="internal",
    shape=JsonRecords(kind=("event_type",)),
    recognise=r'"event_type"\s*:\s*"(?:Threat_Event|FirewallAggregated_Event|HipsAggregated_Event|Audit_Event|'
    r'FilteredWebsites_Event|BlockedFiles_Event|EnterpriseInspectorAlert_Event|ESET Inspect Alert|EsetInspectAlert)"',
    leftovers="eset",
    constants={"observer.vendor": "ESET", "observer.product": "PROTECT"},
)
# Event type → event.kind, event.category, event.type.
_KINDS: dict[str, tuple[str, list[str], list[str]]] = {
    "Threat_Event": ("alert", ["malware"], ["info"]),
    "FirewallAggregated_Event": ("event", ["network", "intrusion_detection"], ["info"]),
    "HipsAggregated_Event": ("event", ["intrusion_detection", "process"], ["info"]),
    "FilteredWebsites_Event": ("event", ["web", "network"], ["access"]),
    "BlockedFiles_Event": ("event", ["file"], ["access"]),
    "Audit_Event": ("event", ["configuration"], ["info"]),
    "EnterpriseInspectorAlert_Event": ("alert", ["intrusion_detection"], ["info"]),
    "EsetInspectAlert": ("alert", ["intrusion_detection"], ["info"]),
    "ESET Inspect Alert": ("alert", ["intrusion_detection"], ["info"]),
}
_FORMS = ("%d-%b-%Y %H:%M:%S", "%d-%m-%Y %H:%M:%S")
_STOPPED = ("block", "clean", "delet", "terminat", "quarantin")
_SIGN_INS = ("log", "sign", "sso", "token", "authenticat")


@source.each
def event(document: dict[str, Any]) -> Mapping[str, Any] | None:
    """ECS fields of one event; None for JSON that is none of ESET's."""
    kind = text(document, "event_type")
    if kind is None or ("occured" not in document and kind not in _KINDS):
        return None
    found = {
        **_meaning(document, kind),
        **_machine(document),
        **_person(document, kind),
        **_ends(document),
        **_objects(document, kind),
    }
    return kept(found)


def _meaning(document: dict[str, Any], event_type: str) -> Flat:
    kind, category, types = _KINDS.get(event_type, ("event", ["host"], ["info"]))
    action = text(document, "action_taken") or text(document, "action")
    told = (action or "").lower()
    if event_type == "Audit_Event" and any(word in told for word in _SIGN_INS):
        category, types = ["authentication"], _sign_in(told)
    elif event_type != "Threat_Event" and any(word in told for word in _STOPPED):
        types = ["denied"]
    return {
        "@timestamp": _occurred(document),
        "event.kind": kind,
        "event.category": category,
        "event.type": types,
        "event.action": action,
        "event.outcome": _outcome(document),
        "event.reason": _first(document, "detail", "cause", "event", "operation", "circumstances"),
        "rule.name": _first(document, "rulename", "rule_name") or text(document, "threat_name"),
        "rule.id": text(document, "rule_id"),
        "message": text(document, "detail") or text(document, "description"),
    }


def _sign_in(action: str) -> list[str]:
    if "logout" in action or "log out" in action:
        return ["end"]
    return ["start"] if "log" in action and "token" not in action else ["info"]


def _occurred(document: dict[str, Any]) -> datetime | None:
    written = _first(document, "occured", "occurred") or ""
    for form in _FORMS:
        try:
            return datetime.strptime(written, form).replace(tzinfo=UTC)
        except ValueError:
            continue
    return time(written)


def _outcome(document: dict[str, Any]) -> str | None:
    result = (text(document, "result") or "").lower()
    if result:
        return {"success": "success", "failure": "failure", "failed": "failure"}.get(result, "unknown")
    handled = at(document, "threat_handled") if "threat_handled" in document else at(document, "handled")
    return None if handled is None else ("success" if handled is True else "failure")


def _first(document: dict[str, Any], *names: str) -> str | None:
    return next((found for name in names if (found := text(document, name))), None)


def _machine(document: dict[str, Any]) -> Flat:
    addresses = [found for name in ("ipv4", "ipv6") if (found := address(text(document, name))[0])]
    return {
        "host.name": text(document, "hostname"),
        "host.ip": addresses,
        "host.os.full": text(document, "os_name"),
        "group.name": text(document, "group_name"),
        "log.level": text(document, "severity"),
    }


def _person(document: dict[str, Any], event_type: str) -> Flat:
    written = _first(document, "username", "user", "account") or ""
    domain, _, name = written.rpartition("\\")
    if not domain and "@" in name:
        name, _, domain = name.partition("@")
    target = text(document, "target") if event_type == "Audit_Event" else None
    return {"user.name": name, "user.domain": domain, "user.target.name": target}


def _ends(document: dict[str, Any]) -> Flat:
    inbound = at(document, "inbound")
    return {
        "source.ip": address(text(document, "source_address"))[0],
        "source.port": text(document, "source_port"),
        "destination.ip": address(text(document, "target_address"))[0],
        "destination.port": text(document, "target_port"),
        "network.transport": (text(document, "protocol") or "").lower(),
        "network.direction": {True: "inbound", False: "outbound"}.get(inbound)
        if isinstance(inbound, bool)
        else None,
    }


def _objects(document: dict[str, Any], event_type: str) -> Flat:
    """File, process, address. A hash is a SHA-1 by the reference."""
    uri = text(document, "object_uri")
    web = url(uri)
    path = _path(uri) if uri and not web else None
    runs, parent = _first(document, "processname", "process_name"), None
    if event_type == "HipsAggregated_Event":
        runs, parent = text(document, "target"), text(document, "application")
    digest = (text(document, "hash") or "").lower()
    return {
        **web,
        "file.path": path,
        "file.name": _base(path),
        "file.hash.sha1": digest if len(digest) == 40 else None,
        "process.executable": runs,
        "process.name": _base(runs),
        "process.command_line": _first(document, "command_line", "processcmdline"),
        "process.parent.executable": parent,
        "process.parent.name": _base(parent),
    }


def _path(uri: str) -> str:
    plain = uri.removeprefix("file:///") if uri.startswith("file:///") else uri.removeprefix("file://")
    return (
        plain.replace("/", "\\")
        if plain[1:3] == ":/"
        else (f"/{plain}" if uri.startswith("file:///") else plain)
    )


def _base(path: str | None) -> str | None:
    return path.replace("\\", "/").rstrip("/").rpartition("/")[2] or None if path else None
