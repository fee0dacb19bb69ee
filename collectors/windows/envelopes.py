"""Windows events inside what other tools make of them, brought to the EVTX form.

Azure     a virtual machine's diagnostic record: the XML in `properties.RawXml`
Splunk    an exported search result: the XML in `result._raw` or `_raw`
OpenWEC   a collector of Windows Event Forwarding on Linux: `{"meta", "data": "<Event…"}`, or `System`, `EventData` plain
Wazuh     `data.win.system` and `data.win.eventdata`, each name with its first letter lower
EvtxECmd  a row whose `Payload` is the event's data as JSON
Winlogbeat 6  and before it: `log_name`, `event_id` and `event_data` beside each other, without `winlog`

The forms are those of the tools' own documentation (OpenWEC doc/formats.md, Wazuh's windows_eventchannel decoder,
EvtxECmd `--json`, Winlogbeat 6.3 "Event log record fields", Splunk's XmlWinEventLog).
"""

from collections.abc import Callable, Mapping
from typing import Any

from collectors import json_text
from collectors.windows import xml

Document = dict[str, Any]
_SYSTEM = (
    "EventID",
    "Version",
    "Level",
    "Task",
    "Opcode",
    "Keywords",
    "EventRecordID",
    "Channel",
    "Computer",
)
"""What `System` says in plain values."""
_SIGNS = frozenset(("properties", "result", "_raw", "meta", "OpenWEC", "data", "win", "Payload", "log_name"))
"""Names of which every envelope has one; nearly no document has, and the test is a fifth of asking each envelope."""
_WAZUH_SYSTEM = {name[:1].lower() + name[1:]: name for name in _SYSTEM}
_WINLOGBEAT6 = {
    "event_id": "EventID",
    "record_number": "EventRecordID",
    "log_name": "Channel",
    "computer_name": "Computer",
}
_EVTXECMD = {
    "EventId": "EventID",
    "EventRecordId": "EventRecordID",
    "Channel": "Channel",
    "Computer": "Computer",
}


def unpacked(document: Document) -> Document:
    """The event in EVTX form; the document itself where it is in none of these envelopes."""
    if document.keys().isdisjoint(_SIGNS):
        return document
    for open_ in _ENVELOPES:
        if (found := open_(document)) is not None:
            return found
    return document


def _xml_inside(document: Document) -> Document | None:
    texts = (
        _child(document, "properties").get("RawXml"),
        _child(document, "result").get("_raw"),
        document.get("_raw"),
        document.get("data") if "meta" in document else None,
    )
    return next((found for text in texts if type(text) is str and (found := xml.document(text))), None)


def _openwec(document: Document) -> Document | None:
    system = document.get("System")
    if type(system) is not dict or "OpenWEC" not in document:
        return None
    execution = _child(system, "Execution")
    event = {
        "System": {
            **{name: system[name] for name in _SYSTEM if name in system},
            **_said(_child(system, "Provider"), time=system.get("TimeCreated"), user=system.get("UserID")),
            "Execution": {"#attributes": {name: execution.get(name) for name in ("ProcessID", "ThreadID")}},
        },
        "EventData": document.get("EventData"),
    }
    message = _child(document, "RenderingInfo").get("Message")
    user = document.get("UserData")
    if type(user) is str and (inside := xml.children(user)):
        event["UserData"] = inside
    return {"Event": {**event, "RenderingInfo": {"Message": message}} if message else event}


def _wazuh(document: Document) -> Document | None:
    win = _child(document, "data").get("win", document.get("win"))
    system, data = (_child(win, "system"), _child(win, "eventdata")) if type(win) is dict else ({}, {})
    if "eventID" not in system:
        return None
    provider = {"Name": system.get("providerName"), "Guid": system.get("providerGuid")}
    threads = {"ProcessID": system.get("processID"), "ThreadID": system.get("threadID")}
    event = {
        "System": {
            **{new: system[name] for name, new in _WAZUH_SYSTEM.items() if name in system},
            **_said(provider, time=system.get("systemTime")),
            "Execution": {"#attributes": threads},
        },
        "EventData": {_upper(name): value for name, value in data.items()},
        "RenderingInfo": {"Message": system.get("message")},
    }
    return {"Event": event}


def _evtxecmd(document: Document) -> Document | None:
    if "EventId" not in document or type(payload := document.get("Payload")) is not str:
        return None
    try:
        read = json_text.read(payload)
    except json_text.UnreadableError:
        return None
    inside = _child(read if type(read) is dict else {}, "EventData")
    data = inside.get("Data")
    system = {new: document[name] for name, new in _EVTXECMD.items() if name in document}
    system |= _said(
        {"Name": document.get("Provider")}, time=document.get("TimeCreated"), user=document.get("UserId")
    )
    threads = {"ProcessID": document.get("ProcessId"), "ThreadID": document.get("ThreadId")}
    event: Document = {"System": {**system, "Execution": {"#attributes": threads}}}
    event["EventData"] = _named(data if type(data) is list else [data])
    if not inside and type(read) is dict and type(read.get("UserData")) is dict:
        event["UserData"] = read["UserData"]
    return {"Event": event}


def _winlogbeat6(document: Document) -> Document | None:
    if "log_name" not in document or "event_id" not in document:
        return None
    keywords = document.get("keywords")
    threads = {"ProcessID": document.get("process_id"), "ThreadID": document.get("thread_id")}
    provider = {"Name": document.get("source_name"), "Guid": document.get("provider_guid")}
    system = {
        **{new: document[name] for name, new in _WINLOGBEAT6.items() if name in document},
        **_said(provider, time=document.get("@timestamp"), user=_child(document, "user").get("identifier")),
        "Keywords": " ".join(map(str, keywords)) if type(keywords) is list else keywords,
        "Execution": {"#attributes": threads},
    }
    data = {**_child(document, "user_data"), **_child(document, "event_data")}
    return {
        "Event": {
            "System": system,
            "EventData": data,
            "RenderingInfo": {"Message": document.get("message")},
        }
    }


def _named(values: list[Any]) -> Document:
    """`[{"@Name": n, "#text": v}]` as `{n: v}`; values without a name in order under `Data`."""
    pairs = [value for value in values if type(value) is dict and "@Name" in value]
    unnamed = [value for value in values if type(value) is str]
    named = {str(pair["@Name"]): pair.get("#text") for pair in pairs}
    return {**named, "Data": unnamed} if unnamed else named


def _said(provider: Mapping[str, Any], *, time: Any, user: Any = None) -> Document:
    """What the EVTX form keeps in attributes."""
    return {
        "Provider": {"#attributes": {name: provider.get(name) for name in ("Name", "Guid")}},
        "TimeCreated": {"#attributes": {"SystemTime": time}},
        "Security": {"#attributes": {"UserID": user}},
    }


def _upper(name: str) -> str:
    """`commandLine` as Windows writes it; `param1` and `data` of classic events are told apart by their digits."""
    return name if name[-1:].isdigit() and name.startswith("param") else name[:1].upper() + name[1:]


def _child(document: Document, name: str) -> Document:
    found = document.get(name)
    return found if type(found) is dict else {}


_ENVELOPES: tuple[Callable[[Document], Document | None], ...] = (
    _xml_inside,
    _openwec,
    _wazuh,
    _evtxecmd,
    _winlogbeat6,
)
