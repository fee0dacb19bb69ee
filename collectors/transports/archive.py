"""The files in a dropped ZIP, one after the other, each in a temporary file while it is read: nothing is written under a name
that the archive chose.

All that can be refused is refused before the first record: what is encrypted, packed in a way that is not read here, or holds
archives; and a bomb, by what it says it unpacks to, which is also the most that is read of it. Of the ways to pack, Deflate alone
is read: the others of `zipfile` unpack a whole block at once, however much it comes to.
"""

import contextlib
import tempfile
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path

from collectors import file_records
from collectors.transports.packed import Packed, TooLarge, refused

_FILES = 1_000
_MOST = 8 << 30
_AS_PACKED, _FREE = 200, 64 << 20
"""Logs pack to a tenth, lines that repeat to a hundredth: an archive unpacks to so many times its size, or to so many bytes."""
_STEP = 1 << 20
_READ = {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED}
_WAYS = {9: "Deflate64", 12: "bzip2", 14: "LZMA", 93: "Zstandard", 95: "xz", 98: "PPMd"}  # APPNOTE 4.4.5
_ENCRYPTED, _UTF8 = 0x1, 0x800  # flags, APPNOTE 4.4.4
_DAMAGED = Packed("ZIP: 壊れています(作り直してください) / damaged: make it anew")
_NAME = 200


def files(path: Path, within: Path | None = None) -> Iterator[tuple[str, Path]]:
    """(name as text, where it lies now) of each file in the archive, in its order. within: the folder that each is unpacked into,
    made where it is missing (None: that of temporary files, which may be memory). Raises Packed with the reason, or TooLarge."""
    if within is not None:
        within.mkdir(parents=True, exist_ok=True)
    try:
        with zipfile.ZipFile(path) as archive:
            inside = _checked(archive, path.stat().st_size)
            for one in inside:
                with tempfile.TemporaryDirectory(prefix="hinomi-zip-", dir=within) as folder:
                    lies = Path(folder) / f"file{_suffix(one.filename)}"
                    _copy(archive, one, lies)
                    yield _name(one), lies
    except (zipfile.BadZipFile, zlib.error, NotImplementedError, EOFError, UnicodeError) as error:
        raise _DAMAGED from error


def _checked(archive: zipfile.ZipFile, size: int) -> list[zipfile.ZipInfo]:
    """The files to be read. Raises Packed or TooLarge."""
    found = [
        one for one in archive.infolist() if not one.is_dir() and not one.filename.startswith("__MACOSX/")
    ]
    if any(one.filename == "[Content_Types].xml" for one in found):
        raise Packed("XLSX: CSV で保存してから置いてください / save it as CSV")
    if not found:
        raise Packed("ZIP: 中にファイルがありません / there is no file in it")
    if len(found) > _FILES or sum(one.file_size for one in found) > min(_MOST, max(_FREE, size * _AS_PACKED)):
        raise TooLarge(
            "ZIP: 展開すると大きすぎます(分けて置いてください) / unpacks to too much: drop it in parts"
        )
    for one in found:
        if one.flag_bits & _ENCRYPTED:
            raise Packed(
                f"ZIP: {_name(one)}: 暗号化されています(パスワードで展開してから置いてください) / encrypted: unpack it with its password"
            )
        if one.compress_type not in _READ:
            way = _WAYS.get(one.compress_type, str(one.compress_type))
            raise Packed(
                f"ZIP: {_name(one)}: 圧縮方式 {way} は読めません(標準の Deflate で圧縮し直すか、展開してから置いてください) / "
                f"packed with {way}, which is not read: pack it again with Deflate, or unpack it"
            )
        with archive.open(one) as file:
            kind = refused(file.read(file_records.HEAD), zips=True)
        if kind:
            raise Packed(f"ZIP: {_name(one)}: {kind}")
    return found


def _copy(archive: zipfile.ZipFile, one: zipfile.ZipInfo, to: Path) -> None:
    with archive.open(one) as file, to.open("wb") as out:
        while data := file.read(_STEP):
            out.write(data)


def _name(one: zipfile.ZipInfo) -> str:
    """As its maker wrote it: Windows in Japan writes CP932 and does not say so, and zipfile then takes it for CP437."""
    name = one.filename
    if not one.flag_bits & _UTF8:
        with contextlib.suppress(UnicodeError):
            name = name.encode("cp437").decode("cp932")
    return "".join(sign if sign.isprintable() else "\ufffd" for sign in name)[-_NAME:]


def _suffix(name: str) -> str:
    """By which a table is known (`whole_file`)."""
    return next((end for end in (".csv", ".csv.gz") if name.lower().endswith(end)), "")
