"""The city's lists of staff and assets, from CSV."""

import csv
import io
import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import polars as pl

from collectors.enrich.table_text import table_text
from hinomi.errors import ConfigError, Where

STAFF = {
    "account": "user.staff.account",
    "full_name": "user.staff.full_name",
    "aliases": "",
    "department": "user.staff.department",
    "employment": "user.staff.employment",
    "telework": "user.staff.telework",
}
_ADDRESS = r"^[0-9]{1,3}(?:\.[0-9]{1,3}){3}$"
ASSETS = {
    "host": "",
    "ip": "",
    "zone": "host.asset.zone",
    "department": "host.asset.department",
    "role": "host.asset.role",
    "criticality": "host.asset.criticality",
    "protected": "host.asset.protected",
}


@dataclass(frozen=True, slots=True)
class Staff:
    """People by account, and by each other name that only one of them has. frame: `key` plus `user.staff.*` texts.

    A key is a name as `folded` spells it. Other names: `full_name` and what `aliases` lists (kana, romanised or
    former names, old accounts), with `;` or `、` between them.
    """

    frame: pl.DataFrame = field(default_factory=lambda: _empty(STAFF))

    @classmethod
    def load(cls, path: Path) -> "Staff":
        """Read the CSV; `account` is required, other columns optional. Raises ConfigError with the line."""
        people = [row for _, row in _rows(path, ["account"])]
        accounts = {folded(row["account"]): row for row in reversed(people)}
        others = [(name, row) for row in people for name in _other_names(row)]
        owners: dict[str, set[str]] = {}
        for name, row in others:
            owners.setdefault(name, set()).add(folded(row["account"]))
        named = {
            name: row for name, row in others if len(owners[name]) == 1 and name not in accounts
        }  # a name that two people have tells nobody
        rows = [{"key": key, **_columns(row, STAFF)} for key, row in (accounts | named).items()]
        return cls(pl.DataFrame(rows, schema=_schema(STAFF)))


def folded(name: str) -> str:
    """One spelling of a name: full- and half-width as one (NFKC), small letters, no blanks."""
    return "".join(unicodedata.normalize("NFKC", name).lower().split())


def folded_column(name: pl.Expr) -> pl.Expr:
    """As `folded`, for a column."""
    return name.str.normalize("NFKC").str.to_lowercase().str.replace_all(r"\s+", "")


def short_column(host: pl.Expr) -> pl.Expr:
    """A column of host names without their domains, lower case; one that goes by its address keeps all of it."""
    name = host.str.to_lowercase()
    return pl.when(name.str.contains(_ADDRESS)).then(name).otherwise(name.str.split(".").list.first())


def _other_names(row: dict[str, str]) -> set[str]:
    written = [row.get("full_name") or "", *re.split("[;、；]", row.get("aliases") or "")]
    return {name for name in map(folded, written) if name}


@dataclass(frozen=True, slots=True)
class Assets:
    """Machines by host name (as `short_column` has it) and by address. frames: `key` plus `host.asset.*`."""

    by_host: pl.DataFrame = field(default_factory=lambda: _empty(ASSETS))
    by_ip: pl.DataFrame = field(default_factory=lambda: _empty(ASSETS))

    @classmethod
    def load(cls, path: Path) -> "Assets":
        """Read the CSV; `host` is required, other columns optional. Raises ConfigError with the line."""
        hosts, addresses = [], []
        for _, row in _rows(path, ["host"]):
            facts = _columns(row, ASSETS)
            hosts.append({"key": row["host"].strip(), **facts})
            if (row.get("ip") or "").strip():
                addresses.append({"key": row["ip"].strip(), **facts})
        schema = _schema(ASSETS)
        named = pl.DataFrame(hosts, schema=schema).with_columns(short_column(pl.col("key")))
        return cls(
            named.unique("key", keep="first", maintain_order=True),
            pl.DataFrame(addresses, schema=schema).unique("key", keep="first", maintain_order=True),
        )


def _schema(columns: dict[str, str]) -> dict[str, pl.DataType]:
    return {"key": pl.String(), **{name: pl.String() for name in columns.values() if name}}


def _empty(columns: dict[str, str]) -> pl.DataFrame:
    return pl.DataFrame(schema=_schema(columns))


def _columns(row: dict[str, str], columns: dict[str, str]) -> dict[str, str | None]:
    return {target: (row.get(name) or "").strip() or None for name, target in columns.items() if target}


def _rows(path: Path, required: list[str]) -> Iterator[tuple[int, dict[str, str]]]:
    reader = csv.DictReader(io.StringIO(table_text(path), newline=""))
    try:
        missing = [name for name in required if name not in (reader.fieldnames or [])]
        if missing:
            raise ConfigError(
                f"列 {', '.join(missing)} がありません。",
                f"column {', '.join(missing)} is missing",
                where=Where(path, 1),
            )
        for row in reader:
            if not (row[required[0]] or "").strip():
                raise ConfigError(
                    f"{required[0]} が空です。", f"{required[0]} is empty", where=Where(path, reader.line_num)
                )
            yield reader.line_num, row
    except csv.Error as error:
        raise ConfigError(
            "CSV として読めません。", f"cannot be read as CSV: {error}", where=Where(path)
        ) from error
