r"""What ECS says of every event alike, whatever product wrote it: derived in one place, behind each source's own columns.

* `related.*` holds every address, person, host and hash that the event names; `*.address` an end as the line names it.
* The last part of a path is the file's or program's name, what follows the last dot its extension.
* `event.type` keeps to the words that ECS expects of the event's categories.
* An address in `url.original` is split into `url.*`, also one without a host; `DOMAIN\name` into `user.domain` and
  `user.name`.

Only gaps are filled: what a source said itself stays. Source: ECS 9.5, "Related fields", "File fields", "URL fields".
"""

from collections.abc import Callable, Iterable, Mapping

import polars as pl

from collectors import expressions as e
from collectors.ecs_values import expected_types
from hinomi import ecs

_HASHES = ("md5", "sha1", "sha256", "sha512")
_HASHED = ("file", "process", "process.parent", "dll")
RELATED: Mapping[str, tuple[str, ...]] = {
    "related.ip": (
        *("source.ip", "source.nat.ip", "destination.ip", "destination.nat.ip", "client.ip", "client.nat.ip"),
        *("server.ip", "host.ip", "observer.ip", "dns.resolved_ip"),
    ),
    "related.user": (
        *(
            "user.name",
            "source.user.name",
            "destination.user.name",
            "user.target.name",
            "user.effective.name",
        ),
        *("user.changes.name", "user.email", "user.target.email"),
    ),
    "related.hosts": (
        *(
            "source.domain",
            "destination.domain",
            "client.domain",
            "server.domain",
            "host.name",
            "host.hostname",
        ),
        *("observer.hostname", "dns.question.name", "url.domain"),
    ),
    "related.hash": tuple(f"{owner}.hash.{kind}" for owner in _HASHED for kind in _HASHES),
}
_NAME = r"([^\\/]+)$"
_EXTENSION = r"[^\\/.]\.([A-Za-z0-9_]{1,16})$"
_NAMED = {
    "file.name": ("file.path", _NAME),
    "process.name": ("process.executable", _NAME),
    "process.parent.name": ("process.parent.executable", _NAME),
    "file.extension": ("file.name", _EXTENSION),
}
_URL = ("url.full", "url.scheme", "url.domain", "url.port", "url.path", "url.query")


def derived(frame: pl.DataFrame) -> pl.DataFrame:
    """The frame, whose columns have their ECS types, with what follows from them."""
    for step in (_kind, _types, _names, _person, _web):
        frame = step(frame)
    return frame


def related(frame: pl.DataFrame) -> pl.DataFrame:
    """The frame with `related.*` of all its other columns; what a source put there itself stays."""
    there = set(frame.columns)
    together = {}
    for name, sources in RELATED.items():
        live = _distinct(frame, [one for one in (name, *sources) if one in there and _said(frame[one])])
        if live and live != [name]:
            together[name] = _together(frame, live).alias(name)
    # Two queries: within one, what stands in the condition and in its result would be put together twice.
    found = frame.select(together.values())
    return frame.with_columns(found.select(map(_unless_empty, found.iter_columns())).iter_columns())


def _distinct(frame: pl.DataFrame, names: list[str]) -> list[str]:
    """These columns without those that say in every row what an earlier one says: a client is often the source."""
    kept: list[str] = []
    for name in names:
        if not any(frame[name].equals(frame[other], check_dtypes=True) for other in kept):
            kept.append(name)
    return kept


def _said(column: pl.Series) -> bool:
    return column.null_count() < len(column)


def _kind(frame: pl.DataFrame) -> pl.DataFrame:
    given = pl.col("event.kind") if "event.kind" in frame.columns else e.nothing()
    return frame.with_columns(given.fill_null("event").alias("event.kind"))


def _types(frame: pl.DataFrame) -> pl.DataFrame:
    """`event.type` in the words that ECS expects of the event's categories; there are few pairs in a frame."""
    if not {"event.category", "event.type"} <= set(frame.columns):
        return frame
    both = pl.concat_str(
        pl.col("event.category").list.join(","), pl.col("event.type").list.join(","), separator=ecs.BETWEEN
    )
    pairs = frame.select(both.alias("both"))["both"]
    table: dict[str, str] = {}
    for pair in pairs.drop_nulls().unique():
        categories, _, types = pair.partition(ecs.BETWEEN)
        better = ",".join(expected_types(tuple(categories.split(",")), tuple(types.split(","))))
        if better != types:
            table[pair] = better
    if not table:
        return frame
    better_types = pairs.replace_strict(table, default=None, return_dtype=pl.String).str.split(",")
    return frame.with_columns(pl.coalesce(better_types.alias("event.type"), "event.type"))


