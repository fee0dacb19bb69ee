"""One kind of Windows event (a provider and an event id) as columns to compute from."""

from collections.abc import Mapping
from dataclasses import dataclass

import polars as pl

from collectors.windows.forms import DATA

Columns = dict[str, pl.Expr | None]
"""ECS field → expression; None where the event has nothing to compute it from."""


@dataclass(frozen=True, slots=True)
class Event:
    """A kind of event: `columns` are the names that its frame has."""

    provider: str
    code: str
    columns: frozenset[str]

    def column(self, *names: str) -> pl.Expr | None:
        """The first of these columns that has a value, `-` and blanks being none; None if no such column."""
        found = [_clean(pl.col(name)) for name in names if name in self.columns]
        return (found[0] if len(found) == 1 else pl.coalesce(found)) if found else None

    def data(self, *names: str) -> pl.Expr | None:
        """The same for event data."""
        return self.column(*(DATA + name for name in names))

    def number(self, *names: str) -> pl.Expr | None:
        """Event data that is a decimal or `0x` number, as Int64."""
        text = self.data(*names)
        return None if text is None else number(text)

    def has(self, *names: str) -> bool:
        """Whether any of these event data exist."""
        return any(DATA + name in self.columns for name in names)


def _clean(text: pl.Expr) -> pl.Expr:
    bare = text.str.strip_chars()
    return pl.when(~bare.is_in(["", "-"])).then(bare)


def number(text: pl.Expr) -> pl.Expr:
    """Int64 of `123` or `0x7b`."""
    hexadecimal = text.str.starts_with("0x")
    return (
        pl.when(hexadecimal)
        .then(text.str.replace("^0x", "").str.to_integer(base=16, strict=False))
        .otherwise(text.cast(pl.Int64, strict=False))
    )


def basename(path: pl.Expr | None) -> pl.Expr | None:
    """The last part of a Windows path."""
    return None if path is None else path.str.extract(r"([^\\/]+)[\\/]*$", 1)


def domain_of(account: pl.Expr | None) -> pl.Expr | None:
    """`DOM` of `DOM\\name`; null where there is no domain."""
    return None if account is None else account.str.extract(r"^([^\\]+)\\", 1)


def name_of(account: pl.Expr | None) -> pl.Expr | None:
    """`name` of `DOM\\name` or of a bare name."""
    return None if account is None else account.str.extract(r"([^\\]+)$", 1)


def address(text: pl.Expr | None) -> pl.Expr | None:
    """An IP address out of `::ffff:192.0.2.1`, `192.0.2.1:3389` or `[2001:db8::1]:3389`; else null."""
    if text is None:
        return None
    bare = text.str.replace("(?i)^::ffff:", "").str.replace(r"%\d+$", "")
    v4 = bare.str.extract(r"^(\d{1,3}\.\d{1,3}\.\d{1,3}\.\d{1,3})(?::\d+)?$", 1)
    v6 = bare.str.extract(r"^\[?([0-9A-Fa-f]*:[0-9A-Fa-f:]*:?[0-9A-Fa-f.]*)\]?(?::\d+)?$", 1)
    return pl.coalesce(v4, v6)


def port_of(text: pl.Expr) -> pl.Expr:
    """The port of `192.0.2.1:3389` or `[2001:db8::1]:3389`."""
    return text.str.extract(r"(?:^[0-9.]+|\]):(\d{1,5})$", 1).cast(pl.Int64, strict=False)


def hashes(text: pl.Expr | None, prefix: str) -> Columns:
    """`{prefix}.hash.*` of Sysmon's `SHA1=…,MD5=…,SHA256=…,IMPHASH=…`."""
    if text is None:
        return {}

    def one(kind: str, digits: int) -> pl.Expr:
        return text.str.extract(rf"(?i)\b{kind}=([0-9a-f]{{{digits}}})\b", 1).str.to_lowercase()

    found: Columns = {
        f"{prefix}.hash.md5": one("MD5", 32),
        f"{prefix}.hash.sha1": one("SHA1", 40),
        f"{prefix}.hash.sha256": one("SHA256", 64),
    }
    if prefix in {"process", "file", "dll"}:
        found[f"{prefix}.pe.imphash"] = one("IMPHASH", 32)
    return found


def present(columns: Mapping[str, pl.Expr | None]) -> dict[str, pl.Expr]:
    """Only the columns that there is something to compute from."""
    return {name: expr for name, expr in columns.items() if expr is not None}
