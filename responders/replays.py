"""Asking that the dead letters of a source be read once more, after it was mended; the respond process's jobs do it.

A record an asking: who wanted it and why, and what came of it.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from hinomi.clock import Clock
from hinomi.errors import InputError
from hinomi.identity import digest
from hinomi.store import Record, Records
from responders.audit import Audit
from responders.counter import Counter

KIND = "replay"
_LONGEST, _MOST = 100, 1000


@dataclass(frozen=True, slots=True)
class Replays:
    """Checks who asks, writes the audit log, records. Asked again while the first one waits, it is the same asking."""

    records: Records
    clock: Clock
    audit: Audit

    def ask(self, source: str, reason: str, *, actor: str, roles: Sequence[str]) -> Record:
        """Read the dead letters of the source again, and those that no source was found for."""
        counter = Counter(self.records, self.clock, self.audit)
        counter.worker(actor, roles, "replay", source)
        source, reason = source.strip(), counter.reason(reason)
        if not source or len(source) > _LONGEST or not source.isprintable():
            raise InputError("ソース名を入力してください。", "enter the name of a source")
        if waiting := self.records.find(KIND, {"state": "asked", "source": source}, limit=1):
            return waiting[0]
        at = self.clock.now().isoformat()
        self.audit.append(actor=actor, action="replay", target=source, details={"reason": reason})
        body = {"source": source, "reason": reason, "by": actor, "at": at, "state": "asked"}
        return self.records.put(KIND, digest(KIND, source, at, actor), body)

    def waiting(self) -> list[Record]:
        """What was asked for and not done yet, oldest first."""
        return self.records.find(KIND, {"state": "asked"}, order="at", limit=_MOST)

    def latest(self, most: int = 5) -> list[Record]:
        """The newest, with what came of them."""
        return self.records.find(KIND, order="-at", limit=most)
