"""key=value lines, values bare or in quotes, separated by blanks or commas, behind any syslog header."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

import polars as pl

from collectors import syslog
from collectors.shapes import pairs
from collectors.shapes.plain_pairs import is_plain, plain_pairs

_AT_ONCE = 2_000  # lines: what is known of their pairs then stays in the processor's cache


@dataclass(frozen=True, slots=True)
class KeyValue:
    """quote: the character around values with blanks; a backslash guards the character behind it.

    comma: whether an unquoted comma ends a value, too. needs: keys of which a line must have at least one
    (none: any pair makes it ours).
    """

    quote: str = '"'
    comma: bool = False
    needs: Sequence[str] = ()

    def read(self, intake: pl.DataFrame) -> Sequence[pl.DataFrame]:
        """One frame with a text column for each key that any line has."""
        split = syslog.split(intake)
        frame = split.filter(self._ours()).with_row_index("at")
        return [pairs.columns(frame.drop("at"), self._pairs(frame))] if frame.height else []

    def _pairs(self, frame: pl.DataFrame) -> pl.DataFrame:
        """`at`, `key`, `value` of every pair, in the order of the lines."""
        plain = frame.select(is_plain(self.quote, comma=self.comma)).to_series()
        if not plain.any():
            return self._found(frame)
        parts = frame.filter(plain).iter_slices(_AT_ONCE)
        quick = pl.concat([plain_pairs(part, self.quote) for part in parts])
        if plain.all():
            return quick
        return pl.concat([quick, self._found(frame.filter(~plain))]).sort("at", maintain_order=True)

    def _found(self, frame: pl.DataFrame) -> pl.DataFrame:
        """The pairs of any line, one by one."""
        found = frame.select("at", pl.col("message").str.extract_all(self._pair()).alias("pair"))
        parts = pl.col("pair").str.splitn("=", 2).struct.rename_fields(["key", "value"])
        found = found.explode("pair", empty_as_null=False, keep_nulls=False).select("at", parts.alias("both"))
        return found.unnest("both").with_columns(self._bare(pl.col("value")))

    def _ours(self) -> pl.Expr:
        if not self.needs:
            return pl.col("message").str.contains(self._pair())
        names = "|".join(map(re.escape, self.needs))
        return pl.col("message").str.contains(rf"(?:^|[\s,])(?:{names})=")

    def _pair(self) -> str:
        quote = re.escape(self.quote)
        stop = r"[^\s,]*" if self.comma else r"\S*"
        return rf"[A-Za-z0-9_.\-]+=(?:{quote}(?:[^{quote}\\]|\\.)*{quote}|{stop})"

    def _bare(self, value: pl.Expr) -> pl.Expr:
        quoted = value.str.starts_with(self.quote) & value.str.ends_with(self.quote)
        inside = value.str.slice(1, value.str.len_chars() - 2)
        plain = inside.str.replace_all(f"\\{self.quote}", self.quote, literal=True)
        return pl.when(quoted & (value.str.len_bytes() > 1)).then(plain).otherwise(value)


def key_value(quote: str = '"', *, comma: bool = False, needs: Sequence[str] = ()) -> KeyValue:
    """The shape of key=value lines; see `KeyValue`."""
    return KeyValue(quote, comma, tuple(needs))
