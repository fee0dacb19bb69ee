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
_SENDERS, _BYTES = 1_000, 64 * 1024 * 1024
"""Of all senders together: over UDP anybody makes up as many as they like."""
_KEY = "_event"
_Sender = tuple[str, str, str]


@dataclass(slots=True)
class Carry:
    """What was last read of each sender: at most `KEPT` lines each, of `_SENDERS` and of `_BYTES` together; the longest silent are
    forgotten."""

    _kept: dict[_Sender, pl.DataFrame] = field(default_factory=dict)
    _bytes: int = 0

    def parse(self, source: Source, intake: pl.DataFrame, origin: str = "", peer: str = "") -> Parsed:
        """`source.parse` of the intake, which has `row`; the same rows come back."""
        if not source.event_of or not intake.height:
            return source.parse(intake)
        sender = (source.name, origin, peer)
        keyed = intake.with_columns(pl.col("message").str.extract(source.event_of).alias(_KEY))
        before = self._kept.get(sender, keyed.clear())
        begun = before.join(keyed.select(_KEY), on=_KEY, how="semi").drop(_KEY)
        parsed = _after(begun, source, intake) if begun.height else source.parse(intake)
        # Only now: a line that a parser fails at is not to fail the next batch as well.
        self._keep(sender, pl.concat([before, keyed], how="diagonal_relaxed"))
        return parsed

    def _keep(self, sender: _Sender, rows: pl.DataFrame) -> None:
        ours = pl.col(_KEY).is_not_null() & (pl.col("message").str.len_chars() <= _LONGEST)
        kept = rows.filter(ours).tail(KEPT)
        if not kept.height:
            return
        self._forget(sender)
        self._kept[sender] = copied = pl.DataFrame(kept.to_dict(as_series=False), schema=kept.schema)
        self._bytes += int(
            copied.estimated_size()
        )  # copied: a part of a frame holds the whole of it in memory
        while len(self._kept) > _SENDERS or self._bytes > _BYTES:
            self._forget(next(iter(self._kept)))

    def _forget(self, sender: _Sender) -> None:
        kept = self._kept.pop(sender, None)
        self._bytes -= 0 if kept is None else int(kept.estimated_size())


def _after(begun: pl.DataFrame, source: Source, intake: pl.DataFrame) -> Parsed:
    """What was parsed of the intake behind what had begun before, whose rows stand before its own and do not come back."""
    first, row = begun.height, pl.col(ROW)
    again = begun.drop(ROW).with_row_index(ROW).select(intake.columns)
    parsed = source.parse(pl.concat([again, intake.with_columns(row + first)], how="vertical_relaxed"))
    frames = [*parsed.frames, parsed.rejected]
    own = [frame.filter(row >= first).with_columns((row - first).cast(frame.schema[ROW])) for frame in frames]
    return Parsed([frame for frame in own[:-1] if frame.height], own[-1])
