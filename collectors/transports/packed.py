"""Dropped files that hold others, or text packed in a way that is not unpacked here: their bytes are no lines."""

ZIP = b"PK\x03\x04"
EMPTY_ZIP = b"PK\x05\x06"
_CONTAINERS = {
    b"7z\xbc\xaf\x27\x1c": "7z",
    b"\xfd7zXZ\x00": "xz",
    b"\x28\xb5\x2f\xfd": "zstd",
    b"\xd0\xcf\x11\xe0": "XLS",
    **{b"BZh%d1AY&SY" % level: "bzip2" for level in range(1, 10)},
}
_ZIPS = {ZIP: "ZIP, XLSX", EMPTY_ZIP: "ZIP"}


class TooLarge(Exception):
    """A packed file unpacks to more than any log export has: a bomb."""


class Packed(Exception):
    """A file that must be unpacked, or saved as text, before it is dropped; it says why."""


def is_zip(start: bytes) -> bool:
    """Whether a file that begins so is a ZIP."""
    return start.startswith((ZIP, EMPTY_ZIP))


def refused(start: bytes, *, zips: bool = False) -> str:
    """What must be done with a file that begins so before it can be read; "" where it can. zips: a ZIP is none that can."""
    for beginning, kind in {**_CONTAINERS, **(_ZIPS if zips else {})}.items():
        if start.startswith(beginning):
            return f"{kind}: 展開するか CSV で保存してから置いてください / unpack it, or save it as CSV"
    return ""
