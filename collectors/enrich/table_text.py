"""The text of a list that the city keeps, as Excel saves it: UTF-8, or Shift_JIS (CP932) where nobody chose."""

import codecs
from pathlib import Path

from hinomi.errors import ConfigError, Where


def table_text(path: Path) -> str:
    """All of a file. Raises ConfigError where it cannot be read or is neither UTF-8, CP932 nor UTF-16 with its mark."""
    try:
        data = path.read_bytes()
    except OSError as error:
        raise ConfigError("読めません。", f"cannot be read: {error}", where=Where(path)) from error
    marked = data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    for encoding in ("utf-16",) if marked else ("utf-8-sig", "cp932"):
        try:
            return data.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise ConfigError(
        "文字コードが UTF-8 でも Shift_JIS(CP932)でもありません。Excel では「CSV UTF-8」で保存し直してください。",
        "the encoding is neither UTF-8 nor Shift_JIS (CP932); save it as UTF-8 (in Excel: CSV UTF-8)",
        where=Where(path),
    )
