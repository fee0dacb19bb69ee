"""The lines of one sender, each to the source that reads it.

Most senders speak one format: their lines go to one source, and nothing else is done. A relay or a server speaks many. What its
source refuses is put together by the program that each line names in its header, and every such part is recognised by itself.
"""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import polars as pl

from collectors import catalogue, syslog
from collectors.pins import Pinned
from collectors.settings import AUTO
from ops.formats import SAMPLE, Formats

_LINES = 4_000
"""Lines of a block that are looked at for their format, at most."""
_ENOUGH = 0.5
PROGRAM, REFUSED_BY, REASON, WHY = "_program", "_refused_by", "reason", "_why"
Read = Callable[[str, pl.DataFrame], pl.DataFrame]
"""(a source's name, rows) → the rows that it refuses, with `_why`; what it understands is kept by whoever gave this."""


@dataclass(slots=True)
class Sorting:
    """Finds the sources of one sender's lines and has them read. first: of a sender's program the source that took most of its
    lines the last time, which is asked first."""

    formats: Formats
    first: dict[tuple[str, str, str], str] = field(default_factory=dict)

    def sort(self, origin: str, peer: str, rows: pl.DataFrame, read: Read) -> pl.DataFrame:
        """The rows that nobody understands, with `reason` and `_refused_by`, the source that was asked first, both null where
        none was. rows: `message` and whatever else `read` needs."""
        named = self.formats.named(origin)
        asked = [name for name in named if name != AUTO]
        left = _through(asked, _unread(rows), read)
        if AUTO not in named or not left.height:
            return left
        pinned = self.formats.pinned(origin, peer)
        if pinned == Pinned():
            pinned = self.formats.recognise(origin, peer, left["message"].head(SAMPLE).to_list())
        if pinned.further:
            left = self._by_program(origin, peer, _with_program(left), pinned, asked, read)
        else:
            left = _with_program(_through([one for one in pinned.of("") if one not in asked], left, read))
        return self._unknown(origin, peer, left, pinned, asked, read) if left.height else left

    def _by_program(
        self, origin: str, peer: str, rows: pl.DataFrame, pinned: Pinned, asked: Sequence[str], read: Read
    ) -> pl.DataFrame:
        """Programs that are tried in the same order are read together. asked: sources that refused all of it before."""
        orders: dict[tuple[str, ...], list[str]] = {}
        for program in rows[PROGRAM].unique(maintain_order=True).to_list():
            fresh = tuple(name for name in self._order(origin, peer, program, pinned) if name not in asked)
            orders.setdefault(fresh, []).append(program)
        left = []
        for order, programs in orders.items():
            part = rows if len(orders) == 1 else rows.filter(pl.col(PROGRAM).is_in(programs))
            rest = part
            for name in order:
                before, rest = rest.height, _through([name], rest, read)
                if before - rest.height > part.height / 2:
                    self.first |= {(origin, peer, program): name for program in programs}
                if not rest.height:
                    break
            left.append(rest)
        return pl.concat(left)

    def _order(self, origin: str, peer: str, program: str, pinned: Pinned) -> tuple[str, ...]:
        last = self.first.get((origin, peer, program), "")
        return tuple(sorted(pinned.of(program), key=lambda name: name != last))

    def _unknown(
        self, origin: str, peer: str, rows: pl.DataFrame, pinned: Pinned, asked: Sequence[str], read: Read
    ) -> pl.DataFrame:
        """Recognise what no source of this sender takes, program by program. A source that has refused a line is not asked for
        it again: some go by what they read before (columns under a header), and would take it the second time."""
        left = []
        most = max(1, min(SAMPLE, _LINES // rows[PROGRAM].n_unique()))
        lines = rows.group_by(PROGRAM, maintain_order=True).head(most)
        looks = catalogue.looks_like(lines["message"].fill_null("").to_list())
        seen: dict[str, list[set[str]]] = {}
        for program, names in zip(lines[PROGRAM].to_list(), looks, strict=True):
            seen.setdefault(program, []).append(names)
        orders: dict[tuple[tuple[str, ...], tuple[str, ...]], list[str]] = {}
        for program, looked in seen.items():
            known = {*asked, *pinned.of(program)}
            own = tuple(name for name in specific(looked) if name not in known)
            in_general = generic(looked) if program or not pinned.whole else []
            common = tuple(name for name in in_general if name not in known)
            orders.setdefault((own, common), []).append(program)
        for (own, common), programs in orders.items():  # read together: over UDP anybody names programs
            rest = rows if len(orders) == 1 else rows.filter(pl.col(PROGRAM).is_in(programs))
            for name in own:
                before, rest = rest, _through([name], rest, read)
                for program in Counter(before[PROGRAM].to_list()) - Counter(rest[PROGRAM].to_list()):
                    self.formats.pin(origin, peer, program, name)
            left.append(_through(common, rest, read))
        return pl.concat(left)


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
