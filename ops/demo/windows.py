"""Windows event logs as Winlogbeat 8 ships them: Security, System, Sysmon and PowerShell documents.

Event fields: Microsoft, Audit events reference (4624, 4625, 4634, 4672, 4688, 4720, 4728, 1102), Service
Control Manager 7036/7045, Sysmon schema 4.90, PowerShell 4104. Document shape: Winlogbeat 8 exported fields.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

import orjson

from ops.demo.city import DOMAIN
from ops.demo.clockwork import Day, Stamp, Timed

SECURITY, SYSTEM = "Security", "System"
SYSMON, POWERSHELL = "Microsoft-Windows-Sysmon/Operational", "Microsoft-Windows-PowerShell/Operational"


class Kind(NamedTuple):
    """What Windows says of an event id: provider, task, level, version and the first line of its message."""

    provider: str
    guid: str
    task: str
    level: str
    version: int
    message: str


_AUDIT = ("Microsoft-Windows-Security-Auditing", "{54849625-5478-4994-A5BA-3E3B0328C30D}")
_SCM = ("Service Control Manager", "{555908D1-A6D7-4695-8E1E-26931D2012F4}")
_SYSMON = ("Microsoft-Windows-Sysmon", "{5770385F-C22A-43E0-BF4C-06F5698FFBD9}")
_PWSH = ("Microsoft-Windows-PowerShell", "{A0C1853B-5C40-4B15-8766-3CF1C58F985A}")
_LOG = ("Microsoft-Windows-Eventlog", "{FC65DDD8-D6EF-4962-83D5-6E5CFE9CE148}")
KINDS: dict[tuple[str, int], Kind] = {
    (SECURITY, 4624): Kind(*_AUDIT, "Logon", "information", 2, "アカウントが正常にログオンしました。"),
    (SECURITY, 4625): Kind(*_AUDIT, "Logon", "information", 0, "アカウントがログオンに失敗しました。"),
    (SECURITY, 4634): Kind(*_AUDIT, "Logoff", "information", 0, "アカウントがログオフしました。"),
    (SECURITY, 4672): Kind(
        *_AUDIT, "Special Logon", "information", 0, "新しいログオンに特権が割り当てられました。"
    ),
    (SECURITY, 4688): Kind(*_AUDIT, "Process Creation", "information", 2, "新しいプロセスが作成されました。"),
    (SECURITY, 4720): Kind(
        *_AUDIT, "User Account Management", "information", 0, "ユーザー アカウントが作成されました。"
    ),
    (SECURITY, 4728): Kind(
        *_AUDIT,
        "Security Group Management",
        "information",
        0,
        "セキュリティが有効なグローバル グループにメンバーが追加されました。",
    ),
    (SECURITY, 1102): Kind(*_LOG, "Log clear", "information", 1, "監査ログが消去されました。"),
    (SYSTEM, 7036): Kind(*_SCM, "None", "information", 0, "サービスの状態が変わりました。"),
    (SYSTEM, 7045): Kind(*_SCM, "None", "information", 0, "サービスがシステムにインストールされました。"),
    (SYSMON, 1): Kind(*_SYSMON, "Process Create (rule: ProcessCreate)", "information", 5, "Process Create:"),
    (POWERSHELL, 4104): Kind(
        *_PWSH, "Execute a Remote Command", "verbose", 1, "Creating Scriptblock text (1 of 1):"
    ),
}


@dataclass(frozen=True, slots=True)
class Record:
    """One event before its record number is known. at: milliseconds since 1970; data: EventData by name."""

    at: int
    host: str
    channel: str
    event_id: int
    data: Mapping[str, str]


def render(day: Day, records: Iterable[Record]) -> Iterator[Timed]:
    """Winlogbeat documents in time order, each log of each machine numbered as it grows."""
    stamp = Stamp(day)
    numbers: dict[tuple[str, str], int] = {}
    for record in sorted(records, key=lambda one: (one.at, one.host, one.event_id)):
        log = (record.host, record.channel)
        number = numbers[log] = numbers.get(log, 1_204_000) + 1
        yield Timed(record.at, orjson.dumps(_document(record, stamp.zulu(record.at) + "Z", number)))


def _document(record: Record, time: str, number: int) -> dict[str, Any]:
    kind = KINDS[record.channel, record.event_id]
    code = str(record.event_id)
    failed = record.event_id == 4625
    winlog: dict[str, Any] = {
        "api": "wineventlog",
        "channel": record.channel,
        "computer_name": f"{record.host}.{DOMAIN}",
        "event_id": code,
        "opcode": "Info",
        "process": {"pid": 740, "thread": {"id": 800 + number % 97}},
        "provider_guid": kind.guid,
        "provider_name": kind.provider,
        "record_id": number,
        "task": kind.task,
        "version": kind.version,
    }
    if record.channel == SECURITY and record.event_id != 1102:
        winlog["keywords"] = ["Audit Failure" if failed else "Audit Success"]
    winlog["user_data" if record.event_id == 1102 else "event_data"] = record.data
    return {
        "@timestamp": time,
        "message": _message(kind, record.data),
        "event": _event(kind, code, failed, record.channel),
        "log": {"level": kind.level},
        "host": {"name": f"{record.host}.{DOMAIN}"},
        "agent": {
            "id": f"3c0f2a14-6b1d-4f7e-8d0c-{sum(record.host.encode()) * 7919:012x}",
            "name": record.host,
            "type": "winlogbeat",
            "version": "8.15.3",
        },
        "ecs": {"version": "8.0.0"},
        "winlog": winlog,
    }


def _event(kind: Kind, code: str, failed: bool, channel: str) -> dict[str, str]:
    event = {"code": code, "kind": "event", "provider": kind.provider, "action": kind.task}
    if channel == SECURITY:
        event["outcome"] = "failure" if failed else "success"
    return event


def _message(kind: Kind, data: Mapping[str, str]) -> str:
    """The rendered text, shortened to what tells events apart."""
    listed = (f"\t{name}:\t{value}" for name, value in data.items() if value not in ("-", ""))
    return "\n\n".join((kind.message, "\n".join(listed)))
