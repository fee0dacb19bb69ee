"""The audit log: append-only, each entry holding the hash of the one before it.

`verify` finds entries that were edited, dropped, added or reordered. The head (number and hash of the newest entry)
is kept beside the log and finds a tail that was cut off or rewritten; whoever may write the whole store could rewrite
both, so `head()` is there to be printed, mailed or kept elsewhere, and handed back to `verify`.
"""

import hashlib
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import orjson

from hinomi.clock import Clock
from hinomi.errors import AuditBroken, Conflict
from hinomi.store import Record, Records

KIND = "audit"
_HEAD = ("audit_head", "head")
_GENESIS = "0" * 64
_PAGE = 20_000
_SLACK = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong with which entry, in words."""

    entry: str
    ja: str
    en: str


_HEAD_DAMAGED = Problem(
    "head",
    "監査記録の末尾の控え(head)が書き換えられています。末尾が切り取られていないか、外に控えた head と比べてください。",
    "the note of the newest audit entry (head) was edited; compare the end of the log with a head kept elsewhere",
)


@dataclass(frozen=True, slots=True)
class Head:
    """The newest entry: its number and hash, as noted at some time."""

    number: int
    hash: str


@dataclass(slots=True)
class Audit:
    """Appends entries and checks them."""

    records: Records
    clock: Clock

    def append(
        self, *, actor: str, action: str, target: str, details: Mapping[str, Any] | None = None
    ) -> str:
        """Write an entry durably, before the act that it speaks of. Returns its number. Raises StoreError, AuditBroken."""
        while True:
            last = self.records.last(KIND)
            number, previous = _after(last)
            entry = {
                "at": self.clock.now().isoformat(),
                "actor": actor,
                "action": action,
                "target": target,
                "details": dict(details or {}),
                "previous": previous,
                "number": number,
            }
            head = Head(number, _hash(entry))
            body = {**entry, "hash": head.hash}
            try:
                self.records.put(KIND, f"{number:012d}", body, expect=0)
            except Conflict:
                continue  # another process wrote this number; chain behind it
            self._note(head)
            return f"{number:012d}"

    def says(
        self, entry: str, *, actor: str, actions: Collection[str], target: str, details: Mapping[str, Any]
    ) -> bool:
        """Whether the entry of that number says that the actor did one of the actions to the target, with these details."""
        held = self.records.get(KIND, entry)
        said: Mapping[str, Any] = held.body if held else {}
        own: Mapping[str, Any] = said.get("details") or {}
        return (
            said.get("actor") == actor
            and said.get("action") in actions
            and said.get("target") == target
            and all(name in own and own[name] == value for name, value in details.items())
        )

    def between(self, start: datetime, end: datetime) -> Iterator[Record]:
        """Entries of a period, in order; those long before it are not read. A clock that was set back by more than a day
        hides what it wrote then."""
        for record in self._all(self._before(start - _SLACK)):
            at = datetime.fromisoformat(str(record.body["at"]))
            if at >= end + _SLACK:
                return
            if start <= at < end:
                yield record

    def _before(self, moment: datetime) -> str:
        """The id of an entry behind which all are that were written since the moment."""
        last = self.records.last(KIND)
        low, high = 0, (_number(last) or 0) if last else 0
        while low < high:
            middle = (low + high) // 2
            held = self.records.get(KIND, f"{middle + 1:012d}")
            if held is not None and datetime.fromisoformat(str(held.body["at"])) < moment:
                low = middle + 1
            else:
                high = middle
        return f"{low:012d}"

    def head(self) -> Head | None:
        """The head as noted when the newest entry was written; None for an empty log."""
        held = self.records.get(*_HEAD)
        return _noted(held) if held else None

    def verify(self, *, noted: Head | None = None) -> list[Problem]:
        """Every problem found, in order; empty when the log is whole. noted: a head kept outside the store."""
        problems = [_HEAD_DAMAGED] if self._head_is_damaged() else []
        heads = {head.number: head for head in (self.head(), noted) if head is not None}
        seen: dict[int, str] = {}
        previous, expected = _GENESIS, 1
        for record in self._all():
            number = _number(record)
            if number is None:
                problems.append(_stranger(record))
                continue
            problems += _check(record, number, expected, previous)
            previous, expected = str(record.body.get("hash", "")), number + 1
            if number in heads:
                seen[number] = previous
        return problems + [one for head in heads.values() for one in _against(head, seen, expected - 1)]

    def _note(self, head: Head) -> None:
        """Move the head forward; of two processes the later entry wins, whichever writes last."""
        while True:
            held = self.records.get(*_HEAD)
            known = _noted(held) if held else None
            if known is not None and known.number >= head.number:
                return
            body = {"number": head.number, "hash": head.hash}
            try:
                self.records.put(*_HEAD, body, expect=held.version if held else 0)
            except Conflict:
                continue
            return

    def _head_is_damaged(self) -> bool:
        held = self.records.get(*_HEAD)
        return held is not None and _noted(held) is None

    def _all(self, after: str = "") -> Iterator[Record]:
        while found := self.records.find(KIND, limit=_PAGE, after=after):
            yield from found
            after = found[-1].id


def _after(last: Record | None) -> tuple[int, str]:
    """(number, previous hash) of the entry that follows. Raises AuditBroken where the newest one is not ours to follow."""
    if last is None:
        return 1, _GENESIS
    number, digest = _number(last), last.body.get("hash")
    if number is None or not isinstance(digest, str):
        raise AuditBroken(
            f"監査記録 {last.id} は火の見が書いたものではないため、続きを書けません。hinomi audit verify で確かめてください。",
            f"audit entry {last.id} was not written by Hinomi, so none can follow; look with hinomi audit verify",
        )
    return number + 1, digest


def _noted(held: Record) -> Head | None:
    """The head as it is written; None where it is damaged."""
    number, digest = held.body.get("number"), held.body.get("hash")
    return Head(number, digest) if isinstance(number, int) and isinstance(digest, str) else None


def _number(record: Record) -> int | None:
    return int(record.id) if record.id.isascii() and record.id.isdigit() else None


def _stranger(record: Record) -> Problem:
    return Problem(
        record.id, f"監査記録 {record.id} は番号ではありません。", f"audit entry {record.id} has no number"
    )


def _check(record: Record, number: int, expected: int, previous: str) -> Iterator[Problem]:
    body = dict(record.body)
    digest = body.pop("hash", "")
    for missing in range(expected, min(number, expected + 100)):
        gap = f"{missing:012d}"
        yield Problem(gap, f"監査記録 {gap} が失われています。", f"audit entry {gap} is missing")
    if _hash(body) != digest or body.get("number") != number:
        yield Problem(
            record.id, f"監査記録 {record.id} が書き換えられています。", f"audit entry {record.id} was edited"
        )
    elif body.get("previous") != previous and number == expected:
        yield Problem(
            record.id,
            f"監査記録 {record.id} の前の記録が入れ替わっています。",
            f"audit entry {record.id} follows another entry",
        )


def _against(head: Head, seen: Mapping[int, str], last: int) -> Iterator[Problem]:
    """What a noted head shows: a tail cut off, or an entry that is no longer the one that was noted."""
    if head.number > last:
        missing, lost = f"{last + 1:012d}", head.number - last
        yield Problem(
            missing,
            f"監査記録 {missing} 以降({lost} 件)が失われています。",
            f"audit entries from {missing} on ({lost}) are missing",
        )
    elif head.number in seen and seen[head.number] != head.hash:
        entry = f"{head.number:012d}"
        yield Problem(
            entry,
            f"監査記録 {entry} は、控えてある記録と違います(この番号までのどこかが書き換えられています)。",
            f"audit entry {entry} is not the one that was noted: it or one before it was rewritten",
        )


def _hash(entry: Mapping[str, Any]) -> str:
    return hashlib.sha256(orjson.dumps(entry, option=orjson.OPT_SORT_KEYS)).hexdigest()
