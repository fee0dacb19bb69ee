"""The lines of an origin's senders, each to the source that reads it.

Most senders speak one format: their lines go to one source, and nothing else is done. A relay or a server speaks many. What its
source refuses is put together by the program that each line names in its header, and every such part is recognised by itself.
"""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import polars as pl

from collectors import catalogue, syslog
from collectors.pins import Pinned
from collectors.settings import AUTO
from ops.formats import SAMPLE, Formats

_LINES = 4_000
"""Lines of a block that are looked at for their format, at most."""
_ENOUGH = 0.5
_SPEAKERS = 10_000
PROGRAM, REFUSED_BY, REASON, WHY = "_program", "_refused_by", "reason", "_why"
_SPEAKER = ("peer", PROGRAM)
Read = Callable[[str, pl.DataFrame], pl.DataFrame]
"""(a source's name, rows) → the rows that it refuses, with `_why`; what it understands is kept by whoever gave this."""
Order = tuple[str, ...]
"""Names of sources that lines are tried with, one after the other."""


@dataclass(slots=True)
class Sorting:
    """Finds the sources of an origin's lines and has them read: those of senders that speak the same together, as a source costs
    more by how often it is asked than by lines. first: of a sender's program the source that took most of its lines the last
    time, which is asked first."""

    formats: Formats
    first: dict[tuple[str, str, str], str] = field(default_factory=dict)

    def sort(self, origin: str, rows: pl.DataFrame, read: Read) -> pl.DataFrame:
        """The rows that nobody understands, with `reason` and `_refused_by`, the source that was asked first, both null where
        none was. rows: `message`, `peer` and whatever else `read` needs."""
        named = self.formats.named(origin)
        asked = [name for name in named if name != AUTO]
        left = _through(asked, _unread(rows), read)
        if AUTO not in named or not left.height:
            return left
        pinned = self._pinned(origin, left)
        plain: dict[Order, list[str]] = {}
        for peer, known in pinned.items():
            if not known.further:
                plain.setdefault(tuple(name for name in known.of("") if name not in asked), []).append(peer)
        mixed = [peer for peer, known in pinned.items() if known.further]
        parts = [
            _with_program(_through(order, _of(left, peers, len(pinned)), read))
            for order, peers in plain.items()
        ]
        if mixed:
            several = _with_program(_of(left, mixed, len(pinned)))
            parts.append(self._by_program(origin, several, pinned, asked, read))
        left = pl.concat(parts)
        return self._unknown(origin, left, pinned, asked, read) if left.height else left

    def _pinned(self, origin: str, rows: pl.DataFrame) -> dict[str, Pinned]:
        """What is known of each sender; a new one's lines are recognised."""
        found: dict[str, Pinned] = {}
        for peer in rows["peer"].unique(maintain_order=True).to_list():
            known = self.formats.pinned(origin, peer)
            if known == Pinned() and not self.formats.looked_at(origin, peer):
                own = rows["message"].filter(rows["peer"] == peer).head(SAMPLE)
                known = self.formats.recognise(origin, peer, own.to_list())
            found[peer] = known
        return found

    def _by_program(
        self,
        origin: str,
        rows: pl.DataFrame,
        pinned: Mapping[str, Pinned],
        asked: Sequence[str],
        read: Read,
    ) -> pl.DataFrame:
        """In rounds: each program's lines go to the source that is its next, those that have the same next one together. asked:
        sources that refused all of it before."""
        every = _speakers(rows)
        orders = {
            (peer, program): [
                name for name in self._order(origin, peer, program, pinned[peer]) if name not in asked
            ]
            for peer, program in every
        }
        chosen = {speaker for speaker, order in orders.items() if len(order) > 1}
        left, waiting = [rows.clear()], rows
        while waiting.height:
            turns: dict[str, list[tuple[str, str]]] = {}
            for speaker in waiting.select(_SPEAKER).unique(maintain_order=True).rows():
                turns.setdefault(orders[speaker].pop(0) if orders[speaker] else "", []).append(speaker)
            refused = [rows.clear()]
            for name, speakers in turns.items():
                part = _spoken_by(waiting, speakers, len(turns))
                if not name:
                    left.append(part)
                    continue
                refused.append(_through([name], part, read))
                if not chosen.isdisjoint(speakers):
                    self._took_most(origin, name, every, _speakers(part) - _speakers(refused[-1]))
            waiting = pl.concat(refused)
        return pl.concat(left)

    def _took_most(
        self,
        origin: str,
        name: str,
        every: Mapping[tuple[str, str], int],
        took: Mapping[tuple[str, str], int],
    ) -> None:
        """Remember the source for those of whose lines of this block it took more than half."""
        if len(self.first) > _SPEAKERS:  # names of programs are the sender's to choose
            self.first.clear()
        for (peer, program), n in took.items():
            if n > every[peer, program] / 2:
                self.first[origin, peer, program] = name

    def _order(self, origin: str, peer: str, program: str, pinned: Pinned) -> Order:
        last = self.first.get((origin, peer, program), "")
        return tuple(sorted(pinned.of(program), key=lambda name: name != last))

    def _unknown(
        self,
        origin: str,
        rows: pl.DataFrame,
        pinned: Mapping[str, Pinned],
        asked: Sequence[str],
        read: Read,
    ) -> pl.DataFrame:
        """Recognise what no source of these senders takes, program by program. A source that has refused a line is not asked for
        it again: some go by what they read before (columns under a header), and would take it the second time."""
        left = []
        seen = _looks(rows)
        orders: dict[tuple[Order, Order], list[tuple[str, str]]] = {}
        for (peer, program), looked in seen.items():
            known = {*asked, *pinned[peer].of(program)}
            own = tuple(name for name in specific(looked) if name not in known)
            in_general = generic(looked) if program or not pinned[peer].whole else []
            common = tuple(name for name in in_general if name not in known)
            orders.setdefault((own, common), []).append((peer, program))
        for (own, common), speakers in orders.items():  # read together: over UDP anybody names programs
            rest = _spoken_by(rows, speakers, len(orders))
            for name in own:
                before, rest = rest, _through([name], rest, read)
                for peer, program in _speakers(before) - _speakers(rest):
                    self.formats.pin(origin, peer, program, name)
            left.append(_through(common, rest, read))
        return pl.concat(left)


