"""Folders that Hinomi makes, and the one with its rules."""

import os
from importlib.resources import files
from pathlib import Path

from hinomi.named import named


def cache_folder() -> Path:
    """Where compiled rules are cached: $HINOMI_CACHE, else $XDG_CACHE_HOME/hinomi, else ~/.cache/hinomi."""
    if own := os.environ.get("HINOMI_CACHE"):
        folder = Path(own)
    else:
        folder = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "hinomi"
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    return folder


def packs_folder() -> Path:
    """The rules that come with Hinomi."""
    return Path(str(files("rules"))) / "packs"


def make(folder: Path) -> None:
    """Make a folder that a person named. Raises InputError in words where that cannot be."""
    with named(folder, "フォルダを作れません", "the folder cannot be made"):
        folder.mkdir(parents=True, exist_ok=True)
