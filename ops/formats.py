"""Which formats a sender speaks: declared, or recognised from its lines and then pinned.

A pin is what was recognised of a sender (a peer of an origin): one source for all its lines, and further ones for the programs
that say their name in a syslog header. What many products write (`generic.*`) is never pinned: it says nothing of the sender.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Any

from collectors import catalogue
from collectors.settings import AUTO, sources_named
from hinomi.clock import Clock
from hinomi.errors import Conflict
from hinomi.store import Record, Records

KIND = "source"
REMOVED = "pins_removed"
"""The record that changes whenever somebody removes pins, by which workers know that theirs are old."""
SAMPLE = 200
_MOST = 64
"""Sources of a sender's programs that are pinned: names of programs are the sender's to choose, over UDP anybody's."""
_SENDERS = 10_000
_LOOK_EVERY = 2.0


@dataclass(frozen=True, slots=True)
class Pin:
    """A source that a sender's lines were recognised as. program: None of all its lines, "" of those that name none; since:
    when, as ISO 8601 has it."""

    origin: str
    peer: str
    program: str | None
    source: str
    since: str


@dataclass(frozen=True, slots=True)
class Pinned:
    """What is known of a sender. whole: the source of its first lines ("" none); further: (program, source), those of lines
    that name a program ("" of lines that name none)."""

    whole: str = ""
    further: tuple[tuple[str, str], ...] = ()

    def of(self, program: str) -> tuple[str, ...]:
        """The sources that lines of a program may be of, its own first."""
        own = [source for name, source in self.further if name == program]
        return tuple(dict.fromkeys([*own, *([self.whole] if self.whole else [])]))


@dataclass(slots=True)
class Formats:
    """Knows the sources of each (origin, peer); a choice made from content is kept in the records.

    declared: origin → names of sources, or `auto`, as the configuration has them.
    """

    records: Records
    clock: Clock
    declared: dict[str, str] = field(default_factory=dict)
    _known: dict[tuple[str, str], Pinned] = field(default_factory=dict)
    _strange: set[tuple[str, str]] = field(default_factory=set)
    _removed: int = 0
    _looked: float = 0.0

    def named(self, origin: str) -> list[str]:
        """The sources that an origin's lines are tried with, in their order; `auto` is one of them."""
        return sources_named(self.declared.get(origin, AUTO))

    def likely(self, origin: str, peer: str) -> str:
        """The source that a sender's lines will most likely be of; "" while nothing is known."""
        first = self.named(origin)[0]
        return first if first != AUTO else self.pinned(origin, peer).whole

    def pinned(self, origin: str, peer: str) -> Pinned:
        """What was recognised of a sender before."""
        self._forget_removed()
        known = self._known.get((origin, peer))
        if known is None:
            known = _read(self.records.get(KIND, _identity(origin, peer)))
            self._remember(origin, peer, known)
        return known

    def recognise(self, origin: str, peer: str, lines: list[str]) -> Pinned:
        """Pin the source that most of a new sender's lines look like, if one is specific."""
        strange = (origin, peer) in self._strange
        found = catalogue.recognise(lines[:SAMPLE], again=strange)
        self._strange.add((origin, peer))
        if found is None or catalogue.is_generic(found):
            return Pinned()
        return self._pin(origin, peer, whole=found)

    def pin(self, origin: str, peer: str, program: str, source: str) -> None:
        """Lines of this program, or without one (""), are of this source, too."""
        self._pin(origin, peer, further=(program, source))

    def _pin(self, origin: str, peer: str, whole: str = "", further: tuple[str, str] | None = None) -> Pinned:
        """Add to what the record holds now: a person may have removed it meanwhile."""
        held = self.records.get(KIND, _identity(origin, peer))
        body: dict[str, Any] = {"pin": True, "origin": origin, "peer": peer, "source": ""}
        body |= held.body if held else {}
        now = self.clock.now().isoformat()
        if whole:
            body |= {"source": whole, "since": now}
        others = list(body.get("further", []))
        if further and further not in _read(held).further and len(others) < _MOST:
            program, source = further
            body["further"] = [*others, {"program": program, "source": source, "since": now}]
        try:
            held = self.records.put(KIND, _identity(origin, peer), body, expect=held.version if held else 0)
        except Conflict:  # changed this moment; the next block sees what it is now
            held = self.records.get(KIND, _identity(origin, peer))
        known = _read(held)
        self._remember(origin, peer, known)
        return known

    def _remember(self, origin: str, peer: str, known: Pinned) -> None:
        if len(self._known) >= _SENDERS:
            self._known.clear()
            self._strange.clear()
        self._known[origin, peer] = known

    def _forget_removed(self) -> None:
        now = self.clock.now().timestamp()
        if self._looked and abs(now - self._looked) < _LOOK_EVERY:
            return
        self._looked = now
        record = self.records.get(KIND, REMOVED)
        version = record.version if record else 0
        if version != self._removed:
            self._removed = version
            self._known.clear()


def pins(records: Records, origin: str = "", peer: str = "") -> list[Pin]:
    """Every pin, by origin, peer and program. origin, peer: only of these."""
    found = [pin for record in _records(records, origin, peer) for pin in _pins(record.body)]
    return sorted(found, key=lambda pin: (pin.origin, pin.peer, pin.program or "", pin.source))


def unpin(records: Records, clock: Clock, origin: str, peer: str = "") -> int:
    """Forget what was recognised of an origin's senders, or of one peer; of how many. Their next lines are recognised anew."""
    gone = [record for record in _records(records, origin, peer) if records.delete(KIND, record.id)]
    if gone:
        records.put(KIND, REMOVED, {"origin": origin, "pin": True, "removed": clock.now().isoformat()})
    return len(gone)


def _records(records: Records, origin: str, peer: str) -> Iterable[Record]:
    where: dict[str, Any] = {"pin": True}
    where |= {name: value for name, value in (("origin", origin), ("peer", peer)) if value}
    found = records.find(KIND, where, limit=100_000)
    return [record for record in found if record.id != REMOVED]


def _pins(body: Any) -> list[Pin]:
    first = Pin(str(body["origin"]), str(body["peer"]), None, str(body["source"]), str(body.get("since", "")))
    further = [
        replace(first, program=str(one["program"]), source=str(one["source"]), since=str(one["since"]))
        for one in body.get("further", [])
    ]
    return [*([first] if _specific(first.source) else []), *further]


def _specific(source: str) -> bool:
    """Whether a pin says anything: those of before this was so may be generic."""
    return bool(source) and not catalogue.is_generic(source)


def _read(record: Record | None) -> Pinned:
    """What a record says."""
    if record is None:
        return Pinned()
    source = str(record.body["source"])
    further = tuple((str(one["program"]), str(one["source"])) for one in record.body.get("further", []))
    return Pinned(source if _specific(source) else "", further)


def _identity(origin: str, peer: str) -> str:
    return f"pin|{origin}|{peer}"
