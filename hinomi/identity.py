"""Identities that a replay makes again: from where a thing came, never from the clock or chance."""

import hashlib
import re

import polars as pl

_MESSAGE = re.compile(r"[!-~]+@[!-~]+")  # printable ASCII without a space
_LONGEST_LINE = 998  # RFC 5322, 2.1.1
_HEX = frozenset("0123456789abcdefABCDEF")


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


def is_message_id(text: str) -> bool:
    """Whether it may be a mail's Message-ID (RFC 5322, 3.6.4): a queue's own number and what a stranger made up are none."""
    return (
        len(text) <= _LONGEST_LINE and _MESSAGE.fullmatch(text) is not None and not set(text) & set("'\"\\")
    )


def is_sha256(text: str) -> bool:
    """Whether it is a SHA-256 in hex: not the fingerprint of a key, not another digest."""
    return len(text) == 64 and set(text) <= _HEX
