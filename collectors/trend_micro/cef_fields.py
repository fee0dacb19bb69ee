"""CEF as Trend Micro writes it: custom fields by their labels, times with `GMT+09:00`, digests by their length.

The number of a custom field (`cs1` … `cs6`, `cn1` … `cn3`) differs between versions; its label tells what it is.
"""

import polars as pl

from collectors import expressions as e
from collectors import times
from collectors.source import Raw

_FIELDS = (
    *(f"cs{n}" for n in range(1, 7)),
    *(f"cn{n}" for n in range(1, 4)),
    *(f"c6a{n}" for n in range(1, 5)),
)
_SIZES = {"md5": 32, "sha1": 40, "sha256": 64}


def custom(raw: Raw, *labels: str) -> pl.Expr:
    """The value of the custom field with one of these labels; blanks and underscores are alike."""
    names = [label.replace(" ", "_").lower() for label in labels]
    found = [
        pl.when(raw[f"{name}Label"].str.replace_all(" ", "_").str.to_lowercase().is_in(names)).then(raw[name])
        for name in _FIELDS
        if name in raw and f"{name}Label" in raw
    ]
    return e.present(pl.coalesce(found)) if found else e.nothing()


def time(value: pl.Expr) -> pl.Expr:
    """`Nov 20 2026 03:14:05 GMT+00:00`, also without the zone (UTC, by the reference)."""
    plain = value.str.replace(r"\s*GMT([+-]\d\d:\d\d)$", " $1").str.replace_all(r"\s+", " ")
    return times.parsed(plain, ["%b %d %Y %H:%M:%S %#z", "%b %d %Y %H:%M:%S"], "UTC")


def hashes(*digests: pl.Expr) -> dict[str, pl.Expr]:
    """file.hash.* of digests whose kinds their lengths tell."""
    low = [e.present(one).str.to_lowercase() for one in digests]
    return {
        f"file.hash.{kind}": pl.coalesce(
            pl.when(one.str.contains(rf"^[0-9a-f]{{{size}}}$")).then(one) for one in low
        )
        for kind, size in _SIZES.items()
    }


def account(value: pl.Expr) -> tuple[pl.Expr, pl.Expr]:
    r"""(domain, name) of `DOMAIN\name`, without what stands for nobody."""
    return e.domain_user(pl.when(~value.str.to_lowercase().is_in(["n/a", "unknown", ""])).then(value))


def base(path: pl.Expr) -> pl.Expr:
    r"""The last part of a path with `/` or `\`."""
    return path.str.extract(r"([^\\/]+)[\\/]*$")


def windows_path(value: pl.Expr) -> pl.Expr:
    r"""A path that was not escaped: what CEF took for a line's end was `\n` in `\notepad.exe`."""
    return value.str.replace_all("\n", r"\n", literal=True).str.replace_all("\r", r"\r", literal=True)
