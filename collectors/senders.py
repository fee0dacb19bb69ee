"""Lines of several senders read by one source at once, as long as none of them can take anything from the others.

A source costs some twenty milliseconds each time it is asked, and microseconds a line: a hundred switches that each send a line are
read as one. What is kept of a frame is bounded (keys become columns up to some hundreds), and who invents keys is to crowd out their
own: a frame that comes near such a bound is read again, each sender alone.
"""

from collections.abc import Callable

import polars as pl

from collectors.source import ROW, Parsed

WIDE = 240
"""Columns: beyond them some shape may have come to the most that it keeps (the least of these: 250)."""


def together(parse: Callable[[pl.DataFrame], Parsed], lines: pl.DataFrame, *, apart: bool = False) -> Parsed:
    """What `parse` makes of the lines, which have `peer` and `row`. apart: what lines say of each other goes by sender."""
    if lines["peer"].n_unique() < 2:
        return parse(lines)
    if not apart:
        whole = parse(lines)
        if all(frame.width < WIDE for frame in whole.frames):
            return whole
    each = [parse(own) for own in lines.partition_by("peer", maintain_order=True)]
    frames = [frame for parsed in each for frame in parsed.frames]
    return Parsed(frames, pl.concat([parsed.rejected for parsed in each], how="vertical_relaxed").sort(ROW))
