"""Tests that are not found by scanning, over a column's distinct values or, where they must, over rows."""

import ipaddress
import re
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any

import numpy as np
import polars as pl

from rules.engine import pattern
from rules.engine.columns import FEW, Codes, Columns, Mask, Part
from rules.engine.expression import ANY, REFERENCES
from rules.engine.fold import fold
from rules.engine.hyperscan_db import LONG, python_regex

_COMPARE: dict[str, Callable[[pl.Series, Any], pl.Series]] = {
    "eq": lambda values, number: values == number,
    "lt": lambda values, number: values < number,
    "lte": lambda values, number: values <= number,
    "gt": lambda values, number: values > number,
    "gte": lambda values, number: values >= number,
}
_MANY = 16
"""Wildcards beyond which a native regular expression costs more than searching part by part."""
_OCTET = r"(0|[1-9][0-9]?|1[0-9][0-9]|2[0-4][0-9]|25[0-5])"
_IPV4 = rf"^{_OCTET}\.{_OCTET}\.{_OCTET}\.{_OCTET}$"
_TIME = r"^([0-9]{4})-([0-9]{2})-([0-9]{2})(?:[T ]([0-9]{2}):([0-9]{2}))?"


def values_matching(part: Part, operator: str, operand: Any) -> Mask:
    """For each distinct value whether it matches, and False for absence: `size` + 1 entries."""
    found = _ON_VALUES[operator](part, operand)
    lut = np.zeros(part.size + 1, np.bool_)
    if isinstance(found, pl.Series) and found.null_count():
        found = found.fill_null(False)
    lut[:-1] = found.to_numpy() if isinstance(found, pl.Series) else found
    return lut


def codes_matching(part: Part, codes: Codes, operator: str, operand: Any) -> Mask:
    """For each of some codes of a column whether its text matches: only these texts are tried."""
    asked, places = np.unique(codes, return_inverse=True)
    here = asked[: np.searchsorted(asked, part.size)]
    held = np.zeros(len(asked), np.bool_)
    held[: len(here)] = values_matching(part.only(here), operator, operand)[:-1]
    return held[places]


def rows_matching(columns: Columns, column: str, operator: str, operand: Any) -> Mask:
    """For each row whether it matches."""
    if operator == "null":
        return ~columns.present(column)
    if operator == "exists":
        present = columns.present(column)
        return present if operand else ~present
    return _reference(columns, column, operator, operand)


ON_ROWS = frozenset({"null", "exists"}) | REFERENCES
"""Operators that need whole rows; the others need distinct values only."""


def _is(part: Part, wanted: pattern.Pattern) -> pl.Series | list[bool]:
    if part.few:
        return _one_by_one(part.folded_texts, wanted)
    if part.folded_ascii and not all(text.isascii() for text in wanted if isinstance(text, str)):
        return pl.repeat(False, part.size, eager=True)
    return _wildcards(part.folded, wanted)


def _is_cased(part: Part, wanted: pattern.Pattern) -> pl.Series | list[bool]:
    if part.few:
        return _one_by_one(part.texts, wanted)
    return _wildcards(part.values, wanted)


def _wildcards(values: pl.Series, wanted: pattern.Pattern) -> pl.Series | list[bool]:
    match wanted:
        case (1,):
            return pl.repeat(True, len(values), eager=True)
        case (1, str(text), 1):
            return values.str.contains(text, literal=True)
    if wanted.count(ANY) <= _MANY:
        with suppress(pl.exceptions.ComputeError):  # too large for the native engine
            return values.str.contains(pattern.regex(wanted))
    return _one_by_one(values.to_list(), wanted)


def _one_by_one(texts: list[str], wanted: pattern.Pattern) -> list[bool]:
    match wanted:
        case (1, str(text), 1):  # nearly every pattern that is too short for a scan
            return [text in value for value in texts]
    return [pattern.matches(wanted, value) for value in texts]


def _regex(part: Part, operand: Any) -> list[bool]:
    search = python_regex(*operand).search
    return [_holds(search, value) for value in part.texts]


def _holds(search: Callable[..., "re.Match[str] | None"], value: str) -> bool:
    """Of a very long value the beginning and the end are looked at: `re` may take the square of the length."""
    if len(value) <= LONG:
        return search(value) is not None
    begun = search(value, 0, LONG)
    return (begun is not None and begun.end() < LONG) or search(value, len(value) - LONG) is not None


def _compare(comparison: str) -> Callable[[Part, Any], pl.Series]:
    def compare(part: Part, number: Any) -> pl.Series:
        test = _COMPARE[comparison]
        real = part.values.cast(pl.Float64, strict=False)
        finite = test(real, float(number)) & real.is_finite()
        if isinstance(number, int):
            whole = part.values.cast(pl.Int64, strict=False)
            return test(whole, number).zip_with(whole.is_not_null(), finite)
        return finite

    return compare


