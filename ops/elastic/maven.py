"""Files of Maven Central. It serves no checksum that is signed, so whoever asks for a file knows its digest."""

import hashlib
import os
import time
from pathlib import Path

import httpx

from hinomi.errors import DependencyDown, InputError

_PLACE = "https://repo1.maven.org/maven2"
_PAUSES = (2, 10)


def fetched(path: str, sha256: str, folder: Path) -> Path:
    """The file at that path of the repository, in the folder; asked for where it is not kept there yet.

    Raises InputError for a file with another digest, DependencyDown where Maven Central does not answer in three tries.
    """
    kept = folder / Path(path).name
    if kept.exists() and _digest(kept) == sha256:
        return kept
    for pause in _PAUSES:
        try:
            return _fetched(path, sha256, kept)
        except DependencyDown:
            time.sleep(pause)
    return _fetched(path, sha256, kept)


def _fetched(path: str, sha256: str, kept: Path) -> Path:
    part = kept.with_name(f"{kept.name}.{os.getpid()}.part")
    try:
        with httpx.stream("GET", f"{_PLACE}/{path}", timeout=60, follow_redirects=True) as answer:
            answer.raise_for_status()
            with part.open("wb") as file:
                for chunk in answer.iter_bytes(1 << 20):
                    file.write(chunk)
    except httpx.HTTPError as error:
        part.unlink(missing_ok=True)
        raise DependencyDown(
            "Maven Central から取得できません。", f"Maven Central does not give it: {error}"
        ) from error
    if _digest(part) != sha256:
        part.unlink()
        raise InputError(f"{kept.name} の中身が記録と違います。", f"{kept.name} is not what its digest says")
    return part.replace(kept)


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
