"""Check Point's CEF, whole or with its first word cut off, Log Exporter's own forms, and the quoted export, in one set of names."""

from collections.abc import Sequence
from dataclasses import dataclass

import polars as pl

from collectors import syslog
from collectors.shapes import cef, pairs

_CEF = r"(?s)^.*?(?:CEF: ?)?0\|{1,2}Check Point\|"
_QUOTED = r'^"\d+" "\d{1,2}[A-Z][a-z]{2}\d{4}" "[\d:]+" '
_OWN = r'\bCheckPoint \S+ \S* ?\[\w+:"'
_PAIR = r'\b\w+:?[:=]"(?:[^"\\]|\\.)*"'
_STRUCTURED = r'@2620 .*\b\w+="'
_PIPED = r"(?:^|[ |])time=\d{10}(?:\.\d+)?\|.*\|(?:product|origin)=[^|]+"
_NAMES = {  # Log Exporter's own names → those of its CEF
    "action": "act",
    "s_port": "spt",
    "service": "dpt",
    "product": "cef.product",
    "user": "suser",
    "src_user_name": "suser",
    "time": "seconds",
    "xlatesrc": "sourceTranslatedAddress",
    "xlatesport": "sourceTranslatedPort",
    "xlatedst": "destinationTranslatedAddress",
    "xlatedport": "destinationTranslatedPort",
    "client_inbound_bytes": "in",
    "client_outbound_bytes": "out",
    "resource": "request",
    "method": "requestMethod",
    "file_name": "fname",
    "file_md5": "fileHash",
    "administrator": "suser",
    "dst_user_name": "duser",
    "src_machine_name": "shost",
    "dst_domain_name": "dhost",
    "dst_machine_name": "dhost",
}
_COLUMNS = ("number", "day", "hour", "ifname", "hostname", "kind", "act", "dpt", "spt", "src", "dst", "proto")


@dataclass(frozen=True, slots=True)
class CheckPoint:
    """A line is ours when it names Check Point as CEF's vendor or is a row of the quoted export."""

    def read(self, intake: pl.DataFrame) -> Sequence[pl.DataFrame]:
        """Frames with CEF's keys as columns."""
        split = syslog.split(intake)
        message = pl.col("message")
        whole = split.filter(message.str.contains(_CEF)).with_columns(
            message.str.replace(_CEF, "CEF:0|Check Point|").str.replace_all(r"\s*\n\s*", " ")
        )
        quoted = split.filter(message.str.contains(_QUOTED))
        own = split.filter(message.str.contains(_OWN)).with_columns(
            message.str.extract(r"(\S+) CheckPoint \S+ ").alias("hostname")
        )
        structured = split.filter(pl.col("header.structured").str.contains(_STRUCTURED)).with_columns(
            pl.col("header.structured").alias("message"), pl.col("header.host").alias("hostname")
        )
        piped = split.filter(message.str.contains(_PIPED) & ~message.str.contains(_CEF))
        return [
            *(cef().read(whole) if whole.height else []),
            *([_row(quoted)] if quoted.height else []),
            *(_exported(part, message.str.extract_all(_PAIR)) for part in (own, structured) if part.height),
            *([_exported(piped, message.str.split("|"))] if piped.height else []),
        ]


def _exported(lines: pl.DataFrame, parts: pl.Expr) -> pl.DataFrame:
    """Log Exporter's own names and values; the first of a name counts. Of what the exporter wrote:

    `<134>1 2026-11-20T03:14:05Z gw01 CheckPoint 123 - [action:"Drop"; src:"192.0.2.1"; …]`, the same as structured data
    (`[x@2620 action="Drop" …]`), or parted by `|` (`time=…|hostname=gw01|action=Drop|…`, its format "splunk").
    """
    at = lines.with_row_index("at")
    both = pl.col("pair").str.strip_chars().str.extract_groups(r"^([\w\-]{1,60}):?[:=](.*)$").struct
    named = (
        at.select("at", parts.alias("pair"))
        .explode("pair", empty_as_null=False, keep_nulls=False)
        .select(
            "at",
            both.field("1").replace(_NAMES).alias("key"),
            both.field("2").str.strip_chars('"').str.strip_chars().alias("value"),
        )
        .filter(pl.col("key").is_not_null())
        .unique(["at", "key"], keep="first", maintain_order=True)
    )
    if "hostname" in at.columns:
        named = named.filter(pl.col("key") != "hostname")
    return pairs.columns(at.drop("at"), named)


def _row(lines: pl.DataFrame) -> pl.DataFrame:
    values = pl.col("message").str.extract_all(r'"[^"]*"').list
    columns = [
        values.get(n, null_on_oob=True).str.strip_chars('"').alias(name) for n, name in enumerate(_COLUMNS)
    ]
    clock = pl.concat_str("day", "hour", separator=" ").alias("clock")
    return lines.with_columns(columns).with_columns(clock).drop("number", "day", "hour")