def ends(frame: pl.DataFrame) -> pl.DataFrame:
    """ECS's `address`: the end as the line names it, by address or by name."""
    found = []
    for end in ("source", "destination", "client", "server"):
        names = [name for name in (f"{end}.ip", f"{end}.domain") if name in frame.columns]
        given = [name for name in (f"{end}.address",) if name in frame.columns]
        if names and not (given and not frame[given[0]].null_count()):
            found.append(pl.coalesce(given + names).alias(f"{end}.address"))
    return frame.with_columns(found)


def _names(frame: pl.DataFrame) -> pl.DataFrame:
    for name, (whole, pattern) in _NAMED.items():
        if whole in frame.columns:
            frame = _filled(frame, name, lambda: pl.col(whole).str.extract(pattern))  # noqa: B023  # used at once
    return frame


def _filled(frame: pl.DataFrame, name: str, value: Callable[[], pl.Expr]) -> pl.DataFrame:
    """The column with its gaps filled; not looked at where there are none."""
    if name not in frame.columns:
        return frame.with_columns(value().alias(name))
    if not frame[name].null_count():
        return frame
    return frame.with_columns(pl.coalesce(name, value()).alias(name))


def _person(frame: pl.DataFrame) -> pl.DataFrame:
    r"""`DOMAIN\name`, as Windows writes an account, in two."""
    if "user.name" not in frame.columns:
        return frame
    split = pl.col("user.name").str.contains(r"^[^\\]+\\+[^\\]+$").fill_null(False)
    if not frame.select(split.any()).item():
        return frame
    domain, name = e.domain_user(pl.col("user.name"))
    given = pl.col("user.domain") if "user.domain" in frame.columns else e.nothing()
    return frame.with_columns(
        pl.when(split).then(pl.coalesce(given, domain)).otherwise(given).alias("user.domain"),
        pl.when(split).then(name).otherwise(pl.col("user.name")).alias("user.name"),
    )


def _web(frame: pl.DataFrame) -> pl.DataFrame:
    """`url.*` where a source gave the address only: of a whole one all its parts, of a path (`/a?b`) path and query,
    of a host without a scheme (`www.example.com/a?b`) the query."""
    if "url.original" not in frame.columns:
        return frame
    address = pl.col("url.original")
    whole = address.str.contains(r"^[A-Za-z][A-Za-z0-9+.\-]*://\S") & pl.any_horizontal(
        _missing(frame, "url.domain"), _missing(frame, "url.scheme")
    )
    path = address.str.starts_with("/") & _missing(frame, "url.path")
    query = address.str.contains(r"^[A-Za-z0-9.\-]+(?::\d+)?(?:/[^\s?#]*)?\?") & _missing(frame, "url.query")
    gaps = (whole | path | query).fill_null(False)
    if not frame.select(gaps.any()).item():
        return frame
    parts = e.url_columns(pl.when(gaps).then(address))
    columns = []
    for name in _URL:
        value = parts[name].cast(ecs.column_type(name) or pl.String(), strict=False)
        columns.append((pl.coalesce(name, value) if name in frame.columns else value).alias(name))
    return frame.with_columns(columns)


def _missing(frame: pl.DataFrame, name: str) -> pl.Expr:
    return pl.col(name).is_null() if name in frame.columns else pl.lit(True)


def _together(frame: pl.DataFrame, columns: list[str]) -> pl.Expr:
    """The distinct values of these columns, as a list or as one text with a sign between them."""
    if any(frame.schema[name] != pl.String for name in columns):
        return _together_with_lists(frame, columns)
    # One joined text, split again, is ten times faster than lists whose doubles are taken out.
    new = [_unless_said(name, columns[:index]) for index, name in enumerate(columns)]
    return pl.concat_str(new, separator=ecs.BETWEEN, ignore_nulls=True)


def _unless_empty(found: pl.Series) -> pl.Expr:
    """The values of `_together` as a list; null where there are none."""
    column = pl.col(found.name)
    if isinstance(found.dtype, pl.List):
        return pl.when(column.list.len() > 0).then(column)
    return pl.when(column != "").then(column.str.split(ecs.BETWEEN))


def _unless_said(name: str, before: Iterable[str]) -> pl.Expr:
    """The value, without the sign that stands between values, where no earlier column has it."""
    value = pl.col(name)
    said = pl.any_horizontal(pl.lit(False), *(value == pl.col(other) for other in before))
    new = pl.when((value != "") & ~said.fill_null(False)).then(value)
    return new.str.replace_all(ecs.BETWEEN, " ", literal=True)


def _together_with_lists(frame: pl.DataFrame, columns: list[str]) -> pl.Expr:
    empty = pl.lit([], dtype=pl.List(pl.String))
    parts = [
        pl.col(name).fill_null(empty) if isinstance(frame.schema[name], pl.List) else pl.col(name)
        for name in columns
    ]
    return pl.concat_list(parts).list.filter(pl.element() != "").list.unique(maintain_order=True)
