"""Veeam's events: one structured element, `[categoryId=0 instanceId=31000 Name="value" … Description="text"]`.

A value may be XML with quotes inside (`ChangesXML`, `UserFullInfo`); it is taken out before the others are read.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import polars as pl

from collectors import syslog
from collectors.shapes import key_value

_OURS = r"\[categoryId=\d+ instanceId=\d+"
_XML = r'(\w+)="(<[^>]*>(?:[^<]*<[^>]*>)*)"'


@dataclass(frozen=True, slots=True)
class VeeamEvents:
    """A text column for each name; the XML values as `ChangesXML` and so on under `xml`."""

    def read(self, intake: pl.DataFrame) -> Sequence[pl.DataFrame]:
        """One frame of the lines that hold such an element, as the message or as syslog's structured data."""
        split = syslog.split(intake).filter(pl.col("message").str.contains(_OURS))
        if not split.height:
            return []
        told = split["message"]
        plain = split.with_columns(pl.col("message").str.replace_all(_XML, "", literal=False))
        whole = told.str.extract(_XML, 2).alias("xml")
        return [
            frame.with_columns(told.alias("text"), whole) if frame.height == told.len() else frame
            for frame in key_value(needs=("instanceId",)).read(plain)
        ]
