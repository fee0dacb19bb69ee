"""The tests' own reading of raw lines: when a line says it was written, and its key=value pairs."""

import csv
import datetime
import json
import re
from collections.abc import Callable
from typing import Any

JST = datetime.timezone(datetime.timedelta(hours=9))
_PAIR = re.compile(r'(\w+)=("([^"]*)"|\S+)')


def pairs(line: bytes) -> dict[str, str]:
    """FortiGate's key=value pairs."""
    found = _PAIR.finditer(line.decode())
    return {match[1]: match[3] if match[3] is not None else match[2] for match in found}


def _fortigate(line: bytes) -> datetime.datetime:
    return datetime.datetime.fromtimestamp(int(pairs(line)["eventtime"]) / 1e9, JST)


def _asa(line: bytes) -> datetime.datetime:
    text = f"2026 {line.decode().split('>', 1)[1][:15]}"
    return datetime.datetime.strptime(text, "%Y %b %d %H:%M:%S").replace(tzinfo=JST)


def _syslog(line: bytes) -> datetime.datetime:
    return datetime.datetime.fromisoformat(line.decode().split(" ", 2)[1])


def _squid(line: bytes) -> datetime.datetime:
    return datetime.datetime.fromtimestamp(float(line.split(b" ", 1)[0]), JST)


def _json(key: str) -> Callable[[bytes], datetime.datetime]:
    def read(line: bytes) -> datetime.datetime:
        text = re.sub(r"(\.\d{6})\d+", r"\1", json.loads(line)[key])
        moment = datetime.datetime.fromisoformat(text)
        return moment if moment.tzinfo else moment.replace(tzinfo=datetime.UTC)

    return read


def _csv(line: bytes) -> datetime.datetime:
    text = line.split(b",", 1)[0].decode()
    return datetime.datetime.strptime(text, "%Y/%m/%d %H:%M:%S").replace(tzinfo=JST)


WHEN: dict[str, Callable[[bytes], datetime.datetime]] = {
    "fortinet.fortigate": _fortigate,
    "cisco.asa": _asa,
    "windows.eventlog": _json("@timestamp"),
    "linux.auth": _syslog,
    "squid.access": _squid,
    "isc.bind": _syslog,
    "microsoft.m365_audit": _json("CreationTime"),
    "microsoft.entra": _json("time"),
    "city.portal_application": _csv,
    "city.resident_view": _csv,
    "city.rpa_operation": _csv,
    "city.minutes_transcription": _json("time"),
}


def table(lines: list[bytes], encoding: str = "utf-8") -> list[dict[str, str]]:
    """CSV rows by column name."""
    return list(csv.DictReader([line.decode(encoding) for line in lines]))


def documents(lines: list[bytes]) -> list[Any]:
    """JSON lines."""
    return [json.loads(line) for line in lines]
