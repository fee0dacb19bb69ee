"""Why the store could not be written: the disk is named only where it is the disk."""

import sqlite3

import polars as pl
import pytest

from hinomi.store.embedded.unwritable import unwritable

_DISK = [
    OSError(28, "No space left on device"),
    sqlite3.OperationalError("database or disk is full"),
    pl.exceptions.ComputeError("No space left on device (os error 28)"),
]


@pytest.mark.parametrize("error", _DISK)
def test_the_disk_is_named(error: Exception) -> None:
    """In both languages, with what to look at."""
    said = unwritable(error)
    assert "ディスクの空き" in said.ja and "room" in said.en


def test_another_mistake_is_not_the_disks() -> None:
    """Whoever reads it at night must not look for room on a disk that has some."""
    said = unwritable(pl.exceptions.SchemaError("type Decimal cannot be written"))
    assert "ディスク" not in said.ja and "disk" not in said.en
    assert "Decimal" in said.ja and "Decimal" in said.en
