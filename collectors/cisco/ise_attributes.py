"""ISE's messages: the fields before the text, and the attributes behind it."""

from collections.abc import Sequence
from dataclasses import dataclass

import polars as pl

from collectors import syslog
from collectors.shapes import pairs

_HEAD = (
    r"(?s)^(?:[A-Z][a-z]{2} +\d+ [\d:]{8} \S+ )?(?:(?P<category>CISE_\w+) )?(?P<number>\d{10}) (?P<segments>\d+) (?P<segment>\d+) +"
    r"(?:(?P<clock>\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(?:\.\d{1,9})? [+-]\d\d:?\d\d) (?P<sequence>\d+) (?P<code>\d{4,5}) (?P<level>[A-Z]+) +"
    r"(?P<class>[^:]+): (?P<said>[^,]*),? ?)?(?P<attributes>.*)$"
)
_WORDS = r"^(?:(?P<category>CISE_Alarm) )?(?P<level>INFO|WARN|ERROR|FATAL|DEBUG|NOTICE): +(?:(?P<class>[A-Za-z]\w*):: )?(?P<said>[A-Z].*)$"
_NEXT = "\x1e"


@dataclass(frozen=True, slots=True)
class IseMessages:
    """A line is ours when it has ISE's numbers before its text, or is a word of its own log."""

    def read(self, intake: pl.DataFrame) -> Sequence[pl.DataFrame]:
        """Frames with the head's fields and a column for each attribute."""
        split = syslog.split(intake).with_columns(_rejoined().alias("text"))
        numbered = split.filter(pl.col("text").str.contains(_HEAD)).with_row_index("at")
        worded = split.filter(pl.col("text").str.contains(_WORDS))
        frames = [_attributes(numbered)] if numbered.height else []
        if worded.height:
            frames.append(
                worded.with_columns(pl.col("text").str.extract_groups(_WORDS).alias("_found")).unnest(
                    "_found"
                )
            )
        return frames


def _rejoined() -> pl.Expr:
    """The header may have taken `CISE_…` for its program's name."""
    app = pl.col("header.app")
    return (
        pl.when(app.str.starts_with("CISE_")).then(app + " " + pl.col("message")).otherwise(pl.col("message"))
    )


def _attributes(frame: pl.DataFrame) -> pl.DataFrame:
    found = frame.with_columns(pl.col("text").str.extract_groups(_HEAD).alias("_found")).unnest("_found")
    parts = (
        pl.col("attributes")
        .str.replace_all(r", ([A-Za-z][A-Za-z0-9 _\-]{0,60}=)", f"{_NEXT}$1")
        .str.split(_NEXT)
    )
    both = pl.col("pair").str.splitn("=", 2).struct.rename_fields(["key", "value"])
    named = (
        found.select("at", parts.alias("pair"))
        .explode("pair", empty_as_null=False, keep_nulls=False)
        .filter(pl.col("pair").str.contains("=", literal=True))
        .select("at", both.alias("both"))
        .unnest("both")
        .with_columns(
            pl.col("key").str.strip_chars(" ,"),
            pl.col("value").str.strip_chars(" ,").str.replace_all(r"\\([,;=])", "$1"),
        )
    )
    return pairs.columns(found.drop("at", "attributes"), named)