def _cidr(part: Part, operand: str) -> pl.Series | list[bool]:
    network = ipaddress.ip_network(operand)
    if isinstance(network, ipaddress.IPv6Network):
        return [_in_ipv6(value, network) for value in part.texts]
    octets = part.values.str.extract_groups(_IPV4).struct.unnest()
    number = sum(
        (
            octets.get_column(name).cast(pl.Int64) * 256 ** (3 - place)
            for place, name in enumerate(octets.columns)
        ),
        pl.Series([0] * part.size, dtype=pl.Int64),
    )
    return number.is_between(int(network.network_address), int(network.broadcast_address))


def _in_ipv6(value: str, network: ipaddress.IPv6Network) -> bool:
    if ":" not in value:
        return False
    try:
        return ipaddress.IPv6Address(value) in network
    except ValueError:
        return False


def _time_part(part: Part, operand: Any) -> pl.Series:
    unit, comparison, number = operand
    groups = part.values.str.extract_groups(_TIME).struct.unnest()
    year, month, day, hour, minute = (groups.get_column(name).cast(pl.Int64) for name in groups.columns)
    units = {"year": year, "month": month, "day": day, "hour": hour, "minute": minute}
    if unit == "week":
        dates = part.values.str.slice(0, 10).str.to_date("%Y-%m-%d", strict=False)
        return _COMPARE[comparison](dates.dt.week().cast(pl.Int64), number)
    return _COMPARE[comparison](units[unit], number)


_ON_VALUES: dict[str, Callable[[Part, Any], pl.Series | list[bool]]] = {
    "is": _is,
    "is_cased": _is_cased,
    "re": _regex,
    "cidr": _cidr,
    "part": _time_part,
    **{name: _compare(name) for name in ("lt", "lte", "gt", "gte")},
}

_REFER: dict[str, Callable[[pl.Expr, pl.Expr], pl.Expr]] = {
    "same": lambda own, other: own == other,
    "starts": lambda own, other: own.str.starts_with(other),
    "ends": lambda own, other: own.str.ends_with(other),
    "holds": lambda own, other: own.str.contains(other, literal=True),
}


def _reference(columns: Columns, column: str, operator: str, other: str) -> Mask:
    """Rows where any value of a column and any value of another stand so to each other."""
    relation, _, cased = operator.partition("_")
    mask = np.zeros(columns.frame.height, np.bool_)
    own_parts, other_parts = columns.parts(column), columns.parts(other)
    if columns.frame.height <= FEW and own_parts and other_parts:
        _refer_few(own_parts[0], other_parts[0], operator, mask)
    elif own_parts and other_parts:
        own, others = (
            _elements(part, name, cased=bool(cased))
            for part, name in ((own_parts[0], "own"), (other_parts[0], "other"))
        )
        pairs = own.join(others, on="row")
        hits = pairs.filter(_REFER[relation](pl.col("own"), pl.col("other"))).get_column("row")
        mask[hits.to_numpy()] = True
    return mask


_REFER_TEXT: dict[str, Callable[[str, str], bool]] = {
    "same": str.__eq__,
    "starts": str.startswith,
    "ends": str.endswith,
    "holds": str.__contains__,
}


def _refer_few(own: Part, other: Part, operator: str, mask: Mask) -> None:
    """The same of a few rows, where a native join costs a millisecond."""
    relation, _, cased = operator.partition("_")
    others: dict[int, list[str]] = {}
    for row, text in _texts(other, cased=bool(cased)):
        others.setdefault(row, []).append(text)
    for row, text in _texts(own, cased=bool(cased)):
        if any(_REFER_TEXT[relation](text, one) for one in others.get(row, ())):
            mask[row] = True


def _texts(part: Part, *, cased: bool) -> Iterator[tuple[int, str]]:
    """(row, text) of each element that is there."""
    texts = part.texts if cased else part.folded_texts
    rows = range(len(part.codes)) if part.rows is None else part.rows.tolist()
    for row, code in zip(rows, part.codes.tolist(), strict=True):
        if code < part.size:
            yield row, texts[code]


def _elements(part: Part, name: str, *, cased: bool) -> pl.DataFrame:
    rows = np.arange(len(part.codes), dtype=np.int64) if part.rows is None else part.rows
    held = part.codes < part.size
    texts = (part.values if cased else fold(part.values)).gather(part.codes[held])
    return pl.DataFrame({"row": rows[held], name: texts})
