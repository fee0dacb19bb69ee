"""Junos lines: a daemon, a tag, attributes in brackets or a text."""

from collections.abc import Sequence
from dataclasses import dataclass

import polars as pl

from collectors import syslog, times
from collectors.juniper import texts
from collectors.shapes import pairs
from hinomi import ecs

_LINE = (
    r"^(?:(?P<daemon>[A-Za-z0-9_./\-]+)(?:\[(?P<pid>\d+)\])?: )?(?:(?P<tag>[A-Z][A-Z0-9]*_[A-Z0-9_]+)(?:: ?| - ?| |$))?"
    r'(?:\[junos@[^\s\]]* (?P<attributes>(?:[^\]"]|"(?:[^"\\]|\\.)*")*)\] ?)?(?P<said>.*)$'
)
# A relay's header before the device's own: `Nov 20 03:14:05 10.0.0.1 junos-flow: 2026-11-20T03:14:04Z srx01 RT_FLOW - TAG [junos@…`.
_RELAYED = r"^(?:\S+: )?(?:1 )?(\d{4}-\d\d-\d\dT\S+) (\S+) (\S+) \S+ ([A-Z][A-Z0-9_]+) (\[junos@.*)$"
_OURS = r"\[junos@|^(?:\S+(?:\[\d+\])?: )?[A-Z][A-Z0-9]*_[A-Z0-9_]+(?::| |$)|^/?[A-Za-z][\w./\-]*\[\d+\]: |^FW: \S+ +[ADR] |^PFE_FW_SYSLOG_"

_DAEMON = r"^/?[A-Za-z][\w./\-]*(?:\[\d+\])?: [A-Z][A-Z0-9]*_[A-Z0-9_]+(?::| |$)"
"""A daemon and its tag before the text: the program of the header is the relay's."""


@dataclass(frozen=True, slots=True)
class Attributes:
    """A line is ours when it has Junos' attributes, or a tag, or a daemon with its number before the text."""

    def read(self, intake: pl.DataFrame) -> Sequence[pl.DataFrame]:
        """One frame: `daemon`, `pid`, `tag`, `said` and a column for each attribute."""
        split = syslog.split(intake).with_columns(_rejoined().alias("line")).with_columns(_unwrapped())
        frame = split.filter(pl.col("line").str.contains(_OURS)).with_row_index("at")
        if not frame.height:
            return []
        found = frame.with_columns(pl.col("line").str.extract_groups(_LINE).alias("_found")).unnest("_found")
        pair = pl.col("attributes").str.extract_all(r'[\w\-]+="(?:[^"\\]|\\.)*"').alias("pair")
        both = pl.col("pair").str.splitn("=", 2).struct.rename_fields(["key", "value"])
        named = (
            found.select("at", pair)
            .explode("pair", empty_as_null=False, keep_nulls=False)
            .select("at", both.alias("both"))
            .unnest("both")
            .with_columns(pl.col("value").str.strip_chars('"'))
        )
        worded = texts.attributes(found.filter(pl.col("attributes").is_null()))
        told = worded.unpivot(index="at", variable_name="key", value_name="value").drop_nulls()
        return [pairs.columns(found.drop("at", "attributes"), pl.concat([named, told]))]


def _unwrapped() -> list[pl.Expr]:
    """The device's own line, host and time out of a relay's."""
    inner = pl.col("line").str.extract_groups(_RELAYED).struct
    time = times.parsed(inner.field("1"), [times.ISO], "UTC")
    own = pl.concat_str(inner.field("3"), pl.lit(": "), inner.field("4"), pl.lit(": "), inner.field("5"))
    stamp = pl.col("header.timestamp")
    return [
        pl.coalesce(own, pl.col("line")).alias("line"),
        pl.coalesce(inner.field("2"), pl.col("header.host")).alias("header.host"),
        pl.coalesce(time.cast(ecs.TIME), stamp).alias("header.timestamp"),
    ]


def _rejoined() -> pl.Expr:
    """The line as Junos wrote it: what the syslog header took for program, message id and structured data."""
    app, pid = pl.col("header.app"), pl.col("header.pid").fill_null("0")
    tag, data = pl.col("header.msgid").fill_null(""), pl.col("header.structured").fill_null("")
    nothing = pl.lit("")
    return pl.concat_str(
        pl.when(app.is_not_null() & ~pl.col("message").str.contains(_DAEMON))
        .then(pl.concat_str(app, pl.lit("["), pid, pl.lit("]: ")))
        .otherwise(nothing),
        pl.when(tag.str.contains(r"^[A-Z][A-Z0-9]*_")).then(tag + ": ").otherwise(nothing),
        pl.when(data.str.starts_with("[junos")).then(data + " ").otherwise(nothing),
        pl.col("message").str.strip_chars().str.replace(r"^[\w.\-]+ (PFE_FW_SYSLOG_)", "$1"),
    )
