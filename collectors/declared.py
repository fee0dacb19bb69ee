"""Declared mappings (being written)."""

from pathlib import Path

from collectors.source import Source


def load(path: Path) -> Source:
    """Read a declared mapping."""
    raise NotImplementedError(path)
