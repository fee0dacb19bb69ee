"""The words that sources are written with: small Polars expressions over raw text fields."""

from collections.abc import Mapping, Sequence

import polars as pl

from collectors import times

_IP = r"^(?:\d{1,3}(?:\.\d{1,3}){3}|[0-9a-fA-F]{0,4}(?::[0-9a-fA-F]{0,4}){2,7}(?:\d{1,3}(?:\.\d{1,3}){3})?)(?:%\w+)?$"
_NOTHING = ("", "-", "N/A", "n/a", "(null)", "undefined-user")
TRANSPORT = {
    "1": "icmp",
    "2": "igmp",
    "4": "ipv4",
    "6": "tcp",
    "17": "udp",
    "41": "ipv6",
    "47": "gre",
    "50": "esp",
    "51": "ah",
    "58": "ipv6-icmp",
    "88": "eigrp",
    "89": "ospf",
    "112": "vrrp",
    "132": "sctp",
}


def nothing() -> pl.Expr:
    """A null text."""
    return pl.lit(None, dtype=pl.String)


def present(value: pl.Expr) -> pl.Expr:
    """The text without blanks around it; null where it says that there is none (`-`, `N/A`)."""
    text = value.str.strip_chars()
    return pl.when(~text.is_in(_NOTHING)).then(text)


def ip(value: pl.Expr) -> pl.Expr:
    """The text where it is an IP address."""
    return pl.when(value.str.contains(_IP)).then(value)


def not_ip(value: pl.Expr) -> pl.Expr:
    """The text where it is anything but an IP address."""
    return pl.when(~value.str.contains(_IP)).then(value)


def whole(value: pl.Expr) -> pl.Expr:
    """The text as a whole number, null where it is none."""
    return value.str.strip_chars().cast(pl.Int64, strict=False)


def mapped(value: pl.Expr, table: Mapping[str, str]) -> pl.Expr:
    """The value's entry in the table, null where it has none."""
    return value.replace_strict(dict(table), default=None, return_dtype=pl.String)


def listed(value: pl.Expr, table: Mapping[str, Sequence[str]]) -> pl.Expr:
    """As `mapped`, with lists of text (`event.category`) as values."""
    joined = {key: ",".join(values) for key, values in table.items()}
    return mapped(value, joined).str.split(",")


def texts(*values: str) -> pl.Expr:
    """A constant list of text."""
    return pl.lit(pl.Series([list(values)], dtype=pl.List(pl.String))).first()


def transport(number: pl.Expr) -> pl.Expr:
    """IANA protocol number → ECS network.transport."""
    return mapped(number, TRANSPORT)


def first(*values: pl.Expr) -> pl.Expr:
    """The first value that is there."""
    return pl.coalesce(*values)


def url_columns(url: pl.Expr) -> dict[str, pl.Expr]:
    """url.* of an address; of a bare path only url.original and url.path."""
    parts = url.str.extract_groups(
        r"^([A-Za-z][A-Za-z0-9+.\-]*)://(?:[^/@?#]*@)?(\[[^\]]*\]|[^/:?#]*)(?::(\d+))?"
    ).struct
    rest = url.str.replace(r"^[A-Za-z][A-Za-z0-9+.\-]*://[^/?#]*", "")
    return {
        "url.original": url,
        "url.full": pl.when(parts.field("1").is_not_null()).then(url),
        "url.scheme": parts.field("1").str.to_lowercase(),
        "url.domain": _filled(parts.field("2").str.strip_chars("[]")),
        "url.port": parts.field("3"),
        "url.path": _filled(rest.str.extract(r"^(/[^?#]*)")),
        "url.extension": rest.str.extract(r"^/[^?#]*\.([A-Za-z0-9]{1,10})(?:[?#]|$)").str.to_lowercase(),
        "url.query": _filled(rest.str.extract(r"\?([^#]*)")),
    }


def _filled(value: pl.Expr) -> pl.Expr:
    return pl.when(value != "").then(value)


def domain_user(value: pl.Expr) -> tuple[pl.Expr, pl.Expr]:
    r"""(domain, name) of `DOMAIN\name` or plain `name`."""
    return value.str.extract(r"^([^\\]+)\\+."), value.str.extract(r"([^\\]+)$")


def time_or(value: pl.Expr, *others: pl.Expr) -> pl.Expr:
    """The first time that is there and within 1900 to 2200, in the type of `@timestamp`."""
    return pl.coalesce(times.kept(one) for one in (value, *others))


def own_clock(naive: pl.Expr) -> list[pl.Expr]:
    """Times of a line whose own clock names no zone, best first. Behind a header with an offset it is read with that offset,
    or in the city's zone, where that is nearly the header's time, else the header tells (a server in UTC, a relay in Japan);
    behind any other it is in the city's zone."""
    header, offset = pl.col("header.timestamp"), pl.col("header.offset")
    parts = offset.str.extract_groups(r"^([+-])(\d\d):?(\d\d)$").struct
    minutes = whole(parts.field("2")) * 60 + whole(parts.field("3"))
    ahead = pl.when(parts.field("1") == "-").then(-minutes).otherwise(minutes.fill_null(0))
    there = naive.dt.replace_time_zone("UTC") - pl.duration(minutes=ahead)
    near = [
        pl.when((one - header).dt.total_seconds().abs() <= _NEAR).then(one) for one in (there, local(naive))
    ]
    told = [pl.when(offset.is_not_null()).then(one) for one in (*near, header)]
    return [*told, local(naive), header]


_NEAR = 15 * 60
"""Seconds between a line's own clock and its header's that a buffer or a clock may make, and no zone does."""


def local(naive: pl.Expr, zone: str = "") -> pl.Expr:
    """A naive local time as Datetime(UTC); zone: its own ("" = where this process reads such times)."""
    return times.local(naive, zone or times.zone())