def _looks(rows: pl.DataFrame) -> dict[tuple[str, str], list[set[str]]]:
    """Of each sender's program the names of the sources that each of its first lines looks like."""
    most = max(1, min(SAMPLE, _LINES // rows.select(_SPEAKER).n_unique()))
    lines = rows.group_by(_SPEAKER, maintain_order=True).head(most)
    looks = catalogue.looks_like(lines["message"].fill_null("").to_list())
    seen: dict[tuple[str, str], list[set[str]]] = {}
    for (peer, program), names in zip(lines.select(_SPEAKER).iter_rows(), looks, strict=True):
        seen.setdefault((peer, program), []).append(names)
    return seen


def _speakers(rows: pl.DataFrame) -> Counter[tuple[str, str]]:
    return Counter(rows.select(_SPEAKER).rows())


def _spoken_by(rows: pl.DataFrame, speakers: Sequence[tuple[str, str]], groups: int) -> pl.DataFrame:
    """The rows of these senders' programs; groups: of how many such parts the rows consist."""
    if groups == 1:
        return rows
    own = pl.DataFrame(speakers, schema=dict.fromkeys(_SPEAKER, pl.String), orient="row")
    return rows.join(own, on=_SPEAKER, how="semi", maintain_order="left")


def _of(rows: pl.DataFrame, peers: Sequence[str], senders: int) -> pl.DataFrame:
    """The rows of these senders, of so many."""
    return rows if len(peers) == senders else rows.filter(pl.col("peer").is_in(peers))


def specific(looked: Sequence[set[str]]) -> list[str]:
    """The specific sources of lines that look like these, most lines first. A line that looks like two of them is the one's of
    which there are more; where there are as many of both it is nobody's."""
    own = [{name for name in names if not catalogue.is_generic(name)} for names in looked]
    counts = Counter(name for names in own for name in names)
    found: Counter[str] = Counter()
    for names in own:
        most = max((counts[name] for name in names), default=0)
        best = [name for name in names if counts[name] == most]
        found.update(best if len(best) == 1 else [])
    return [name for name, _ in found.most_common()]


def generic(looked: Sequence[set[str]]) -> list[str]:
    """The generic sources of lines of which at least half look like theirs, the likeliest first. None where as many look like two
    products: which it is a person must say."""
    counts = Counter(name for names in looked for name in names)
    enough = [name for name, n in counts.most_common() if n >= len(looked) * _ENOUGH]
    if any(not catalogue.is_generic(name) for name in enough) and not specific(looked):
        return []
    return sorted(
        (name for name in enough if catalogue.is_generic(name)), key=lambda name: (-counts[name], name)
    )


def _unread(rows: pl.DataFrame) -> pl.DataFrame:
    return rows.with_columns(pl.lit(None, pl.String).alias(REFUSED_BY), pl.lit(None, pl.String).alias(REASON))


def _with_program(rows: pl.DataFrame) -> pl.DataFrame:
    return rows.with_columns(syslog.program(pl.col("message")).fill_null("").alias(PROGRAM))


def _through(names: Sequence[str], rows: pl.DataFrame, read: Read) -> pl.DataFrame:
    """The rows that none of these sources takes; why is what the first one says."""
    for name in names:
        if not rows.height:
            break
        rows = (
            read(name, rows)
            .with_columns(pl.col(REFUSED_BY).fill_null(name), pl.coalesce(REASON, WHY).alias(REASON))
            .drop(WHY)
        )
    return rows
