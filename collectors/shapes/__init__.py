"""How lines split into raw fields: key=value, CEF, JSON, delimited text, behind syslog headers."""

from collectors.shapes.cef import Cef, cef
from collectors.shapes.delimited import Delimited, delimited
from collectors.shapes.inner import Inner, inner
from collectors.shapes.json_fields import JsonFields, json_fields
from collectors.shapes.key_value import KeyValue, key_value
from collectors.shapes.leef import Leef, leef
from collectors.shapes.lines import Either, Lines, either, lines
from collectors.shapes.own_clock import OwnClock, own_clock
from collectors.shapes.patterns import Patterns, patterns
from collectors.shapes.renamed import Renamed, renamed
from collectors.shapes.rows import Rows, rows
from collectors.shapes.tagged import Tagged, tagged

__all__ = [
    "Cef",
    "Delimited",
    "Either",
    "Inner",
    "JsonFields",
    "KeyValue",
    "Leef",
    "Lines",
    "OwnClock",
    "Patterns",
    "Renamed",
    "Rows",
    "Tagged",
    "cef",
    "delimited",
    "either",
    "inner",
    "json_fields",
    "key_value",
    "leef",
    "lines",
    "own_clock",
    "patterns",
    "renamed",
    "rows",
    "tagged",
]
