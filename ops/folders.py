"""Folders that Hinomi keeps outside a data folder."""

import os
from pathlib import Path


def cache_folder() -> Path:
    """Where compiled rules are cached: $HINOMI_CACHE, else $XDG_CACHE_HOME/hinomi, else ~/.cache/hinomi."""
    if own := os.environ.get("HINOMI_CACHE"):
        folder = Path(own)
    else:
        folder = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "hinomi"
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    return folder
