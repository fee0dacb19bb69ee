"""A Firebox's log line in its own syslog format, under the names that its LEEF format uses.

Source: WatchGuard, "Read a Log Message" (Fireware): `firewall: msg_id="3000-0148" Allow in-interface out-interface
protocol source destination source-port destination-port … name="value" (policy)`; other messages are sentences.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import polars as pl

from collectors import syslog
from collectors.shapes import key_value

_OURS = r'\bmsg_id="[0-9A-Fa-f]{4}-[0-9A-Fa-f]{4}"'
_IP = r"(?:\d{1,3}(?:\.\d{1,3}){3}|[0-9A-Fa-f]*:[0-9A-Fa-f:]+)"
_TRAFFIC = (
    rf'msg_id="[^"]+" (?P<disp>Allow|Deny|Drop|Block\w*|Strip|Lock|Proxy\w+:?.*?) (?:.*?)?(?P<in_if>\S+) (?P<out_if>\S+)(?: \d+)?'
    rf" (?P<proto>[a-z][\w/\-]*)(?: \d+ \d+)? (?P<src>{_IP}) (?P<dst>{_IP})(?: (?P<srcPort>\d+) (?P<dstPort>\d+))?(?: |$)"
)


@dataclass(frozen=True, slots=True)
class Plain:
    """A line is ours when it has a message id of Fireware."""

    def read(self, intake: pl.DataFrame) -> Sequence[pl.DataFrame]:
        """Frames with the names of LEEF; a sentence is `msg`."""
        ours = syslog.split(intake).filter(pl.col("message").str.contains(_OURS))
        return [_named(frame) for frame in key_value().read(ours)] if ours.height else []


def _named(frame: pl.DataFrame) -> pl.DataFrame:
    line = pl.col("message")
    found = frame.select(line.str.extract_groups(_TRAFFIC).alias("found")).unnest("found")
    told = line.str.extract(r'msg_id="[^"]+" (.*)$')
    said = pl.col("msg") if "msg" in frame.columns else pl.lit(None, dtype=pl.String)
    clock = line.str.extract(r"\((\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)\)")
    icmp = pl.col("proto").str.starts_with("icmp")  # whose type and code stand where others have their ports
    found = found.with_columns(
        pl.when(~icmp).then(pl.col(name)).alias(name) for name in ("srcPort", "dstPort")
    ).with_columns(pl.col("disp").str.extract(r"^(\w+)"))
    both = [name for name in found.columns if name in frame.columns]
    found = found.with_columns(frame[name].fill_null(found[name]).alias(name) for name in both)
    return pl.concat([frame.drop(both), found], how="horizontal").with_columns(
        pl.coalesce(said, pl.when(pl.col("src").is_null()).then(told)).alias("msg"),
        pl.col("msg_id").str.replace("-", "").alias("leef.code"),
        line.str.extract(r"\(([^()]+)\)\s*$").alias("policy"),
        clock.alias("utc"),
    )
