"""IPv6 addresses in their one short form (RFC 5952), so that the same address is the same text in every log."""

import ipaddress

import polars as pl

from hinomi import ecs

_LOOSE = r"(?:^|:)0+[0-9A-Fa-f]|:.*[A-F]|[A-F].*:|(?:^|:)0:0(?::|$)"
"""What no short form has: a zero before other digits, a capital, two groups of zero written out."""


def is_address(text: str) -> bool:
    """Whether it is an IP address of either version."""
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


def canonical(frame: pl.DataFrame) -> pl.DataFrame:
    """The frame with the addresses of its `ip` columns (ECS) in their short form; other texts stay as they are."""
    known = ecs.fields()
    names = [name for name in frame.columns if name in known and known[name].kind == "ip"]
    return frame.with_columns(
        _shortened(frame[name]) for name in names if _loose(_single(frame[name])).len() > 0
    )


def _single(column: pl.Series) -> pl.Series:
    return column.explode() if isinstance(column.dtype, pl.List) else column


def _loose(values: pl.Series) -> pl.Series:
    """The distinct values that could be shorter. Most columns hold no colon at all: that is seen first."""
    v6 = values.filter(values.str.contains(":", literal=True).fill_null(False))
    return v6.filter(v6.str.contains(_LOOSE)).unique() if v6.len() else v6


def _shortened(column: pl.Series) -> pl.Series:
    loose = _loose(_single(column)).to_list()
    table = dict(zip(loose, map(_short, loose), strict=True))
    if isinstance(column.dtype, pl.List):
        return column.list.eval(pl.element().replace(table))
    return column.replace(table)


def _short(text: str) -> str:
    try:
        return ipaddress.IPv6Address(text).compressed if "." not in text else text
    except ValueError:
        return text
