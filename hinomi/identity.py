"""Identities that a replay makes again: from where a thing came, never from the clock or chance."""

import hashlib

import polars as pl


def digest(*parts: str) -> str:
    """32 hex digits (BLAKE2b, 128 bits) of the parts; ("ab", "c") differs from ("a", "bc")."""
    hasher = hashlib.blake2b(digest_size=16)
    for part in parts:
        data = part.encode("utf-8", "surrogatepass")
        hasher.update(len(data).to_bytes(8, "big"))
        hasher.update(data)
    return hasher.hexdigest()


def position_ids(prefix: str, rows: pl.Series) -> pl.Series:
    """Event ids of one spool block: `<prefix>-<row in hex>`; rows is an unsigned integer series."""
    return pl.Series("event.id", [f"{prefix}-{row:x}" for row in rows.to_list()], dtype=pl.String)


def account(name: str) -> str:
    """One spelling of a person's account: `HINOMI\\T.Yamada` and `t.yamada@city.example.jp` are `t.yamada`."""
    return name.rsplit("\\", 1)[-1].split("@", 1)[0].strip().lower()
