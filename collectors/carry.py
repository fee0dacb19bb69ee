"""Records of one event that came in two batches: the later batch is read with what the earlier one began.

An audit event is several lines, each of which tells what the others do not. Whoever reads lines batch by batch keeps the last
of each sender here; those of an event that goes on are read once more with its other records, and left out of what comes back.
Only forward: records that were handed on before are not changed by what came later.
"""

from dataclasses import dataclass, field

import polars as pl

from collectors.source import ROW, Parsed, Source

KEPT = 64
"""Lines of a sender that are kept: an event of the Linux audit has seldom ten."""
_LONGEST = 16_384
"""Characters of a line that is kept; the kernel writes none longer than 8,970."""
_SENDERS = 1_000
_KEY = "_event"


@dataclass(slots=True)
class Carry:
    """What was last read of each sender; at most `KEPT` lines of a thousand of them, the longest silent are forgotten."""

    _kept: dict[tuple[str, str, str], pl.DataFrame] = field(default_factory=dict)

    def parse(self, source: Source, intake: pl.DataFrame, origin: str = "", peer: str = "") -> Parsed:
        """`source.parse` of the intake, which has `row`; the same rows come back."""
        if not source.event_of or not intake.height:
            return source.parse(intake)
        sender = (source.name, origin, peer)
        keyed = intake.with_columns(pl.col("message").str.extract(source.event_of).alias(_KEY))
        before = self._kept.pop(sender, keyed.clear())
        begun = before.join(keyed.select(_KEY), on=_KEY, how="semi").drop(_KEY)
        first = int(intake[ROW].max()) + 1  # type: ignore[arg-type]
        again = begun.drop(ROW).with_row_index(ROW, offset=first).select(intake.columns)
        parsed = source.parse(pl.concat([intake, again], how="vertical_relaxed") if again.height else intake)
        # Only now: a line that a parser fails at is not to fail the next batch as well.
        self._keep(sender, pl.concat([before, keyed], how="diagonal_relaxed"))
        return _without(parsed, first) if again.height else parsed

    def _keep(self, sender: tuple[str, str, str], rows: pl.DataFrame) -> None:
        ours = pl.col(_KEY).is_not_null() & (pl.col("message").str.len_chars() <= _LONGEST)
        kept = rows.tail(KEPT).filter(ours)
        if not kept.height:
            return
        self._kept[sender] = kept
        if len(self._kept) > _SENDERS:
            del self._kept[next(iter(self._kept))]


def _without(parsed: Parsed, first: int) -> Parsed:
    """What was parsed but for the rows that were only read once more."""
    frames = [frame.filter(pl.col(ROW) < first) for frame in parsed.frames]
    return Parsed([frame for frame in frames if frame.height], parsed.rejected.filter(pl.col(ROW) < first))
