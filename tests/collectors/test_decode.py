"""Text encodings of senders: declared, guessed, broken."""

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from collectors.decode import decode
from hinomi.ledger import Ledger, Line

TEXTS = [
    "職員ID=1023 所属=市民課 業務=住民記録 操作=照会",
    "ログインに失敗しました（パスワードの誤り）",
    "2026-11-20 表示 ソート 能力 十",  # second bytes that are a backslash in CP932
    "接続を拒否 10.30.8.15 → 10.20.1.20",
]
CODECS = {"utf-8": "utf-8", "cp932": "cp932", "euc-jp": "euc_jp", "iso-2022-jp": "iso2022_jp"}


def lines(*raw: bytes | None) -> pl.Series:
    return pl.Series("payload", list(raw), dtype=pl.Binary)


@pytest.mark.parametrize("encoding", CODECS)
@pytest.mark.parametrize("declared", [True, False], ids=["declared", "guessed"])
def test_japanese_of_every_encoding(encoding: str, declared: bool) -> None:
    """Declared or guessed, the text is the same; ASCII lines between do not matter; nothing is counted."""
    ledger = Ledger()
    raw = [b"plain ascii", *(text.encode(CODECS[encoding]) for text in TEXTS), b""]
    found = decode(lines(*raw), encoding if declared else "", ledger, origin="x")
    assert found.to_list() == ["plain ascii", *TEXTS, ""]
    assert not ledger.counts


def test_one_short_line_follows_the_batch() -> None:
    """A few bytes alone fit several encodings; the sender's other lines decide."""
    raw = [text.encode("euc_jp") for text in TEXTS]
    found = decode(lines(*raw, "認証".encode("euc_jp")), "", Ledger(), origin="x")
    assert found.to_list()[-1] == "認証"


def test_a_declared_encoding_gives_way_to_utf8_where_only_that_fits() -> None:
    """A relay that already converted some lines does not make them unreadable."""
    found = decode(lines("住民".encode("cp932"), "あ→い".encode()), "cp932", Ledger(), origin="x")
    assert found.to_list()[0] == "住民"


def test_invalid_bytes_stay_visible_and_are_counted() -> None:
    """Bytes that are no text, and a character that a device cut in two."""
    ledger = Ledger()
    found = decode(lines(b"\xff\xfe\x00abc", "市民課".encode()[:-1], None), "", ledger, origin="fw")
    assert found.to_list() == ["\\xff\\xfe\x00abc", "市民\\xe8\\xaa", None]
    assert ledger.counts[Line("escaped", "fw", "invalid_bytes")] == 2


@given(st.lists(st.one_of(st.binary(max_size=60), st.none())), st.sampled_from(["", *CODECS]))
def test_any_bytes_become_text(raw: list[bytes | None], encoding: str) -> None:
    """Never raises, keeps every row in its place, and valid UTF-8 is read as such when nothing else is said."""
    found = decode(lines(*raw), encoding, Ledger(), origin="x").to_list()
    assert [text is None for text in found] == [line is None for line in raw]
    if encoding == "utf-8":
        for line, text in zip(raw, found, strict=True):
            assert text == (None if line is None else line.decode("utf-8", "backslashreplace"))
