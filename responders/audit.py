"""The audit log: append-only, each entry holding the hash of the one before it.

`verify` finds entries that were edited, dropped or reordered; a head kept beside the log (`audit_head`) finds a
tail that was cut off.
"""

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import orjson

from hinomi.clock import Clock
from hinomi.errors import Conflict
from hinomi.store import Record, Records

KIND = "audit"
_HEAD = ("audit_head", "head")
_GENESIS = "0" * 64


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong with which entry, in words."""

    entry: str
    ja: str
    en: str


@dataclass(slots=True)
class Audit:
    """Appends entries and checks them."""

    records: Records
    clock: Clock

    def append(
        self, *, actor: str, action: str, target: str, details: Mapping[str, Any] | None = None
    ) -> str:
        """Write an entry durably, before the act that it speaks of. Returns its number."""
        while True:
            last = self.records.last(KIND)
            number = int(last.id) + 1 if last else 1
            entry = {
                "at": self.clock.now().isoformat(),
                "actor": actor,
                "action": action,
                "target": target,
                "details": dict(details or {}),
                "previous": last.body["hash"] if last else _GENESIS,
                "number": number,
            }
            body = {**entry, "hash": _hash(entry)}
            try:
                self.records.put(KIND, f"{number:012d}", body, expect=0)
            except Conflict:
                continue  # another process wrote this number; chain behind it
            self.records.put(*_HEAD, {"number": number, "hash": body["hash"]})
            return f"{number:012d}"

    def verify(self) -> list[Problem]:
        """Every problem found, in order; empty when the log is whole."""
        problems: list[Problem] = []
        previous, expected = _GENESIS, 1
        for record in self._all():
            problems += _check(record, expected, previous)
            previous, expected = str(record.body.get("hash", "")), int(record.id) + 1
        return problems + self._check_head(expected - 1, previous)

    def _check_head(self, number: int, digest: str) -> list[Problem]:
        head = self.records.get(*_HEAD)
        if head is None or int(head.body["number"]) <= number:
            return []
        missing = f"{number + 1:012d}"
        return [
            Problem(
                missing,
                f"監査記録 {missing} 以降({int(head.body['number']) - number} 件)が失われています。",
                f"audit entries from {missing} on ({int(head.body['number']) - number}) are missing",
            )
        ]

    def _all(self) -> Iterator[Record]:
        offset = 0
        while found := self.records.find(KIND, limit=1000, offset=offset):
            yield from found
            offset += len(found)


def _check(record: Record, expected: int, previous: str) -> Iterator[Problem]:
    body = dict(record.body)
    digest = body.pop("hash", "")
    if int(record.id) != expected:
        gap = f"{expected:012d}"
        yield Problem(gap, f"監査記録 {gap} が失われています。", f"audit entry {gap} is missing")
    if _hash(body) != digest or body.get("number") != int(record.id):
        yield Problem(
            record.id, f"監査記録 {record.id} が書き換えられています。", f"audit entry {record.id} was edited"
        )
    elif body.get("previous") != previous and int(record.id) == expected:
        yield Problem(
            record.id,
            f"監査記録 {record.id} の前の記録が入れ替わっています。",
            f"audit entry {record.id} follows another entry",
        )


def _hash(entry: Mapping[str, Any]) -> str:
    return hashlib.sha256(orjson.dumps(entry, option=orjson.OPT_SORT_KEYS)).hexdigest()
