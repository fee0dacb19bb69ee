"""Tables whose columns changed places: lines below a header that is not the declared one are not read by the declared places.

A line arrives alone, so whoever reads lines batch by batch keeps here which senders (files) stand below another header: as records
beside the pins, as a process may end in the middle of a file. Other than which declared one is kept, too: once the declaration
is mended, or somebody unpins the sender, its lines are read again.
"""

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import polars as pl
import structlog

from collectors import pins
from collectors.pins import Sender
from collectors.source import ROW, Parsed, Source
from hinomi.clock import Clock
from hinomi.errors import StoreError
from hinomi.identity import digest
from hinomi.store import Records

log = structlog.get_logger()

HEADER_LINE, OTHER_HEADER = "header_line", "other_header"
"""Why a declared mapping rejects the line of column names that it expects, and one with other names or another order."""
BELOW = "after_other_header"
_SENDERS = 10_000
_LOOK_EVERY = 2.0


@dataclass(slots=True)
class TableHeaders:
    """Senders of which the last header was another than the declared one. records: where that is kept (None: in memory only)."""

    records: Records | None = None
    clock: Clock | None = None
    _other: dict[Sender, str] | None = None  # → the digest of the columns that were declared then
    _over: set[Sender] = field(default_factory=set)
    _forgotten: int = 0
    _removed: int = 0
    _looked: float = 0.0

    def stored(self) -> None:
        """What was read is stored: whoever reads on from there needs no record of the senders whose declared header came again, or
        that are too many."""
        if not self._over:
            return
        if self._forgotten:  # a line for all: over UDP anybody is as many senders as they like
            log.warning("table_headers_forgotten", senders=self._forgotten, most=_SENDERS)
            self._forgotten = 0
        over, self._over = self._over, set()
        try:
            for sender in over if self.records is not None else ():
                pins.header_is_declared(self.records, sender)  # type: ignore[arg-type]  # not None here
        except StoreError as error:
            self._over |= over
            log.error("table_headers_not_kept", reason=str(error))

    def _known(self) -> dict[Sender, str]:
        if self.records is None:
            self._other = self._other or {}
            return self._other
        try:
            if self._other is None or self._were_removed(self.records):
                found = pins.below_other_headers(self.records)
                self._other = {
                    sender: columns for sender, columns in found.items() if sender not in self._over
                }
        except StoreError as error:
            self._removed, self._looked = -1, 0.0  # next time
            log.error("table_headers_not_read", reason=str(error))
        return {} if self._other is None else self._other

    def _were_removed(self, records: Records) -> bool:
        """Whether somebody removed pins, and these records with them; looked at every few seconds, where any is known."""
        now = self.clock.now().timestamp() if self.clock is not None else 0.0
        if not self._other or (self._looked and abs(now - self._looked) < _LOOK_EVERY):
            return False
        before, self._looked, self._removed = self._removed, now, pins.removed(records)
        return before != self._removed

    def checked(self, parsed: Parsed, intake: pl.DataFrame, source: Source, origin: str) -> Parsed:
        """What was parsed, with the lines below another header among the rejected ones, up to the declared header.

        intake: `row` from 0 on, `message`, `peer`."""
        marks = _marks(parsed.rejected, intake)
        known = self._known()
        if not marks and not known:
            return parsed
        peers, columns = intake["peer"].to_list(), digest(*source.columns)
        of_peer: dict[str, list[tuple[int, bool]]] = {}
        for row, other in marks:
            of_peer.setdefault(peers[row], []).append((row, other))
        rows_of: dict[str, list[int]] = {}
        for row, peer in enumerate(peers):
            rows_of.setdefault(peer, []).append(row)
        then = {peer: known.get((source.name, origin, peer)) for peer in rows_of}
        told = {peer for peer, declared in then.items() if declared is not None}
        lost = np.zeros(len(peers), dtype=np.bool_)
        for peer in told | of_peer.keys():
            own = of_peer.get(peer, [])
            states = np.array([then[peer] == columns, *(other for _, other in own)])
            rows = np.array(rows_of[peer])
            lost[rows] = states[np.searchsorted(np.array([row for row, _ in own], dtype=np.int64), rows)]
            self._remember((source.name, origin, peer), columns if states[-1] else None)
        return _without(parsed, lost)

    def _remember(self, sender: Sender, columns: str | None) -> None:
        """At once where it is below another header than that of the declared columns: were its lines read again after a crash, they
        would be read into wrong fields; where the declared one came again (None), when that is stored (`stored`)."""
        known = self._known()
        if columns is None:
            if known.pop(sender, None) is not None:
                self._over.add(sender)
            return
        while len(known) >= _SENDERS and sender not in known:
            oldest = next(iter(known))
            del known[oldest]
            self._forgotten += 1
            self._over.add(oldest)
        self._over.discard(sender)
        if known.get(sender) != columns and self.records is not None and self.clock is not None:
            try:
                pins.header_is_another(self.records, self.clock, sender, columns)
            except StoreError as error:
                log.error("table_headers_not_kept", reason=str(error))
        known[sender] = columns


def _without(parsed: Parsed, lost: np.ndarray[Any, np.dtype[np.bool_]]) -> Parsed:
    """What was parsed, those of its events that are lost among the rejected rows."""
    if not lost.any():
        return parsed
    kept, gone = [], [parsed.rejected]
    for frame in parsed.frames:
        away = pl.Series(lost[frame[ROW].to_numpy().astype(np.int64)])
        kept.append(frame.filter(~away))
        gone.append(frame.filter(away).select(ROW, pl.lit(BELOW).alias("reason")))
    return Parsed(
        [frame for frame in kept if frame.height], pl.concat(gone, how="vertical_relaxed").sort(ROW)
    )


def _marks(rejected: pl.DataFrame, intake: pl.DataFrame) -> list[tuple[int, bool]]:
    """(row, whether it is another header than the declared one) of the headers, in their order."""
    reason = pl.col("reason")
    found = rejected.filter((reason == HEADER_LINE) | reason.str.starts_with(OTHER_HEADER)).sort(ROW)
    if not found.height:
        return []
    lines = intake.select(ROW, "message").join(found, on=ROW, maintain_order="right")
    marks = lines.select(ROW, "reason", "message").iter_rows()
    return [
        (row, why != HEADER_LINE) for row, why, line in marks if why == HEADER_LINE or _is_header(why, line)
    ]


def _is_header(reason: str, line: str) -> bool:
    """Whether at least half of the declared names are values of the line: a remark that names two of them is none."""
    names = reason.partition("expected ")[2].split(",")
    values = {value.strip(' "\t\ufeff') for value in line.replace("\t", ",").replace(";", ",").split(",")}
    return sum(name in values for name in names) * 2 >= len(names)
