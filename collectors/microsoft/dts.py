"""NPS's DTS-compliant log: one `<Event>` a line, each value in an element with its type.

Facts: Microsoft, "Interpret NPS DTS-compliant log files". Names are those of the CSV columns but for some
spellings; what a RADIUS attribute holds is the same in both.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import polars as pl

from collectors import syslog
from collectors.shapes import pairs

STARTS = r"^\s*<Event>\s*<Timestamp data_type="
_VALUE = r'<[A-Za-z][A-Za-z0-9\-]* data_type="\d+">[^<]*<'
_SPELT = {
    "Computer-Name": "ComputerName",
    "Event-Source": "ServiceName",
    "Fully-Qualifed-User-Name": "Fully-Qualified-User-Name",
    "Calling-Station-Id": "Calling-Station-ID",
    "Called-Station-Id": "Called-Station-ID",
    "Acct-Session-ID": "Acct-Session-Id",
}
_ENTITIES = {"&lt;": "<", "&gt;": ">", "&quot;": '"', "&apos;": "'", "&amp;": "&"}


@dataclass(frozen=True, slots=True)
class DtsEvents:
    """A text column for each element."""

    def read(self, intake: pl.DataFrame) -> Sequence[pl.DataFrame]:
        """One frame of the lines that hold an event."""
        frame = syslog.behind(intake).filter(pl.col("message").str.contains(STARTS)).with_row_index("at")
        if not frame.height:
            return []
        found = frame.select("at", pl.col("message").str.extract_all(_VALUE).alias("one"))
        parts = found.explode("one", empty_as_null=False, keep_nulls=False)
        named = parts.select(
            "at",
            pl.col("one").str.extract(r"^<([A-Za-z0-9\-]+)").replace(_SPELT).alias("key"),
            pl.col("one").str.extract(r">([^<]*)<$").str.replace_many(_ENTITIES).alias("value"),
        )
        return [pairs.columns(frame.drop("at"), named)]
