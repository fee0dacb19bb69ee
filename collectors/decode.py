"""Bytes of a log line to text: UTF-8, CP932 (Shift_JIS), EUC-JP, ISO-2022-JP; declared or guessed.

A byte that the encoding does not know is kept, visible, as `\\xNN`. Nothing here fails.
"""

import re

import polars as pl

from collectors.settings import Encoding, encoding_named
from hinomi.ledger import Ledger

_CODECS: dict[Encoding, tuple[str, ...]] = {
    Encoding.UTF8: ("utf-8",),
    Encoding.CP932: ("cp932",),
    Encoding.EUC_JP: ("euc_jp", "euc_jis_2004"),  # the second knows ① and ㈱
    Encoding.ISO_2022_JP: ("iso2022_jp_ext",),
}
_ESCAPE = "\x1b$"  # every ISO-2022-JP text with a Japanese character switches so
_GUESSED = (Encoding.CP932, Encoding.EUC_JP)
_SAMPLE = 200
_RUIN = -1000
_ODD = re.compile("[\x00-\x08\x7f-\xa1\ue000-\uf8ff]")  # no text: control and private-use characters


def decode(
    payload: pl.Series, encoding: str, ledger: Ledger, *, origin: str, senders: pl.Series | None = None
) -> pl.Series:
    """The lines as text, one a row, in order; a null payload stays null.

    payload: Binary; encoding: a name of `Encoding`, or "" to guess for the lines of each sender of this batch together;
    senders: who sent each line (None: all of one).
    Lines with bytes that could not be decoded are counted as `escaped`.
    """
    declared = encoding_named(encoding)
    text = _utf8(payload)
    rows = _unsettled(payload, text, declared)
    if rows.is_empty():
        return text
    lines: list[bytes] = payload.gather(rows).to_list()
    decoded = (
        _guess_each(lines, None if senders is None else senders.gather(rows).to_list())
        if declared == Encoding.AUTO
        else _as_declared(lines, declared)
    )
    damaged = sum(line is None for line in decoded)
    ledger.count("escaped", damaged, dataset=origin, reason="invalid_bytes")
    final = [_escaped(raw) if line is None else line for raw, line in zip(lines, decoded, strict=True)]
    return text.scatter(rows, pl.Series(final, dtype=pl.String))


def _utf8(payload: pl.Series) -> pl.Series:
    """The lines that are UTF-8; null where one is not."""
    try:
        return payload.cast(pl.String)
    except pl.exceptions.ComputeError:  # some line is not, and Polars does not say which
        lines = payload.to_list()
        valid = [None if line is None else _strict(line, Encoding.UTF8) for line in lines]
        return pl.Series(payload.name, valid, dtype=pl.String)


def _unsettled(payload: pl.Series, text: pl.Series, declared: Encoding) -> pl.Series:
    """The rows that reading as UTF-8 did not settle."""
    invalid = text.is_null() & payload.is_not_null()
    if declared == Encoding.UTF8:
        return invalid.arg_true()
    switched = text.str.contains(_ESCAPE, literal=True).fill_null(value=False)
    if declared in {Encoding.AUTO, Encoding.ISO_2022_JP}:
        return (invalid | switched).arg_true()
    beyond_ascii = (text.str.len_bytes() != text.str.len_chars()).fill_null(value=False)
    return (invalid | beyond_ascii).arg_true()


def _as_declared(lines: list[bytes], declared: Encoding) -> list[str | None]:
    """The lines in the declared encoding, or in UTF-8 where only that fits."""
    return [_strict(line, declared) or _strict(line, Encoding.UTF8) for line in lines]


def _guess_each(lines: list[bytes], senders: list[str] | None) -> list[str | None]:
    """Each sender's lines guessed together."""
    if senders is None or len(set(senders)) == 1:
        return _guess(lines)
    places: dict[str, list[int]] = {}
    for place, sender in enumerate(senders):
        places.setdefault(sender, []).append(place)
    found: list[str | None] = [None] * len(lines)
    for own in places.values():
        for place, text in zip(own, _guess([lines[place] for place in own]), strict=True):
            found[place] = text
    return found


def _guess(lines: list[bytes]) -> list[str | None]:
    """One 8-bit encoding for all lines of the batch, as one sender writes one; the other where it fails."""
    sample = [line for line in lines if b"\x1b$" not in line and not _cut_utf8(line)][:_SAMPLE]
    order = sorted(_GUESSED, key=lambda encoding: -sum(_plausible(line, encoding) for line in sample))
    return [_first_that_fits(line, order) for line in lines]


def _first_that_fits(line: bytes, order: list[Encoding]) -> str | None:
    if b"\x1b$" in line and (text := _strict(line, Encoding.ISO_2022_JP)) is not None:
        return text
    if (text := _strict(line, Encoding.UTF8)) is not None:
        return text
    if _cut_utf8(line):
        return None
    for encoding in order:
        text = _strict(line, encoding)
        if text is not None and not _ODD.search(text):
            return text
    return None


def _cut_utf8(line: bytes) -> bool:
    """Whether a line is UTF-8 that a device cut in the middle of its last character."""
    try:
        line.decode("utf-8")
    except UnicodeDecodeError as error:
        return (
            error.start >= len(line) - 3 and error.reason == "unexpected end of data" and error.start > 0
        ) and any(byte >= 0xC2 for byte in line[: error.start])
    return False


def _strict(line: bytes, encoding: Encoding) -> str | None:
    for codec in _CODECS[encoding]:
        try:
            return line.decode(codec)
        except UnicodeDecodeError:
            continue
    return None


def _plausible(line: bytes, encoding: Encoding) -> int:
    """How much a decoded line looks like Japanese: kana and common kanji for, odd characters against."""
    text = _strict(line, encoding)
    return _RUIN if text is None else sum(map(_weight, filter(_beyond_ascii, text)))


def _beyond_ascii(character: str) -> bool:
    return character >= "\x7f" or character < "\x09"


def _weight(character: str) -> int:
    code = ord(character)
    if 0x3040 <= code <= 0x30FF or 0x3000 <= code <= 0x3002:
        return 4
    if 0x4E00 <= code <= 0x9FFF or 0xFF01 <= code <= 0xFF5E:
        return 2
    if 0xFF61 <= code <= 0xFF9F:  # half-width kana: what EUC-JP read as CP932 is full of
        return -1
    if 0x2000 <= code <= 0x33FF or 0xA2 <= code <= 0xF7 or 0x391 <= code <= 0x451:
        return 1
    return -10  # control and private-use characters


def _escaped(line: bytes) -> str:
    return line.decode("utf-8", "backslashreplace")
