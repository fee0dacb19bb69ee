r"""Windows events as text, brought to the EVTX form: what is in no XML and no JSON.

Snare    `HOST MSWinEventLog<TAB>criticality<TAB>log<TAB>counter<TAB>time<TAB>event id<TAB>source<TAB>user<TAB>SID type<TAB>audit
         type<TAB>computer<TAB>category<TAB>strings<TAB>message<TAB>counter`, also behind a syslog header and with `#011` for a tab
Splunk   `11/20/2026 02:49:32 PM`, `LogName=Security`, `EventCode=4624` … `Message=`, a line each

NXLog    RFC 5424 whose structured data `[NXLOG@14506 EventID="4624" TargetUserName="…"]` has the fields (`to_syslog_ietf`)

Facts: RFC 5424, 6.3.3 (escapes); NXLog, "Syslog extension" (its number, and the fields that the header has); Snare, "Windows Event
Output Format"; Tibco LogLogic, "Event Output Format" (Snare over syslog); Splunk, "What does a multiline Windows event look like?".
Snare and Splunk write local time without a zone, and their event's data is read out of the message.
"""

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from collectors import times
from collectors.windows import rendered

_MARK = "MSWinEventLog"
_NXLOG = re.compile(r"^(?:<\d{1,3}>)?1 (\S+) (\S+) (\S+) (\S+) \S+ \[NXLOG@\d+")
_IN_HEADER = ("EventTime", "Hostname", "SourceName", "ProcessID")
_PAIR = re.compile(r' ([\w.\-]{1,100})="((?:[^"\\]|\\.)*)"', re.DOTALL)
_ESCAPED = re.compile(r'\\(["\\\]])')
_FIRST = 400
"""Characters in which an event of either kind begins."""
_SNARE = ("", "", "log", "", "time", "id", "source", "user", "", "audit", "computer", "category")
_SPLUNK = re.compile(
    r"(?:^|(?<=\s))(LogName|SourceName|EventCode|EventType|Type|ComputerName|User|Sid|SidType|TaskCategory|CategoryString|"
    r"OpCode|RecordNumber|Keywords|Message)="
)
_CLOCK = re.compile(r"\b(\d{1,2}/\d{1,2}/\d{4} \d{1,2}:\d\d:\d\d)(?:\.\d+)? ([AP]M)\b")
_CLOCKS = ("%a %b %d %H:%M:%S %Y", "%m/%d/%Y %I:%M:%S %p")
_AUDITING = "Microsoft-Windows-Security-Auditing"
_SPOKEN = {"Microsoft Windows security auditing.": _AUDITING}
"""What Splunk calls providers that have another name in the event."""
_AUDIT = {"Success Audit": "Audit Success", "Failure Audit": "Audit Failure"}


def document(line: str) -> dict[str, Any] | None:
    """`{"Event": …}` of an event as text, of NXLog's the flat document that it also writes as JSON; None where it is none."""
    begins = line[:_FIRST]
    if _MARK in begins:
        return _snare(line[begins.index(_MARK) :])
    if "LogName=" in begins and "EventCode=" in begins:
        return _splunk(line)
    if (header := _NXLOG.match(begins)) is not None:
        return _nxlog(header, line)
    return None


def _nxlog(header: re.Match[str], line: str) -> dict[str, Any] | None:
    said = {name: value for name, value in zip(_IN_HEADER, header.groups(), strict=True) if value != "-"}
    end = header.end()
    while pair := _PAIR.match(line, end):
        said[pair[1]] = _ESCAPED.sub(r"\1", pair[2])
        end = pair.end()
    if not said.get("EventID", "").isdecimal():
        return None
    message = line[end:].partition("] ")[2].removeprefix("\ufeff")
    return {**said, "Message": _unescaped(message)}


def _snare(text: str) -> dict[str, Any] | None:
    parts = (text if "\t" in text[: len(_MARK) + 1] else text.replace("#011", "\t")).split("\t")
    said = {name: value.strip() for name, value in zip(_SNARE, parts, strict=False) if name}
    if not said.get("id", "").isdecimal():
        return None
    told = [part for part in parts[len(_SNARE) :] if part.strip() and not part.strip().isdecimal()]
    return _event(
        said,
        keywords=_AUDIT.get(said.get("audit", ""), said.get("audit")),
        message=_unescaped(" ".join(told)),
    )


def _splunk(text: str) -> dict[str, Any] | None:
    text = _unescaped(text)
    found = list(_SPLUNK.finditer(text))
    said: dict[str, str] = {}
    for place, label in enumerate(found):
        last = label[1] == "Message"
        end = found[place + 1].start() if place + 1 < len(found) and not last else len(text)
        said.setdefault(label[1], text[label.end() : end].strip())
        if last:
            break
    if not said.get("EventCode", "").isdecimal():
        return None
    clock = _CLOCK.search(text, 0, found[0].start())
    named = {
        "log": said.get("LogName", ""),
        "time": f"{clock[1]} {clock[2]}" if clock else "",
        "id": said["EventCode"],
        "source": said.get("SourceName", ""),
        "computer": said.get("ComputerName", ""),
        "record": said.get("RecordNumber", ""),
    }
    return _event(named, keywords=said.get("Keywords"), message=said.get("Message", ""))


def _unescaped(text: str) -> str:
    """With the line ends that a syslog server wrote as `#015` and `#012`."""
    return text.replace("#015", "").replace("#012", "\n")


def _event(said: Mapping[str, str], *, keywords: str | None, message: str) -> dict[str, Any]:
    provider = _SPOKEN.get(said.get("source", ""), said.get("source", ""))
    system = {
        "EventID": said["id"],
        "Channel": said.get("log") or None,
        "Computer": said.get("computer") or None,
        "EventRecordID": said.get("record") or None,
        "Keywords": keywords or None,
        "Provider": {"#attributes": {"Name": provider or None}},
        "TimeCreated": {"#attributes": {"SystemTime": _time(said.get("time", ""))}},
    }
    data = rendered.data(message, provider)
    return {"Event": {"System": system, "EventData": data, "RenderingInfo": {"Message": message or None}}}


def _time(text: str) -> str | None:
    """Local time as ISO 8601, in UTC; None where it is none."""
    for form in _CLOCKS:
        try:
            local = datetime.strptime(text, form).replace(tzinfo=ZoneInfo(times.zone()))
            return local.astimezone(UTC).isoformat()
        except (ValueError, OverflowError):
            continue
    return None
