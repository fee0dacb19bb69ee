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
_WORDS = (
    r"(?s)^(?:(?P<category>CISE_Alarm) )?(?P<level>INFO|WARN|ERROR|FATAL|DEBUG|NOTICE): +(?:(?P<class>[A-Za-z]\w*):: )?"
    r"(?P<said>[A-Z].*?)"
    r"(?: ?: *(?P<attributes>[A-Z][A-Za-z ]{0,40}=.*))?$"
)
_NEXT = "\x1e"


@dataclass(frozen=True, slots=True)
class IseMessages:
    """A line is ours when it has ISE's numbers before its text, or is an alarm or a word of its own log."""

    def read(self, intake: pl.DataFrame) -> Sequence[pl.DataFrame]:
        """Frames with the head's fields and a column for each attribute."""
        split = syslog.split(intake).with_columns(_rejoined().alias("text"))
        numbered = split.filter(pl.col("text").str.contains(_HEAD)).with_row_index("at")
        worded = split.filter(pl.col("text").str.contains(_WORDS)).with_row_index("at")
        return [
            _attributes(frame, head, joint)
            for frame, head, joint in ((numbered, _HEAD, ", "), (worded, _WORDS, "; "))
            if frame.height
        ]


def _rejoined() -> pl.Expr:
    """The header may have taken `CISE_…` for its program's name."""
    app = pl.col("header.app")
    return (
        pl.when(app.str.starts_with("CISE_")).then(app + " " + pl.col("message")).otherwise(pl.col("message"))
    )


def _attributes(frame: pl.DataFrame, head: str, joint: str) -> pl.DataFrame:
    """A column for each `name=value`; joint: what stands between two of them."""
    found = frame.with_columns(pl.col("text").str.extract_groups(head).alias("_found")).unnest("_found")
    name = r"[A-Za-z][A-Za-z0-9 _\-]{0,60}="
    parts = (
        pl.col("attributes")
        .str.replace_all(_NEXT, " ", literal=True)
        .str.replace_all(rf"(\\[,;\\])|{joint}({name})", f"${{1}}{_NEXT}$2")
        .str.replace_all(rf"(\\[,;\\]){_NEXT}", "$1")  # what ISE escaped parts nothing
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
            _own(pl.col("key").str.strip_chars(" ,"), found.columns),
            pl.col("value").str.strip_chars(" ,").str.replace_all(r"\\([,;=])", "$1"),
        )
    )
    return pairs.columns(found.drop("at", "attributes"), named)


def _own(key: pl.Expr, taken: Sequence[str]) -> pl.Expr:
    """The attribute's column. Senders choose names: one that the head has gets a `_`, else it would take the place of the
    head's field in every line of the batch."""
    return pl.when(key.is_in(list(taken))).then(key + "_").otherwise(key)
