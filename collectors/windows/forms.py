"""The forms in which Windows events arrive, each brought to the same `winlog.*` columns.

EVTX   `{"Event": {"System": …, "EventData": …}}`, as the `evtx` package and evtx_dump write it
XML    `<Event xmlns=…>`, as `wevtutil` and Windows Event Forwarding write it; read into the EVTX form
Beats  Winlogbeat 7/8 and Elastic Agent: `winlog.*` beside ECS fields
flat   NXLog `im_msvistalog` and the like: `EventID`, `Channel`, `Hostname` beside the event's data
"""

from collections.abc import Callable, Mapping
from typing import Any

import polars as pl

from hinomi import ecs

DATA = "winlog.event_data."

_SYSTEM = {
    "Event.System.Provider.#attributes.Name": "winlog.provider_name",
    "Event.System.Provider.#attributes.Guid": "winlog.provider_guid",
    "Event.System.EventID": "winlog.event_id",
    "Event.System.EventID.#text": "winlog.event_id",
    "Event.System.Version": "winlog.version",
    "Event.System.Level": "winlog.level",
    "Event.System.Task": "winlog.task",
    "Event.System.Opcode": "winlog.opcode",
    "Event.System.Keywords": "winlog.keywords",
    "Event.System.TimeCreated.#attributes.SystemTime": "@timestamp",
    "Event.System.EventRecordID": "winlog.record_id",
    "Event.System.Correlation.#attributes.ActivityID": "winlog.activity_id",
    "Event.System.Execution.#attributes.ProcessID": "winlog.process.pid",
    "Event.System.Execution.#attributes.ThreadID": "winlog.process.thread.id",
    "Event.System.Channel": "winlog.channel",
    "Event.System.Computer": "winlog.computer_name",
    "Event.System.Security.#attributes.UserID": "winlog.user.identifier",
    "Event.RenderingInfo.Message": "winlog.message",
}
FLAT = {
    "EventID": "winlog.event_id",
    "Channel": "winlog.channel",
    "SourceName": "winlog.provider_name",
    "Provider_Name": "winlog.provider_name",
    "ProviderName": "winlog.provider_name",
    "ProviderGuid": "winlog.provider_guid",
    "Hostname": "winlog.computer_name",
    "HOSTNAME": "winlog.computer_name",
    "Computer": "winlog.computer_name",
    "RecordNumber": "winlog.record_id",
    "EventRecordID": "winlog.record_id",
    "Version": "winlog.version",
    "Level": "winlog.level",
    "SeverityValue": "winlog.severity",
    "Severity": "log.level",
    "Task": "winlog.task",
    "Category": "winlog.task_name",
    "Opcode": "winlog.opcode",
    "OpcodeValue": "winlog.opcode_value",
    "Keywords": "winlog.keywords",
    "EventType": "winlog.event_type",
    "ActivityID": "winlog.activity_id",
    "RelatedActivityID": "winlog.related_activity_id",
    "ProcessID": "winlog.process.pid",
    "ExecutionProcessID": "winlog.process.pid",
    "ThreadID": "winlog.process.thread.id",
    "ExecutionThreadID": "winlog.process.thread.id",
    "UserID": "winlog.user.identifier",
    "Message": "winlog.message",
    "EventTime": "flat.event_time",
    "TimeCreated": "flat.time_created",
    "TimeGenerated": "flat.time_created",
    "@timestamp": "flat.timestamp",
}
_DATA_NAMES = {
    "UtcTime",
    "ProcessGuid",
    "SubjectUserName",
    "TargetUserName",
    "ScriptBlockText",
    "CommandLine",
}
FLAT_NOTHING = {
    "EventReceivedTime",
    "SourceModuleName",
    "SourceModuleType",
    "AccountType",
    "@version",
    "tags",
    "type",
    "port",
}
"""NXLog's and Logstash's own book-keeping, which is no part of the event."""


def evtx(frame: pl.DataFrame) -> pl.DataFrame | None:
    """EVTX form; None where the document is not one."""
    if not any(name.startswith("Event.System.") for name in frame.columns):
        return None
    return _select(frame, _evtx_name)


def _evtx_name(name: str) -> str | None:
    if name in _SYSTEM:
        return _SYSTEM[name]
    if name.startswith("Event.EventData."):
        return _data_name(name.removeprefix("Event.EventData."))
    if name.startswith("Event.UserData."):
        inner = name.removeprefix("Event.UserData.").partition(".")[2]
        return _data_name(inner) if inner else None
    return None


def _data_name(name: str) -> str | None:
    if name.startswith("#attributes") or name.endswith(".#attributes"):
        return None
    return DATA + name.removesuffix(".#text").replace(".#attributes.", ".")


def beats(frame: pl.DataFrame) -> pl.DataFrame | None:
    """Winlogbeat and Elastic Agent: `winlog.*` and the ECS fields that it filled."""
    if "winlog.event_id" not in frame.columns and "winlog.channel" not in frame.columns:
        return None
    return _select(frame, _beats_name)


def _beats_name(name: str) -> str | None:
    if name == "message":
        return "winlog.message"
    if name.startswith("winlog.user_data."):
        return DATA + name.removeprefix("winlog.user_data.")
    if name.startswith(("winlog.", "powershell.", "sysmon.")):
        return name
    if name in {"event.original", "event.ingested", "event.created", "event.module", "event.dataset"}:
        return None
    return name if ecs.column_type(name) is not None and not name.startswith(("agent.", "ecs.")) else None


def flat(frame: pl.DataFrame) -> pl.DataFrame | None:
    """NXLog and other flat forms: what is no system field is event data."""
    named = {"Channel", "SourceName", "Provider_Name", "Hostname", "HOSTNAME", "Computer"}
    columns = frozenset(frame.columns)
    if "EventID" not in columns or not (named & columns or _DATA_NAMES & columns):
        return None
    return _select(frame, _flat_name)


def _flat_name(name: str) -> str | None:
    if name in FLAT_NOTHING:
        return None
    return FLAT.get(name, DATA + name)


def _select(frame: pl.DataFrame, rename: Callable[[str], str | None]) -> pl.DataFrame:
    """Rename columns; two that get one name are coalesced; lists become lines of text where ECS has none."""
    schema = frame.schema  # made anew whenever it is asked for
    named = [(name, new) for name in schema if name != "row" and (new := rename(name)) is not None]
    texts = {new for name, new in named if not isinstance(schema[name], pl.List)}
    columns: dict[str, pl.Expr] = {"row": pl.col("row")}
    for name, new in named:
        column, known = pl.col(name), columns.get(new)
        if isinstance(schema[name], pl.List) and (new in texts or not _may_be_list(new)):
            column = column.list.join("\n", ignore_nulls=True)
        columns[new] = column if known is None else pl.coalesce(known, column)
    return frame.select(expr.alias(name) for name, expr in columns.items())


def _may_be_list(name: str) -> bool:
    return name == DATA + "Data" or isinstance(ecs.column_type(name), pl.List)


FORMS: Mapping[str, Callable[[pl.DataFrame], pl.DataFrame | None]] = {
    "evtx": evtx,
    "beats": beats,
    "flat": flat,
}


def form_of(document: Mapping[str, Any]) -> str:
    """Which form a document looks like; whether it is one, the form's own function says."""
    if "Event" in document:
        return "evtx"
    return "beats" if "winlog" in document or "winlog.event_id" in document else "flat"
