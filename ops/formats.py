"""Which formats a sender speaks: declared, or recognised from its lines and then pinned (`collectors.pins`)."""

from dataclasses import dataclass, field
from typing import Any

from collectors import catalogue
from collectors.pins import KIND, Pinned, identity, read, removed
from collectors.settings import AUTO, sources_named
from hinomi.clock import Clock
from hinomi.errors import Conflict
from hinomi.store import Records

SAMPLE = 200
_MOST = 64
"""Sources of a sender's programs that are pinned: names of programs are the sender's to choose, over UDP anybody's."""
_SENDERS = 10_000
_FEW = 4
"""Senders that are looked at without what takes a second to be made (`catalogue.recognise`)."""
_LOOK_EVERY = 2.0


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
            known = read(self.records.get(KIND, identity(origin, peer)))
            self._remember(origin, peer, known)
        return known

    def looked_at(self, origin: str, peer: str) -> bool:
        """Whether a sender's first lines were looked at (`recognise`); later ones are, program by program (`Sorting`)."""
        return (origin, peer) in self._strange

    def recognise(self, origin: str, peer: str, lines: list[str]) -> Pinned:
        """Pin the source that most of a new sender's first lines look like, if one is specific."""
        found = catalogue.recognise(lines[:SAMPLE], again=len(self._strange) >= _FEW)
        self._strange.add((origin, peer))
        if found is None or catalogue.is_generic(found):
            return Pinned()
        return self._pin(origin, peer, whole=found)

    def pin(self, origin: str, peer: str, program: str, source: str) -> None:
        """Lines of this program, or without one (""), are of this source, too."""
        self._pin(origin, peer, further=(program, source))

    def _pin(self, origin: str, peer: str, whole: str = "", further: tuple[str, str] | None = None) -> Pinned:
        """Add to what the record holds now: a person may have removed it meanwhile."""
        held = self.records.get(KIND, identity(origin, peer))
        body: dict[str, Any] = {"pin": True, "origin": origin, "peer": peer, "source": ""}
        body |= held.body if held else {}
        now = self.clock.now().isoformat()
        if whole:
            body |= {"source": whole, "since": now}
        others = list(body.get("further", []))
        if further and further not in read(held).further and len(others) < _MOST:
            program, source = further
            body["further"] = [*others, {"program": program, "source": source, "since": now}]
        try:
            held = self.records.put(KIND, identity(origin, peer), body, expect=held.version if held else 0)
        except Conflict:  # changed this moment; the next block sees what it is now
            held = self.records.get(KIND, identity(origin, peer))
        known = read(held)
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
        version = removed(self.records)
        if version != self._removed:
            self._removed = version
            self._known.clear()
