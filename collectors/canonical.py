"""One value, one text: ECS's way to write what many products write in many ways.

* `ip` columns hold addresses and nothing else (IPv6 in its short form, RFC 5952); a word there becomes null, as no
  store takes it; `*.address` and `event.original` keep it.
* Hardware addresses are written `00-00-5E-00-53-23` (RFC 7042).
* Protocol names are in small letters; an empty text is no value.
"""

import ipaddress
from collections.abc import Callable
from functools import cache
from typing import NamedTuple

import polars as pl

from hinomi import ecs

_LOOSE = r"(?:^|:)0+[0-9A-Fa-f]|:.*[A-F]|[A-F].*:|(?:^|:)0:0(?::|$)"
"""What no short form of IPv6 has: a zero before other digits, a capital, two groups of zero written out."""
_OCTET = r"(?:25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)"
_V4 = rf"^(?:{_OCTET}\.){{3}}{_OCTET}$"
_MAC = r"^[0-9A-F]{2}(?:-[0-9A-F]{2}){5,7}$"
_SMALL = ("network.transport", "network.protocol", "network.type")
_ENDS = ("source.address", "destination.address", "client.address", "server.address")
_KEPT_EMPTY = ("event.original", "message")


class _Form(NamedTuple):
    """How a column is looked at: whether a value in it may have another form (one truth value), and the mending."""

    odd: pl.Expr
    read: Callable[[pl.Series], pl.Series]


def canonical(frame: pl.DataFrame) -> pl.DataFrame:
    """The frame, whose columns have their ECS types, with each value in its one form. Other columns stay as they are.

    All columns are asked in one query, as most frames have nothing to mend: a query a column costs more than the answer.
    """
    known = ecs.fields()
    forms = {name: form for name in frame.columns if name in known and (form := _form(name)) is not None}
    found = frame.select(form.odd.alias(name) for name, form in forms.items())
    odd = [column.name for column in found if column.item()]
    return frame.with_columns(forms[name].read(frame[name]) for name in odd) if odd else frame


@cache
def _form(name: str) -> _Form | None:
    """Of a field of ECS, none of which a sender invents."""
    field, column = ecs.fields()[name], pl.col(name)
    single = column.explode() if field.array else column
    if field.kind == "ip":
        return _Form((~single.str.contains(_V4)).any(), _addresses)
    if name in _ENDS:
        return _Form((~single.str.contains(_V4)).any(), _ends)
    if name.endswith(".mac"):
        return _Form((~single.str.contains(_MAC)).any(), _hardware)
    if name in _SMALL:
        return _Form(((column == "") | (column != column.str.to_lowercase())).any(), _small)
    if field.kind == "keyword" and not field.array and name not in _KEPT_EMPTY:
        return _Form((column == "").any(), _filled)
    return None


def _filled(column: pl.Series) -> pl.Series:
    """Without empty texts."""
    return column.replace("", None)


def _small(column: pl.Series) -> pl.Series:
    return _filled(column).str.to_lowercase()


def _addresses(column: pl.Series) -> pl.Series:
    return _replaced(column, {text: _address(text) for text in _odd(column)})


def _ends(column: pl.Series) -> pl.Series:
    """An end's name or address: a name stays."""
    return _replaced(column, {text: _address(text) or text or None for text in _odd(column)})


def _odd(column: pl.Series) -> pl.Series:
    """The distinct values that are no IPv4 address and could be no IPv6 one, or a longer form of one."""
    values = _single(column)
    odd = values.filter(~values.str.contains(_V4).fill_null(True))
    return odd.filter(~odd.str.contains("^[0-9a-f:]+$") | odd.str.contains(_LOOSE + "|:::|^[^:]*$")).unique()


def _hardware(column: pl.Series) -> pl.Series:
    values = _single(column)
    odd = values.filter(~values.str.contains(_MAC).fill_null(True)).unique()
    return _replaced(column, {text: _octets(text) for text in odd})


def _single(column: pl.Series) -> pl.Series:
    return column.explode() if isinstance(column.dtype, pl.List) else column


def _replaced(column: pl.Series, table: dict[str, str | None]) -> pl.Series:
    """Only the distinct odd values are looked at one by one: there are few."""
    if not table:
        return column
    if not isinstance(column.dtype, pl.List):
        return column.replace(table)
    kept = column.list.eval(pl.element().replace(table)).list.drop_nulls()
    return kept.to_frame().select(pl.when(pl.col(column.name).list.len() > 0).then(pl.col(column.name)))[
        column.name
    ]


def _address(text: str) -> str | None:
    bare = text.strip().strip("[]")
    try:
        return str(ipaddress.ip_address(bare.partition("%")[0])) if bare else None
    except ValueError:
        return None


def _octets(text: str) -> str | None:
    """`00:00:5e:00:53:23`, `0000.5e00.5323` and their like; what is no hardware address stays as it is."""
    digits = "".join(sign for sign in text if sign not in ":-. ").upper()
    whole = len(digits) in (12, 16) and all(sign in "0123456789ABCDEF" for sign in digits)
    return "-".join(digits[n : n + 2] for n in range(0, len(digits), 2)) if whole else text or None
