"""Declared mappings: a YAML file that says how a product's CSV, JSON, key=value or CEF becomes ECS."""

from pathlib import Path

from collectors.source import Source


def load(path: Path) -> Source:
    """Read a declared mapping."""
    raise NotImplementedError(path)
