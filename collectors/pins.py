"""Pins: what was recognised of each sender (a peer of an origin), kept as records.

A record has one source for all of the sender's lines, and further ones for the programs that say their name in a syslog header. What
many products write (`generic.*`) is never pinned: it says nothing of the sender.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

from collectors import catalogue
from hinomi.clock import Clock
from hinomi.store import Record, Records

KIND = "source"
REMOVED = "pins_removed"
"""The record that changes whenever somebody removes pins, by which workers know that theirs are old."""
_PAGE = 1_000
_LONG = timedelta(days=7)
Sender = tuple[str, str, str]
"""Source, origin and peer."""


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


def identity(origin: str, peer: str) -> str:
    """The id of a sender's record."""
    return f"pin|{origin}|{peer}"


def read(record: Record | None) -> Pinned:
    """What a sender's record says."""
    if record is None:
        return Pinned()
    found = _pins(record.body)
    whole = next((pin.source for pin in found if pin.program is None), "")
    return Pinned(whole, tuple((pin.program, pin.source) for pin in found if pin.program is not None))


def pins(records: Records, origin: str = "", peer: str = "") -> list[Pin]:
    """Every pin, by origin, peer and program. origin, peer: only of these."""
    found = [
        pin for record in _records(records, origin, peer) for pin in _pins(record.body)
    ]  # a header's have none
    return sorted(found, key=lambda pin: (pin.origin, pin.peer, pin.program or "", pin.source))


def unpin(records: Records, clock: Clock, origin: str, peer: str = "") -> int:
    """Forget what was recognised of an origin's senders, or of one peer, and that their lines stand below another header; of how
    many. Their next lines are recognised anew."""
    found = list(_records(records, origin, peer))
    gone = {str(record.body["peer"]) for record in found if records.delete(KIND, record.id)}
    if gone:
        records.put(KIND, REMOVED, {"origin": origin, "pin": True, "removed": clock.now().isoformat()})
    return len(gone)


def removed(records: Records) -> int:
    """A number that changes whenever somebody removes pins."""
    record = records.get(KIND, REMOVED)
    return record.version if record else 0


def header_is_another(records: Records, clock: Clock, sender: Sender, columns: str) -> None:
    """A sender's lines stand below a header that is not the declared one of their source, whose columns' digest is given
    (`collectors.table_headers`)."""
    source, origin, peer = sender
    body = {"pin": True, "header": True, "origin": origin, "peer": peer, "source": "", "below": source}
    since = clock.now().isoformat()
    records.put(KIND, _header(*sender), {**body, "columns": columns, "since": since})


def header_is_declared(records: Records, sender: Sender) -> None:
    """They do no longer."""
    records.delete(KIND, _header(*sender))


def below_other_headers(records: Records) -> dict[Sender, str]:
    """All whose lines do, the longest known first → the digest of the columns that were declared then."""
    found = sorted(_found(records, {"header": True}), key=lambda record: str(record.body["since"]))
    return {
        (str(one["below"]), str(one["origin"]), str(one["peer"])): str(one.get("columns", ""))
        for one in (record.body for record in found)
    }


def forget_dropped(records: Records, clock: Clock, origins: Iterable[str]) -> int:
    """Forget what was recognised of files that were dropped long ago: each is a sender, and most never come again; of how many."""
    before = (clock.now() - _LONG).isoformat()
    old = [
        record
        for origin in origins
        for record in _found(records, {"pin": True, "origin": origin})
        if record.id != REMOVED and max(_times(record.body)) < before
    ]
    return sum(records.delete(KIND, record.id) for record in old)


def _times(body: Mapping[str, Any]) -> list[str]:
    return [str(one.get("since", "")) for one in (body, *body.get("further", []))]


def _header(source: str, origin: str, peer: str) -> str:
    return f"header|{source}|{origin}|{peer}"


def _records(records: Records, origin: str, peer: str) -> Iterator[Record]:
    where: dict[str, Any] = {"pin": True}
    where |= {name: value for name, value in (("origin", origin), ("peer", peer)) if value}
    return (record for record in _found(records, where) if record.id != REMOVED)


def _found(records: Records, where: Mapping[str, Any]) -> Iterator[Record]:
    after = ""
    while found := records.find(KIND, where, limit=_PAGE, after=after):
        yield from found
        after = found[-1].id


def _pins(body: Mapping[str, Any]) -> list[Pin]:
    """Those of before this was so may be generic: they say nothing."""
    first = Pin(str(body["origin"]), str(body["peer"]), None, str(body["source"]), str(body.get("since", "")))
    further = [
        replace(first, program=str(one["program"]), source=str(one["source"]), since=str(one["since"]))
        for one in body.get("further", [])
    ]
    return [pin for pin in (first, *further) if pin.source and not catalogue.is_generic(pin.source)]
