"""Text for mail readers that know only ISO-2022-JP (JIS X 0201/0208): what it cannot hold is written with what it can.

Facts: RFC 1468; Microsoft's and JIS's differing mappings of wave dash, minus and the like (JIS X 0208:1997 annex).
"""

import unicodedata

_ALIKE = {
    "～": "〜",
    "－": "−",
    "∥": "‖",
    "￠": "¢",
    "￡": "£",
    "￢": "¬",
    "—": "―",
    "–": "-",
    "‐": "-",
    "“": '"',
    "”": '"',
    "‘": "'",
    "’": "'",
    "…": "…",
    "㈱": "(株)",
    "㈲": "(有)",
    "№": "No.",
    "℡": "TEL",
    "髙": "高",
    "﨑": "崎",
    "塚": "塚",
    "德": "徳",
    "濵": "浜",
    "𠮷": "吉",
    "→": "→",
    "\u00a0": " ",
}
_ROMAN = {
    chr(0x2160 + n): text
    for n, text in enumerate(["I", "II", "III", "IV", "V", "VI", "VII", "VIII", "IX", "X", "XI", "XII"])
}
_CIRCLED = {chr(0x2460 + n): f"({n + 1})" for n in range(20)}
_LIKE = {**_ALIKE, **_ROMAN, **_CIRCLED}
_HALFWIDTH = range(0xFF61, 0xFFA0)


def encodable(text: str) -> str:
    """The text with every sign that ISO-2022-JP lacks replaced by its like, or by 〓 where there is none."""
    return "".join(_sign(sign) for sign in text)


def _sign(sign: str) -> str:
    sign = _LIKE.get(sign, sign)
    if len(sign) == 1 and ord(sign) in _HALFWIDTH:
        sign = unicodedata.normalize("NFKC", sign)
    try:
        sign.encode("iso-2022-jp")
    except UnicodeEncodeError:
        return "〓"
    return sign
