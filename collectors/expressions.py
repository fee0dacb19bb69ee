"""The words that sources are written with: small Polars expressions over raw text fields."""

from collections.abc import Iterable, Mapping, Sequence

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


_RELATED: Mapping[str, Iterable[str]] = {
    "related.ip": (
        "source.ip",
        "source.nat.ip",
        "destination.ip",
        "destination.nat.ip",
        "client.ip",
        "server.ip",
        "host.ip",
        "observer.ip",
    ),
    "related.user": (
        "user.name",
        "source.user.name",
        "destination.user.name",
        "user.target.name",
        "user.effective.name",
    ),
    "related.hosts": (
        "source.domain",
        "destination.domain",
        "host.name",
        "observer.hostname",
        "dns.question.name",
        "url.domain",
    ),
    "related.hash": ("file.hash.md5", "file.hash.sha1", "file.hash.sha256", "file.hash.sha512"),
}


def related(frame: pl.DataFrame) -> pl.DataFrame:
    """related.* from the addresses, people, hosts and hashes that the frame has; `*.address` of both ends."""
    found = {
        name: [column for column in columns if column in frame.columns] for name, columns in _RELATED.items()
    }
    together = [_together(frame, columns).alias(name) for name, columns in found.items() if columns]
    return frame.with_columns(*together, *_addresses(frame))


def _addresses(frame: pl.DataFrame) -> list[pl.Expr]:
    """ECS's `address`: the end as the line names it, by address or by name."""
    found = []
    for end in ("source", "destination", "client", "server"):
        names = [name for name in (f"{end}.ip", f"{end}.domain") if name in frame.columns]
        if names and f"{end}.address" not in frame.columns:
            found.append(pl.coalesce(names).alias(f"{end}.address"))
    return found


def _together(frame: pl.DataFrame, columns: list[str]) -> pl.Expr:
    """The distinct values of these columns as a list; null where there are none."""
    live = [name for name in columns if frame[name].null_count() < frame.height]
    if any(frame.schema[name] != pl.String for name in live):
        return _together_with_lists(frame, live)
    # One joined text, split again, is ten times faster than lists whose doubles are taken out.
    new = [_unless_said(name, live[:index]) for index, name in enumerate(live)]
    joined = pl.concat_str(new, separator=_BETWEEN, ignore_nulls=True) if new else nothing()
    return pl.when(joined != "").then(joined.str.split(_BETWEEN))


_BETWEEN = "\x1f"


def _unless_said(name: str, before: list[str]) -> pl.Expr:
    """The value, without the sign that stands between values, where no earlier column has it."""
    value = pl.col(name)
    said = pl.any_horizontal(value == pl.col(other) for other in before) if before else pl.lit(False)
    new = pl.when((value != "") & ~said.fill_null(False)).then(value)
    return new.str.replace_all(_BETWEEN, " ", literal=True)


def _together_with_lists(frame: pl.DataFrame, columns: list[str]) -> pl.Expr:
    lists = [name for name in columns if isinstance(frame.schema[name], pl.List)]
    parts = [pl.col(name) for name in columns if name not in lists]
    every = pl.concat_list(*parts, *lists).list.drop_nulls().list.unique(maintain_order=True)
    return pl.when(every.list.len() > 0).then(every)


def time_or(value: pl.Expr, *others: pl.Expr) -> pl.Expr:
    """The first time that is there and within 1900 to 2200, in the type of `@timestamp`."""
    return pl.coalesce(times.kept(one) for one in (value, *others))


def local(naive: pl.Expr, zone: str = "") -> pl.Expr:
    """A naive local time as Datetime(UTC); zone: its own ("" = where this process reads such times)."""
    return times.local(naive, zone or times.zone())
